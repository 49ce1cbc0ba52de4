// WebSockets of workers and pages, with npm's ws as the server.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { kManual, kVirtual } from './support/fixture.mjs';
import { kTakeOver, LibraryApp } from './support/library-app.mjs';
import { eventually } from './support/processes.mjs';

const kHelpers = `
globalThis.logged = socket => {
  const log = [];
  socket.onopen = () => log.push(['open', socket.protocol, socket.readyState]);
  socket.onmessage = ({ data, origin }) => log.push(['message', data, origin]);
  socket.onerror = () => log.push(['error', socket.readyState]);
  socket.onclose = ({ code, reason, wasClean }) => log.push(['close', code, reason, wasClean, socket.readyState]);
  return log;
};
globalThis.next = (socket, type) => new Promise(resolve => socket.addEventListener(type, resolve, { once: true }));
globalThis.opened = async (url, ...rest) => { const socket = new WebSocket(url, ...rest); await next(socket, 'open'); return socket; };`;

const start = (t, options = kManual) => LibraryApp.start(t, { worker: kHelpers + kTakeOver, page: kHelpers, options });

// A server whose connections do what the path says; requests holds what each handshake asked.
async function listen(t, options = {}) {
  const http = createServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: { threshold: 0 }, ...options });
  const requests = [];
  const connections = [];
  server.on('headers', headers => headers.push('Set-Cookie: fromsocket=1'));
  server.on('connection', (socket, request) => {
    requests.push(request);
    connections.push(socket);
    socket.on('error', () => {});
    if (request.url === '/echo') socket.on('message', (data, binary) => socket.send(data, { binary }));
    if (request.url === '/close') socket.close(4001, 'go away');
    if (request.url === '/close-empty') socket.close();
    if (request.url === '/drop') socket.terminate();
  });
  await new Promise(resolve => http.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of server.clients) socket.terminate();
    return new Promise(resolve => http.close(resolve));
  });
  return { server, requests, connections, url: `ws://127.0.0.1:${http.address().port}` };
}

for (const where of ['run', 'inPage']) {
  test(`texts and bytes come back as they were sent, compressed or not (${where === 'run' ? 'worker' : 'page'})`, async t => {
    const app = await start(t);
    const { url, requests } = await listen(t);
    assert.deepEqual(await app[where](`
      const socket = new WebSocket('${url}/echo', ['v1', 'v2']);
      const early = (() => { try { socket.send('x'); } catch (error) { return error.name; } })();
      await next(socket, 'open');
      const ask = async data => { socket.send(data); return (await next(socket, 'message')).data; };
      const result = { early, url: socket.url, protocol: socket.protocol, extensions: socket.extensions.startsWith('permessage-deflate') };
      result.text = await ask('grüße 🚀');
      result.empty = await ask('');
      result.long = (await ask('x'.repeat(300_000))).length;
      result.blob = await (await ask(new Uint8Array([1, 2, 3]))).bytes();
      socket.binaryType = 'arraybuffer';
      socket.binaryType = 'nonsense';
      result.buffer = [...new Uint8Array(await ask(new Blob(['ab'])))];
      result.big = new Uint8Array(await ask(new Uint8Array(5_000_000).fill(7))).every(byte => byte === 7);
      result.buffered = socket.bufferedAmount;
      socket.close(3333, 'done');
      const { code, reason, wasClean } = await next(socket, 'close');
      return { ...result, blob: [...result.blob], close: [code, reason, wasClean] };`), {
      early: 'InvalidStateError', url: `${url}/echo`, protocol: 'v1', extensions: true, text: 'grüße 🚀', empty: '', long: 300_000, blob: [1, 2, 3],
      buffer: [97, 98], big: true, buffered: 0, close: [3333, 'done', true],
    });
    assert.equal(requests[0].headers.origin, new URL(app.url).origin);
  });
}

