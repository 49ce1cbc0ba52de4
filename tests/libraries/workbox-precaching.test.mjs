// workbox-precaching, workbox-routing and workbox-window 7.4.1.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kManual } from '../e2e/support/fixture.mjs';
import { LibraryApp, workerBundle } from '../e2e/support/library-app.mjs';

// A worker as `injectManifest` makes it: a list of files with their revisions.
const worker = manifest => `
import { cleanupOutdatedCaches, createHandlerBoundToURL, getCacheKeyForURL, matchPrecache, precacheAndRoute, PrecacheFallbackPlugin } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';
import { NetworkOnly } from 'workbox-strategies';
Object.assign(globalThis, { getCacheKeyForURL, matchPrecache });
precacheAndRoute(${JSON.stringify(manifest)});
cleanupOutdatedCaches();
registerRoute(new NavigationRoute(createHandlerBoundToURL('/index.html'), { denylist: [/^\\/api/] }));
registerRoute(({ url }) => url.pathname.startsWith('/image/'), new NetworkOnly({ plugins: [new PrecacheFallbackPlugin({ fallbackURL: '/fallback.svg?v=1' })] }));
addEventListener('message', event => { if (event.data.type === 'SKIP_WAITING') skipWaiting(); });`;
const page = text => `<!doctype html><link rel="manifest" href="manifest.webmanifest"><title>${text}</title><script src="page.js"></script>`;
const manifest = (index, style) => [{ url: '/index.html', revision: index }, { url: '/style.css', revision: style }, { url: '/app.0a1b.js', revision: null }, '/fallback.svg?v=1', '/page.js'];
const files = index => ({
  '/index.html': page(index), '/style.css': { body: `/* ${index} */`, type: 'text/css' }, '/app.0a1b.js': '// app', '/fallback.svg': { body: '<svg/>', type: 'image/svg+xml' },
});
const start = t => LibraryApp.start(t, { worker: worker(manifest('one', 's1')), files: files('one') });
const cached = (app, body = '') => app.run(`${body}
  const cache = await caches.open((await caches.keys()).find(name => name.startsWith('workbox-precache')));
  return (await cache.keys()).map(({ url }) => url.slice(location.origin.length)).sort();`);

test('workbox-precaching: installs each file once and serves it, and navigations, without a network', async t => {
  const app = await start(t);
  assert.deepEqual(await cached(app),
    ['/app.0a1b.js', '/fallback.svg?v=1', '/index.html?__WB_REVISION__=one', '/page.js', '/style.css?__WB_REVISION__=s1']);
  await app.network('offline');
  const asked = app.server.log.length;
  for (const [path, title] of [['', 'one'], ['index.html', 'one'], ['?utm_source=mail', 'one'], ['deep/link', 'one']]) {
    const { page } = await app.vigil.json('page', 'open', app.url + path, '--keep');
    assert.equal(await app.inPage('return document.title', page.id), title, path);
    assert.equal(await app.inPage('return Boolean(navigator.serviceWorker.controller)', page.id), true);
    if (path === 'deep/link') app.page = page.id;
    else await app.vigil.call('page', 'close', page.id);
  }
  assert.equal((await app.vigil.run('page', 'open', app.url + 'api/none')).status, 1);
  assert.equal((await app.get('/style.css')).text, '/* one */');
  assert.equal((await app.get('/image/lost.png')).text, '<svg/>');
  assert.equal(await app.run('return (await matchPrecache("/style.css")).text()'), '/* one */');
  assert.equal(await app.run('return getCacheKeyForURL("/index.html").slice(location.origin.length)'), '/index.html?__WB_REVISION__=one');
  assert.equal(app.server.log.length, asked);
});

test('workbox-precaching: an update fetches what changed, waits, and removes the old when it takes over', async t => {
  const app = await start(t);
  Object.assign(app.server.files, files('two'));
  const asked = app.server.log.length;
  await app.update(await workerBundle(worker(manifest('two', 's1'))));
  assert.deepEqual(app.paths(asked).filter(path => path !== '/sw.js'), ['/index.html']);
  assert.equal((await app.get('/index.html')).text, page('one'));
  assert.equal(await app.inPage(`
    const { waiting } = await navigator.serviceWorker.ready;
    waiting.postMessage({ type: 'SKIP_WAITING' });
    await new Promise(resolve => waiting.addEventListener('statechange', () => waiting.state === 'activated' && resolve()));
    return waiting.state`), 'activated');
  assert.deepEqual((await cached(app)).filter(path => path.startsWith('/index')), ['/index.html?__WB_REVISION__=two']);
  await app.network('offline');
  assert.equal((await app.get('/index.html')).text, page('two'));
});

test('workbox-precaching: a file that is missing fails the installation, and the old worker goes on', async t => {
  const app = await start(t);
  delete app.server.files['/app.0a1b.js'];
  const next = manifest('two', 's2').map(entry => (entry.url === '/app.0a1b.js' ? { url: '/app.9z9z.js', revision: null } : entry));
  await assert.rejects(app.update(await workerBundle(worker(next))), /was not installed/);
  await app.network('offline');
  assert.equal((await app.get('/index.html')).text, page('one'));
});

test('workbox-window: a page registers, hears that an update waits, and has it take over', async t => {
  const app = await LibraryApp.start(t, {
    worker: worker(manifest('one', 's1')), files: files('one'), options: kManual,  // it waits 200 ms before it says so
    page: `import { Workbox, messageSW } from 'workbox-window';
      globalThis.wb = new Workbox('/sw.js');
      globalThis.heard = [];
      for (const type of ['installed', 'waiting', 'activated', 'controlling']) wb.addEventListener(type, ({ isUpdate }) => heard.push([type, Boolean(isUpdate)]));
      globalThis.registered = wb.register({ immediate: true });`,
  });
  await app.inPage('await registered; await wb.active');
  app.server.files['/sw.js'] = await workerBundle(worker(manifest('two', 's1')));
  assert.deepEqual(await app.inPage(`
    const waits = new Promise(resolve => wb.addEventListener('waiting', resolve, { once: true }));
    const takesOver = ['controlling', 'activated'].map(type => new Promise(resolve => wb.addEventListener(type, resolve, { once: true })));
    await wb.update();
    await waits;
    wb.messageSkipWaiting();
    await Promise.all(takesOver);
    return heard.filter(([, isUpdate]) => isUpdate).map(([type]) => type)`), ['installed', 'waiting', 'controlling', 'activated']);
});
