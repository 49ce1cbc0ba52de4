// workbox-routing, -strategies, -expiration, -cacheable-response, -broadcast-update, -range-requests and -streams 7.4.1.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kTakeOver, LibraryApp } from '../e2e/support/library-app.mjs';
import { eventually } from '../e2e/support/processes.mjs';

const start = (t, worker, files) => LibraryApp.start(t, { worker: worker + kTakeOver, files });
const texts = answers => answers.map(({ text, error }) => error ?? text);

test('workbox-strategies: each strategy, with and without a network, and the handlers for the rest', async t => {
  const app = await start(t, `
    import { registerRoute, setCatchHandler, setDefaultHandler, Route } from 'workbox-routing';
    import { CacheFirst, CacheOnly, NetworkFirst, NetworkOnly, StaleWhileRevalidate, Strategy } from 'workbox-strategies';
    registerRoute(/\\/cache-first/, new CacheFirst({ cacheName: 'first' }));
    registerRoute(({ url }) => url.pathname === '/network-first', new NetworkFirst());
    registerRoute('/network-only', new NetworkOnly());
    registerRoute('/cache-only', new CacheOnly({ cacheName: 'filled' }));
    registerRoute('/stale', new StaleWhileRevalidate());
    registerRoute('/posted', new NetworkOnly(), 'POST');
    class Own extends Strategy {
      async _handle(request, handler) {
        const [cached, fetched] = await Promise.allSettled([handler.cacheMatch(request), handler.fetchAndCachePut(request)]);
        return new Response((cached.value ? await cached.value.text() : '-') + '/' + (fetched.value ? await fetched.value.text() : '-'));
      }
    }
    registerRoute(new Route(({ sameOrigin, url }) => sameOrigin && url.pathname === '/own', new Own({ plugins: [{ fetchDidFail: () => { globalThis.failed = true; } }] })));
    setDefaultHandler(new NetworkOnly());
    setCatchHandler(async ({ url }) => (url.pathname === '/lost' ? new Response('caught') : Response.error()));`);
  const paths = ['/cache-first', '/network-first', '/network-only', '/cache-only', '/stale', '/own', '/other'];
  const serve = text => paths.forEach(path => { app.server.files[path] = text; });
  const ask = async () => texts(await Promise.all(paths.map(path => app.get(path))));
  await app.run("await (await caches.open('filled')).put('/cache-only', new Response('filled'))");
  serve('v1');
  assert.deepEqual(await ask(), ['v1', 'v1', 'v1', 'filled', 'v1', '-/v1', 'v1']);
  serve('v2');
  assert.deepEqual(await ask(), ['v1', 'v2', 'v2', 'filled', 'v1', 'v1/v2', 'v2']);
  await app.network('offline');
  assert.deepEqual(await ask(), ['v1', 'v2', 'TypeError', 'filled', 'v2', 'v2/-', 'TypeError']);
  assert.equal((await app.get('/lost')).text, 'caught');
  assert.equal((await app.get('/posted', { method: 'POST', body: 'x' })).error, 'TypeError');
  assert.equal(await app.run('return failed'), true);
  await app.network('online');
  app.server.files['/posted'] = (request, response) => response.end(`got ${request.text}`);
  assert.equal((await app.get('/posted', { method: 'POST', body: 'x' })).text, 'got x');
});

test('workbox-strategies: NetworkFirst answers from the cache when the network is too slow', async t => {
  const app = await start(t, `
    import { registerRoute } from 'workbox-routing';
    import { NetworkFirst } from 'workbox-strategies';
    registerRoute('/slow', new NetworkFirst({ networkTimeoutSeconds: 3 }));`, { '/slow': 'quick' });
  assert.equal((await app.get('/slow')).text, 'quick');
  const held = [];
  app.server.files['/slow'] = (request, response) => held.push(response);
  const answer = app.get('/slow');
  await app.server.requests('/slow', 2);
  const moved = app.advance('3s');
  assert.equal((await answer).text, 'quick');
  held[0].end('late');
  await moved;
  app.server.files['/slow'] = (request, response) => response.destroy();
  assert.equal((await app.get('/slow')).text, 'late');
});