test('the events of every way to end', async t => {
  const app = await start(t);
  const { url } = await listen(t);
  const ends = path => app.run(`
    const socket = new WebSocket('${url}${path}');
    const log = logged(socket);
    await next(socket, 'close');
    return log`);
  assert.deepEqual(await ends('/close'), [['open', '', 1], ['close', 4001, 'go away', true, 3]]);
  assert.deepEqual(await ends('/close-empty'), [['open', '', 1], ['close', 1005, '', true, 3]]);
  assert.deepEqual(await ends('/drop'), [['open', '', 1], ['error', 3], ['close', 1006, '', false, 3]]);
  assert.deepEqual(await app.run(`
    const socket = new WebSocket('ws://127.0.0.1:1/');
    const log = logged(socket);
    await next(socket, 'close');
    return log`), [['error', 3], ['close', 1006, '', false, 3]]);
  assert.deepEqual(await app.run(`
    const socket = new WebSocket('${url}/echo');
    const log = logged(socket);
    socket.close();
    const state = socket.readyState;
    await next(socket, 'close');
    return [state, log]`), [2, [['error', 3], ['close', 1006, '', false, 3]]]);
});

test('what is sent before close() arrives, and nothing after it', async t => {
  const app = await start(t);
  const { url, connections } = await listen(t);
  await app.run(`
    const socket = await opened('${url}/');
    for (let i = 0; i < 100; i++) socket.send(i + ':' + 'x'.repeat(50_000));
    socket.close(1000, 'all');
    socket.send('late');
    globalThis.late = socket.bufferedAmount >= 4;
    globalThis.over = next(socket, 'close');`);
  const seen = [];
  connections[0].on('message', data => seen.push(data.toString().split(':')[0]));
  const closed = new Promise(resolve => connections[0].on('close', (code, reason) => resolve([code, reason.toString()])));
  assert.deepEqual(await closed, [1000, 'all']);
  assert.deepEqual(seen.slice(-3), ['97', '98', '99']);
  assert.equal(await app.run('await over; return late'), true);
});

test('a reader that does not keep up makes the server wait', async t => {
  const app = await start(t);
  const { url, connections } = await listen(t, { perMessageDeflate: false });
  await app.run(`globalThis.socket = await opened('${url}/'); globalThis.count = 0; socket.onmessage = ({ data }) => { count += data.size; };`);
  const message = Buffer.alloc(1_000_000);
  // 200 MB, of which only what fits into windows and socket buffers leaves while the worker is busy.
  const busy = app.run('const end = performance.now() + 1500; while (performance.now() < end); return count');
  for (let i = 0; i < 200; i++) connections[0].send(message);
  await busy;
  await eventually('all has arrived', () => app.run('return count'), count => count === 200_000_000);
  const status = await import('node:fs').then(fs => fs.readFileSync(`/proc/${app.vigil.process.pid}/status`, 'utf8'));
  assert.ok(Number(/VmHWM:\s+(\d+)/.exec(status)[1]) < 150_000, status);
});

