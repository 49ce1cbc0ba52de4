// Serwist 9 in a worker.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LibraryApp, workerBundle } from '../e2e/support/library-app.mjs';

const worker = revision => `
import { BackgroundSyncPlugin, BroadcastUpdatePlugin, CacheFirst, ExpirationPlugin, NetworkFirst, NetworkOnly, Serwist, StaleWhileRevalidate } from 'serwist';
const serwist = new Serwist({
  precacheEntries: [{ url: '/offline.html', revision: '${revision}' }, { url: '/style.css', revision: '1' }],
  precacheOptions: { cleanupOutdatedCaches: true },
  skipWaiting: true, clientsClaim: true, navigationPreload: true,
  runtimeCaching: [
    { matcher: ({ request }) => request.mode === 'navigate', handler: new NetworkFirst({ cacheName: 'pages', networkTimeoutSeconds: 5 }) },
    { matcher: /\\/image/, handler: new CacheFirst({ cacheName: 'images', plugins: [new ExpirationPlugin({ maxEntries: 2, maxAgeFrom: 'last-used' })] }) },
    { matcher: '/news', handler: new StaleWhileRevalidate({ cacheName: 'news', plugins: [new BroadcastUpdatePlugin()] }) },
    { matcher: '/orders', method: 'POST', handler: new NetworkOnly({ plugins: [new BackgroundSyncPlugin('orders', { maxRetentionTime: 60 })] }) },
  ],
  fallbacks: { entries: [{ url: '/offline.html', matcher: ({ request }) => request.destination === 'document' }] },
});
globalThis.serwist = serwist;
serwist.addEventListeners();`;
const page = title => `<!doctype html><link rel="manifest" href="manifest.webmanifest"><title>${title}</title><script src="page.js"></script>`;

async function start(t) {
  const orders = [];
  const app = await LibraryApp.start(t, { worker: worker(1), files: {
    '/': page('start'), '/offline.html': page('offline'), '/style.css': { body: 'body {}', type: 'text/css' }, '/visited': page('visited'),
    '/orders': (request, response) => { orders.push(request.text); response.end('taken'); },
  } });
  return { app, orders };
}

test('serwist: precache, runtime caching, fallback pages and an update', async t => {
  const { app } = await start(t);
  const title = async path => app.inPage('return document.title', await app.open(app.url + path));
  assert.equal(await title('visited'), 'visited');
  await app.network('offline');
  assert.deepEqual([await title('visited'), await title('never')], ['visited', 'offline']);
  assert.equal((await app.get('/style.css')).text, 'body {}');
  await app.network('online');
  app.server.files['/offline.html'] = page('offline two');
  const asked = app.server.log.length;
  app.server.files['/sw.js'] = await workerBundle(worker(2));
  await app.inPage(`
    const controlled = new Promise(resolve => navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }));
    await (await navigator.serviceWorker.ready).update();
    await controlled;`);
  assert.deepEqual(app.paths(asked).filter(path => path !== '/sw.js'), ['/offline.html']);
  await app.network('offline');
  assert.equal(await title('never either'), 'offline two');
});

test('serwist: expiration, broadcast of updates, and a queue that is replayed', async t => {
  const { app, orders } = await start(t);
  for (const n of [1, 2, 3]) {
    app.server.files[`/image/${n}`] = `image ${n}`;
    await app.get(`/image/${n}`);
    await app.advance('1s');
  }
  assert.deepEqual(await app.run("return (await (await caches.open('images')).keys()).map(({ url }) => new URL(url).pathname)"), ['/image/2', '/image/3']);
  app.server.files['/news'] = { body: 'old', headers: { ETag: '1' } };
  await app.get('/news');
  app.server.files['/news'] = { body: 'new', headers: { ETag: '2' } };
  assert.deepEqual(await app.inPage(`
    const heard = new Promise(resolve => navigator.serviceWorker.addEventListener('message', ({ data }) => data.meta && resolve(data)));
    await fetch('/news');
    return heard;`), { type: 'CACHE_UPDATED', meta: 'serwist-broadcast-update', payload: { cacheName: 'news', updatedURL: app.url + 'news' } });
  await app.network('offline');
  for (const text of ['one', 'two']) assert.equal((await app.get('/orders', { method: 'POST', body: text })).error, 'TypeError');
  assert.deepEqual((await app.syncs()).map(sync => sync.tag), ['serwist-background-sync:orders']);
  await app.network('online');
  await app.untilSyncs('all are sent', syncs => syncs.length === 0);
  assert.deepEqual(orders, ['one', 'two']);
});
