// Workers that workbox-build 7.4.1 generates, and workbox-sw loading its modules on demand.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { kTakeOver, LibraryApp } from '../e2e/support/library-app.mjs';
import { kRoot, makeFolder } from '../e2e/support/processes.mjs';

const { generateSW, getManifest } = createRequire(import.meta.url)('workbox-build');
const page = title => `<!doctype html><link rel="manifest" href="manifest.webmanifest"><title>${title}</title><script src="page.js"></script>`;
const kPage = "navigator.serviceWorker.register('/sw.js');";

// A site in a folder, its worker generated into another one. Resolves with the files that a server has then.
async function generate(site, options) {
  const folder = makeFolder('site');
  mkdirSync(join(folder, 'styles'));
  for (const [path, text] of Object.entries(site)) writeFileSync(join(folder, path), text);
  const target = makeFolder('generated');
  const { warnings, count } = await generateSW({ globDirectory: folder, globPatterns: ['**/*.{html,css,js}'], swDest: join(target, 'sw.js'), sourcemap: false, ...options });
  assert.deepEqual(warnings, []);
  const generated = readdirSync(target).map(name => [`/${name}`, readFileSync(join(target, name), 'utf8')]);
  return { count, files: { ...Object.fromEntries(Object.entries(site).map(([path, text]) => [`/${path}`, path.endsWith('.css') ? { body: text, type: 'text/css' } : text])), ...Object.fromEntries(generated) } };
}
const kSite = { 'index.html': page('one'), 'styles/main.css': 'body {}', 'page.js': kPage, 'offline.html': page('offline') };

for (const [mode, runtime] of [['production', 'beside it'], ['development', 'inside it']]) {
  test(`generateSW, ${mode}, with the runtime ${runtime}: precache, navigation fallback, runtime caching, background sync`, async t => {
    const { count, files } = await generate(kSite, {
      mode, inlineWorkboxRuntime: runtime === 'inside it', skipWaiting: true, clientsClaim: true, cleanupOutdatedCaches: true,
      navigateFallback: '/index.html', directoryIndex: 'index.html', ignoreURLParametersMatching: [/^utm_/],
      runtimeCaching: [
        { urlPattern: /\/api\/list/, handler: 'NetworkFirst', options: { cacheName: 'api', networkTimeoutSeconds: 10, expiration: { maxEntries: 5, maxAgeSeconds: 3600 }, cacheableResponse: { statuses: [0, 200] } } },
        { urlPattern: ({ url }) => url.pathname === '/api/send', handler: 'NetworkOnly', method: 'POST', options: { backgroundSync: { name: 'sends', options: { maxRetentionTime: 60 } } } },
      ],
    });
    assert.equal(count, 4);
    const sent = [];
    const app = await LibraryApp.start(t, { worker: '', files: { ...files, '/': kSite['index.html'], '/api/list': 'list', '/api/send': (request, response) => { sent.push(request.text); response.end('sent'); } } });
    assert.equal((await app.get('/api/list')).text, 'list');
    await app.network('offline');
    const deep = await app.open(app.url + 'some/deep/link');
    assert.equal(await app.inPage('return document.title', deep), 'one');
    assert.equal((await app.get('/styles/main.css')).text, 'body {}');
    assert.equal((await app.get('/offline.html?utm_source=x')).text, kSite['offline.html']);
    assert.equal((await app.get('/api/list')).text, 'list');
    assert.equal((await app.get('/api/send', { method: 'POST', body: 'kept' })).error, 'TypeError');
    await app.network('online');
    await app.untilSyncs('it is sent', syncs => syncs.length === 0);
    assert.deepEqual(sent, ['kept']);
  });
}

test('generateSW: a new build is found, replaces the old one, and its removed files go', async t => {
  const options = { mode: 'development', skipWaiting: true, clientsClaim: true, cleanupOutdatedCaches: true };
  const { files } = await generate(kSite, options);
  const app = await LibraryApp.start(t, { worker: '', files: { ...files, '/': kSite['index.html'] } });
  const { 'offline.html': _, ...rest } = kSite;
  const next = await generate({ ...rest, 'index.html': page('two') }, options);
  Object.assign(app.server.files, next.files);
  await app.inPage(`
    const controlled = new Promise(resolve => navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }));
    await (await navigator.serviceWorker.ready).update();
    await controlled;
    const { active } = await navigator.serviceWorker.ready;
    if (active.state !== 'activated') await new Promise(resolve => active.addEventListener('statechange', resolve, { once: true }));`);
  await app.network('offline');
  assert.equal((await app.get('/index.html')).text, page('two'));
  assert.equal((await app.get('/offline.html')).error, 'TypeError');
});

test('workbox-sw: modules are imported when they are first named', async t => {
  const modules = ['core', 'routing', 'strategies', 'precaching', 'expiration', 'cacheable-response'];
  const built = (name, file = `workbox-${name}.prod.js`) => readFileSync(join(kRoot, `node_modules/workbox-${name}/build/${file}`), 'utf8');
  const folder = makeFolder('site');
  writeFileSync(join(folder, 'index.html'), page('precached'));
  const { manifestEntries } = await getManifest({ globDirectory: folder, globPatterns: ['*.html'] });
  const app = await LibraryApp.start(t, { worker: '', files: {
    '/sw.js': `importScripts('/workbox/workbox-sw.js');
      workbox.setConfig({ debug: false, modulePathPrefix: '/workbox/' });
      const { registerRoute } = workbox.routing;
      const { StaleWhileRevalidate } = workbox.strategies;
      const { ExpirationPlugin } = workbox.expiration;
      workbox.precaching.precacheAndRoute(${JSON.stringify(manifestEntries)});
      registerRoute(/data/, new StaleWhileRevalidate({ cacheName: 'data', plugins: [new ExpirationPlugin({ maxEntries: 2 })] }));
      ${kTakeOver}`,
    '/workbox/workbox-sw.js': built('sw', 'workbox-sw.js'), ...Object.fromEntries(modules.map(name => [`/workbox/workbox-${name}.prod.js`, built(name)])),
    '/index.html': page('precached'), '/data': 'data',
  } });
  assert.deepEqual([...new Set(app.paths())].filter(path => path.startsWith('/workbox/')).sort(),
    ['core', 'expiration', 'precaching', 'routing', 'strategies'].map(name => `/workbox/workbox-${name}.prod.js`).concat('/workbox/workbox-sw.js').sort());
  await app.get('/data');
  await app.network('offline');
  assert.equal((await app.get('/index.html')).text, page('precached'));
  assert.equal((await app.get('/data')).text, 'data');
});