test('a message that is too large, a frame that is none, and a wrong handshake end the connection', async t => {
  const app = await start(t);
  const accept = key => createHash('sha1').update(key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  const serve = async answer => {
    const server = createTcpServer(socket => {
      socket.on('error', () => {});
      socket.once('data', head => answer(socket, /sec-websocket-key: (.*)\r\n/i.exec(head.toString())[1]));
    });
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    return app.run(`
      const socket = new WebSocket('ws://127.0.0.1:${server.address().port}/');
      const log = logged(socket);
      await next(socket, 'close');
      return log`);
  };
  const good = key => `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept(key)}\r\n`;
  const failed = [['error', 3], ['close', 1006, '', false, 3]];
  const brokenLater = [['open', '', 1], ...failed];
  assert.deepEqual(await serve((socket, key) => socket.write(good(key) + '\r\n\xff\x01x', 'latin1')), brokenLater);
  assert.deepEqual(await serve((socket, key) => socket.write(Buffer.concat([Buffer.from(good(key) + '\r\n'), Buffer.from([0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0, 0])]))), brokenLater);
  assert.deepEqual(await serve((socket, key) => socket.write(Buffer.concat([Buffer.from(good(key) + '\r\n'), Buffer.from([0x81, 1, 0xff])]))), brokenLater);
  assert.deepEqual(await serve(socket => socket.end(good('another key') + '\r\n')), failed);
  assert.deepEqual(await serve((socket, key) => socket.write(good(key) + 'Sec-WebSocket-Extensions: x-webkit-foo\r\n\r\n')), failed);
  assert.deepEqual(await serve((socket, key) => socket.write(good(key) + 'Sec-WebSocket-Protocol: none\r\n\r\n')), failed);
  assert.deepEqual(await serve(socket => socket.end('HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n')), failed);
  assert.deepEqual(await serve(socket => socket.end('nonsense\r\n\r\n')), failed);
  assert.deepEqual(await serve(socket => socket.end()), failed);
});

test('cookies go with the handshake and come back with its response', async t => {
  const app = await start(t);
  const { url, requests } = await listen(t);
  app.server.files['/login'] = { body: 'in', headers: { 'Set-Cookie': 'session=secret; HttpOnly; SameSite=Strict' } };
  await app.get('/login');
  await app.run(`await opened('${url}/')`);
  await app.run(`await opened('${url}/')`);
  assert.deepEqual(requests.map(request => request.headers.cookie), ['session=secret', 'session=secret; fromsocket=1']);
});

test('arguments that are wrong throw as in browsers', async t => {
  const app = await start(t);
  const { url } = await listen(t);
  const failure = code => app.run(`try { ${code}; return 'ok'; } catch (error) { return [error.name, error.message]; }`);
  assert.deepEqual(await failure("new WebSocket('https://[')"), ['SyntaxError', "Failed to construct 'WebSocket': The URL 'https://[' is invalid."]);
  assert.equal((await failure("new WebSocket('ftp://x/')"))[0], 'SyntaxError');
  assert.equal((await failure(`new WebSocket('${url}/#part')`))[0], 'SyntaxError');
  assert.equal((await failure(`new WebSocket('${url}/', 'a b')`))[0], 'SyntaxError');
  assert.equal((await failure(`new WebSocket('${url}/', ['a', 'A'])`))[0], 'SyntaxError');
  assert.equal((await failure(`new WebSocket('${url}/').close(1001)`))[0], 'InvalidAccessError');
  assert.equal((await failure(`new WebSocket('${url}/').close(1000, 'ä'.repeat(62))`))[0], 'SyntaxError');
  assert.equal(await failure(`new WebSocket('${url}/').close(undefined)`), 'ok');
  assert.deepEqual(await app.run("const socket = new WebSocket('/relative'); return socket.url"), app.url.replace('http', 'ws') + 'relative');
});

test('ports of other protocols, and hosts in the clear that are not this machine, are not connected to', async t => {
  const app = await start(t);
  for (const url of ['ws://127.0.0.1:6000/', 'ws://shop.example/']) {
    assert.deepEqual(await app.run(`const socket = new WebSocket('${url}'); const log = logged(socket); await next(socket, 'close'); return log`),
      [['error', 3], ['close', 1006, '', false, 3]], url);
  }
});

test('an open socket does not keep a worker alive, nor time from passing, and ends with the worker and the network', async t => {
  const app = await start(t, kVirtual);
  const { url, connections } = await listen(t);
  await app.run(`globalThis.socket = await opened('${url}/')`);
  const gone = new Promise(resolve => connections[0].on('close', resolve));
  await app.advance('31s');
  await gone;
  await app.inPage(`globalThis.socket = await opened('${url}/'); globalThis.log = logged(socket);`);
  await app.network('offline');
  assert.deepEqual(await app.inPage("if (log.length < 2) await next(socket, 'close'); return log"), [['error', 3], ['close', 1006, '', false, 3]]);
});

test('an origin has 200 sockets at most', async t => {
  const app = await start(t);
  const { url, server } = await listen(t);
  assert.deepEqual(await app.run(`
    const all = await Promise.all(Array.from({ length: 205 }, async () => { const socket = new WebSocket('${url}/'); return Promise.race([next(socket, 'open'), next(socket, 'close')]).then(event => event.type); }));
    return [all.filter(type => type === 'open').length, all.filter(type => type === 'close').length]`), [200, 5]);
  assert.equal(server.clients.size, 200);
});