test('workbox-expiration: entries go by number and by age in days', async t => {
  let now = Date.now();
  const dated = (request, response) => response.writeHead(200, { Date: new Date(now).toUTCString() }).end(`made ${request.url}`);
  const app = await start(t, `
    import { registerRoute } from 'workbox-routing';
    import { CacheFirst } from 'workbox-strategies';
    import { ExpirationPlugin } from 'workbox-expiration';
    import { CacheableResponsePlugin } from 'workbox-cacheable-response';
    registerRoute(/\\/few/, new CacheFirst({ cacheName: 'few', plugins: [new ExpirationPlugin({ maxEntries: 3 })] }));
    globalThis.aged = new ExpirationPlugin({ maxAgeSeconds: 7 * 24 * 3600, purgeOnQuotaError: true });
    registerRoute(/\\/aged/, new CacheFirst({ cacheName: 'aged', plugins: [aged, new CacheableResponsePlugin({ statuses: [200], headers: { 'x-keep': 'yes' } })] }));`,
  {});
  const days = async count => {
    await app.advance(`${count * 24}h`);
    now = await app.inPage('return Date.now()');
  };
  const kept = cache => app.run(`return (await (await caches.open('${cache}')).keys()).map(({ url }) => new URL(url).pathname).sort()`);
  await days(0);
  for (const n of [1, 2, 3, 1, 4, 5]) {
    app.server.files[`/few/${n}`] = dated;
    await app.get(`/few/${n}`);
    await app.advance('1s');
  }
  assert.deepEqual(await kept('few'), ['/few/1', '/few/4', '/few/5']);

  app.server.files['/aged/a'] = app.server.files['/aged/b'] = (request, response) => response.writeHead(200, { Date: new Date(now).toUTCString(), 'X-Keep': 'yes' }).end(String(now));
  app.server.files['/aged/loose'] = dated;
  const first = (await app.get('/aged/a')).text;
  await app.get('/aged/loose');
  assert.deepEqual(await kept('aged'), ['/aged/a']);
  await days(6);
  assert.equal((await app.get('/aged/a')).text, first);
  await days(2);
  assert.notEqual((await app.get('/aged/a')).text, first);
  await app.get('/aged/b');
  await days(8);
  // What is too old goes while the new is fetched, which takes its time here.
  const dated200 = app.server.files['/aged/b'];
  const held = [];
  app.server.files['/aged/b'] = (request, response) => held.push(() => dated200(request, response));
  const renewed = app.get('/aged/b');
  await eventually('the old ones are gone', () => kept('aged'), paths => paths.length === 0);
  await app.server.requests('/aged/b', 2);
  held[0]();
  assert.equal((await renewed).text, String(now));
  assert.deepEqual(await kept('aged'), ['/aged/b']);
  await app.run('await aged.deleteCacheAndMetadata()');
  assert.deepEqual(await app.run('return (await caches.keys()).sort()'), ['few']);
});

