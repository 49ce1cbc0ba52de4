// EventSource of workers and pages against a server that streams.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kVirtual } from './support/fixture.mjs';
import { kTakeOver, LibraryApp } from './support/library-app.mjs';

const kHelpers = `
globalThis.follow = (url, options) => {
  const source = new EventSource(url, options);
  const log = [];
  for (const type of ['open', 'message', 'error', 'price']) {
    source.addEventListener(type, event => log.push(event.data === undefined ? [type, source.readyState] : [type, event.data, event.lastEventId]));
  }
  const until = async length => { while (log.length < length) await Promise.race(['open', 'message', 'error', 'price'].map(type => new Promise(resolve => source.addEventListener(type, resolve, { once: true })))); return log; };
  return { source, log, until };
};`;

// A server whose streams the test writes: streams holds the responses, requests what they answer.
async function start(t) {
  const streams = [];
  const requests = [];
  const app = await LibraryApp.start(t, {
    worker: kHelpers + kTakeOver, page: kHelpers, options: kVirtual,
    files: {
      '/events': (request, response) => {
        requests.push(request);
        streams.push(response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' }));
        response.flushHeaders();
      },
      '/refused': { body: 'no', status: 503 }, '/html': '<p>', '/gone': (request, response) => response.writeHead(204).end(),
    },
  });
  return { app, streams, requests };
}

for (const where of ['run', 'inPage']) {
  test(`events of every form are read, in whatever pieces they come (${where === 'run' ? 'worker' : 'page'})`, async t => {
    const { app, streams } = await start(t);
    await app[where]("globalThis.followed = follow('/events'); await followed.until(1)");
    const text = '\uFEFF: comment\ndata: one\n\nevent: price\ndata:two\ndata:  more\r\nid: 7\r\n\r\ndata\rid\r\rignored: x\ndata: grüße 🚀\n\nid: 9\n\ndata: last\n\ndata: not ended';
    const bytes = Buffer.from(text);
    for (let i = 0; i < bytes.length; i += 7) streams[0].write(bytes.subarray(i, i + 7));
    assert.deepEqual(await app[where]('return followed.until(6)'), [
      ['open', 1], ['message', 'one', ''], ['price', 'two\n more', '7'], ['message', '', ''], ['message', 'grüße 🚀', ''], ['message', 'last', '9'],
    ]);
    assert.deepEqual(await app[where]('const { source } = followed; source.close(); return [source.readyState, source.url, source.withCredentials]'), [2, app.url + 'events', false]);
  });
}

test('a connection that ends is made again after the time that the server asked for, from the last id on', async t => {
  const { app, streams, requests } = await start(t);
  await app.inPage("globalThis.followed = follow('/events'); await followed.until(1)");
  streams[0].write('id: grün\nretry: 20000\ndata: x\n\n');
  await app.inPage('await followed.until(2)');
  streams[0].end();
  await app.inPage('await followed.until(3)');
  await app.advance('19s');
  assert.equal(requests.length, 1);
  await app.advance('1s');
  await app.inPage('await followed.until(4)');
  assert.deepEqual(await app.inPage('return followed.log'), [['open', 1], ['message', 'x', 'grün'], ['error', 0], ['open', 1]]);
  assert.equal(Buffer.from(requests[1].headers['last-event-id'], 'latin1').toString(), 'grün');
  assert.equal(requests[1].headers.accept, 'text/event-stream');
  assert.equal(requests[0].headers['last-event-id'], undefined);
});

test('an answer that is no event stream is final', async t => {
  const { app } = await start(t);
  for (const path of ['/refused', '/html', '/gone', '/missing']) {
    assert.deepEqual(await app.run(`const { until, source } = follow('${path}'); return until(1)`), [['error', 2]], path);
  }
  assert.equal(await app.run("try { new EventSource('http://['); } catch (error) { return error.name; }"), 'SyntaxError');
});

test('without a network it waits and tries again', async t => {
  const { app, streams } = await start(t);
  await app.network('offline');
  assert.deepEqual(await app.inPage("globalThis.followed = follow('/events'); return followed.until(1)"), [['error', 0]]);
  await app.network('online');
  await app.advance('3s');
  assert.deepEqual(await app.inPage('return followed.until(2)'), [['error', 0], ['open', 1]]);
  await app.network('offline');
  assert.deepEqual(await app.inPage('return followed.until(3)'), [['error', 0], ['open', 1], ['error', 0]]);
  assert.equal(streams.length, 1);
});

test('another origin must allow it, with credentials if they are sent', async t => {
  const { app } = await start(t);
  const headers = [];
  const other = await LibraryApp.start(t, { worker: kTakeOver, files: {
    '/events': (request, response) => {
      headers.push(request.headers);
      const allow = request.headers['sec-fetch-site'] && { 'Access-Control-Allow-Origin': new URL(app.url).origin, 'Access-Control-Allow-Credentials': 'true' };
      response.writeHead(200, { 'Content-Type': 'text/event-stream', ...allow }).end('data: from afar\n\n');
    },
    '/closed': { body: 'data: x\n\n', type: 'text/event-stream' },
  } });
  assert.deepEqual((await app.run(`return follow('${other.url}events', { withCredentials: true }).until(2)`)).slice(0, 2), [['open', 1], ['message', 'from afar', '']]);
  assert.deepEqual(await app.run(`return follow('${other.url}closed').until(1)`), [['error', 0]]);
  assert.equal(headers[0].origin, new URL(app.url).origin);
});