test('workbox-broadcast-update: pages hear of answers that changed, and of no others', async t => {
  const tagged = etag => ({ body: `body ${etag}`, headers: { ETag: etag } });
  const app = await start(t, `
    import { registerRoute } from 'workbox-routing';
    import { StaleWhileRevalidate } from 'workbox-strategies';
    import { BroadcastUpdatePlugin } from 'workbox-broadcast-update';
    registerRoute('/news', new StaleWhileRevalidate({ cacheName: 'news', plugins: [new BroadcastUpdatePlugin()] }));
    registerRoute('/other', new StaleWhileRevalidate({ cacheName: 'other', plugins: [new BroadcastUpdatePlugin({ headersToCheck: ['x-version'], generatePayload: ({ request }) => ({ only: request.url }) })] }));`,
  { '/news': tagged('"1"'), '/other': { body: 'o', headers: { 'X-Version': '1' } } });
  const other = await app.open(app.url);
  const listen = "globalThis.heard = []; navigator.serviceWorker.addEventListener('message', ({ data }) => { if (data.meta) heard.push(data); });";
  for (const page of [app.page, other]) await app.inPage(listen, page);
  const ask = async () => { for (const path of ['/news', '/other']) await app.get(path); await app.run('return 0'); };
  await ask();
  await ask();
  assert.deepEqual(await app.inPage('return heard'), []);
  app.server.files['/news'] = tagged('"2"');
  app.server.files['/other'] = { body: 'o', headers: { 'X-Version': '2' } };
  await app.get('/news');
  await app.get('/other');
  for (const page of [app.page, other]) {
    assert.deepEqual(await app.inPage('while (heard.length < 2) await new Promise(resolve => navigator.serviceWorker.addEventListener("message", resolve, { once: true })); return heard', page), [
      { type: 'CACHE_UPDATED', meta: 'workbox-broadcast-update', payload: { cacheName: 'news', updatedURL: app.url + 'news' } },
      { type: 'CACHE_UPDATED', meta: 'workbox-broadcast-update', payload: { only: app.url + 'other' } },
    ]);
  }
});

test('workbox-streams: a page is put together from the cache and the network while the network still sends', async t => {
  const held = [];
  const app = await start(t, `
    import { registerRoute } from 'workbox-routing';
    import { CacheFirst, NetworkOnly } from 'workbox-strategies';
    import { concatenateToResponse, isSupported, strategy } from 'workbox-streams';
    globalThis.isSupported = isSupported;
    const parts = new CacheFirst({ cacheName: 'parts' });
    registerRoute('/composed', strategy([
      ({ event }) => parts.handle({ request: new Request('/header'), event }),
      ({ event }) => new NetworkOnly().handle({ request: new Request('/content'), event }),
      () => new Response(new Blob(['[footer]'])),
    ], { 'Content-Type': 'text/x-composed' }));
    globalThis.concatenateToResponse = concatenateToResponse;`,
  { '/header': '[header]', '/content': (request, response) => { held.push(response); response.writeHead(200, { 'Content-Type': 'text/plain' }).write('[begin]'); } });
  assert.equal(await app.run('return isSupported()'), true);
  assert.deepEqual(await app.inPage(`
    const response = await fetch('/composed');
    globalThis.reader = response.body.getReader();
    globalThis.decoder = new TextDecoder();
    globalThis.text = '';
    while (!text.includes('[begin]')) text += decoder.decode((await reader.read()).value, { stream: true });
    return [response.headers.get('content-type'), text];`), ['text/x-composed', '[header][begin]']);
  held[0].end('[end]');
  assert.equal(await app.inPage("for (let part; !(part = await reader.read()).done;) text += decoder.decode(part.value, { stream: true }); return text"),
    '[header][begin][end][footer]');
  assert.deepEqual(await app.run(`
    const { done, response } = concatenateToResponse([Promise.resolve('a'), Promise.reject(new Error('broken'))]);
    const read = await response.text().catch(error => 'failed');
    return [read, await done.catch(error => error.message)];`), ['failed', 'broken']);
});

test('workbox-range-requests: a part of a cached file', async t => {
  const app = await start(t, `
    import { registerRoute } from 'workbox-routing';
    import { CacheOnly } from 'workbox-strategies';
    import { RangeRequestsPlugin } from 'workbox-range-requests';
    registerRoute('/sound', new CacheOnly({ cacheName: 'media', plugins: [new RangeRequestsPlugin()] }));`);
  await app.run("await (await caches.open('media')).put('/sound', new Response('0123456789'))");
  assert.deepEqual(await app.inPage(`return Promise.all(['bytes=2-4', 'bytes=-3', 'bytes=7-', 'bytes=20-30'].map(async range => {
    const response = await fetch('/sound', { headers: { Range: range } });
    return [response.status, await response.text(), response.headers.get('content-range')];
  }))`), [[206, '234', 'bytes 2-4/10'], [206, '789', 'bytes 7-9/10'], [206, '789', 'bytes 7-9/10'], [416, '', null]]);
});
