// @angular/service-worker 22: its ngsw-worker.js as it is shipped, and manifests made by its own generator.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Generator } from '@angular/service-worker/config';
import { LibraryApp } from '../e2e/support/library-app.mjs';
import { kRoot } from '../e2e/support/processes.mjs';

const shipped = name => readFileSync(join(kRoot, 'node_modules/@angular/service-worker', name), 'utf8');
const kConfig = {
  index: '/index.html',
  assetGroups: [
    { name: 'app', installMode: 'prefetch', resources: { files: ['/index.html', '/main.js', '/page.js'] } },
    { name: 'assets', installMode: 'lazy', updateMode: 'prefetch', resources: { files: ['/logo.svg'], urls: ['/fonts/**'] } },
  ],
  dataGroups: [
    { name: 'fresh', urls: ['/api/fresh'], cacheConfig: { strategy: 'freshness', maxSize: 5, maxAge: '1h', timeout: '2s' } },
    { name: 'fast', urls: ['/api/fast/**'], cacheConfig: { strategy: 'performance', maxSize: 2, maxAge: '1d' } },
  ],
};
const kPage = `
globalThis.heard = [];
navigator.serviceWorker.addEventListener('message', ({ data }) => heard.push(data));
globalThis.hears = async type => {
  for (;;) {
    const found = heard.find(data => data.type === type);
    if (found) { heard.splice(heard.indexOf(found), 1); return found; }
    await new Promise(resolve => navigator.serviceWorker.addEventListener('message', resolve, { once: true }));
  }
};
globalThis.ask = async action => {
  const nonce = Math.floor(Math.random() * 1e9);
  (await navigator.serviceWorker.ready).active.postMessage({ action, nonce });
  for (;;) {
    const answer = await hears('OPERATION_COMPLETED');
    if (answer.nonce === nonce) return answer.error ?? answer.result;
  }
};`;

// The files of a version of the app, with the manifest that Angular's build would write for them.
async function version(name, script) {
  const files = {
    '/index.html': `<!doctype html><link rel="manifest" href="manifest.webmanifest"><title>${name}</title><script src="page.js"></script>`,
    '/main.js': `// ${name}`, '/logo.svg': { body: `<svg id="${name}"/>`, type: 'image/svg+xml' }, '/page.js': script,
  };
  const text = path => files[path].body ?? files[path];
  const system = { list: async () => Object.keys(files), read: async path => text(path), hash: async path => createHash('sha1').update(text(path)).digest('hex') };
  const manifest = await new Generator(system, '/').process({ ...kConfig, appData: { name } });
  return { ...files, '/': files['/index.html'], '/ngsw.json': JSON.stringify(manifest) };
}

async function start(t) {
  const script = await LibraryApp.pageBundle(kPage);
  const app = await LibraryApp.start(t, { worker: '', files: { ...await version('one', script), '/sw.js': shipped('ngsw-worker.js') } });
  // What the worker loads when it is told to begin is loaded once it answers.
  await app.inPage("return ask('CHECK_FOR_UPDATES')");
  return { app, publish: async name => Object.assign(app.server.files, await version(name, script)) };
}
const state = async app => (await app.get('/ngsw/state')).text;

test('ngsw: prefetches what its manifest lists, serves it and navigations offline, and tells its state', async t => {
  const { app } = await start(t);
  assert.match(await state(app), /Driver state: NORMAL/);
  assert.equal((await app.get('/logo.svg')).text, '<svg id="one"/>');
  await app.network('offline');
  const deep = await app.open(app.url + 'orders/17');
  assert.equal(await app.inPage('return document.title', deep), 'one');
  assert.equal((await app.get('/main.js')).text, '// one');
  assert.equal((await app.get('/logo.svg')).text, '<svg id="one"/>');
  assert.equal((await app.get('/fonts/none.woff2')).error, 'TypeError');
});

test('ngsw: data groups: fresh ones ask the network first and give up in time, fast ones are kept for a day', async t => {
  const { app } = await start(t);
  Object.assign(app.server.files, { '/api/fresh': 'fresh 1', '/api/fast/a': 'a 1', '/api/fast/b': 'b 1', '/api/fast/c': 'c 1' });
  assert.deepEqual([(await app.get('/api/fresh')).text, (await app.get('/api/fast/a')).text], ['fresh 1', 'a 1']);
  Object.assign(app.server.files, { '/api/fresh': 'fresh 2', '/api/fast/a': 'a 2' });
  assert.deepEqual([(await app.get('/api/fresh')).text, (await app.get('/api/fast/a')).text], ['fresh 2', 'a 1']);
  await app.network('offline');
  assert.equal((await app.get('/api/fresh')).text, 'fresh 2');
  await app.network('online');
  await app.advance('25h');
  assert.equal((await app.get('/api/fast/a')).text, 'a 2');
  for (const name of ['b', 'c']) await app.get(`/api/fast/${name}`);
  await app.network('offline');
  assert.deepEqual([(await app.get('/api/fast/a')).error, (await app.get('/api/fast/c')).text], ['TypeError', 'c 1']);
});

test('ngsw: a new manifest is found, loaded, announced to pages, and taken by those that ask for it', async t => {
  const { app, publish } = await start(t);
  assert.equal(await app.inPage("return ask('CHECK_FOR_UPDATES')"), false);
  await publish('two');
  assert.equal(await app.inPage("return ask('CHECK_FOR_UPDATES')"), true);
  assert.deepEqual(await app.inPage(`
    const [{ version }, { currentVersion, latestVersion }] = [await hears('VERSION_DETECTED'), await hears('VERSION_READY')];
    return [version.appData, currentVersion.appData, latestVersion.appData]`), [{ name: 'two' }, { name: 'one' }, { name: 'two' }]);
  assert.equal((await app.get('/main.js')).text, '// one');
  await app.network('offline');
  assert.equal(await app.inPage("return ask('ACTIVATE_UPDATE')"), true);
  assert.equal((await app.get('/main.js')).text, '// two');
  assert.equal(await app.inPage('return document.title', await app.open(app.url)), 'two');
});

test('ngsw: a version whose files do not match their hashes is not taken', async t => {
  const { app, publish } = await start(t);
  await publish('two');
  app.server.files['/main.js'] = '// something else';
  assert.equal(await app.inPage("return ask('CHECK_FOR_UPDATES')"), false);
  assert.match((await app.inPage("return hears('VERSION_INSTALLATION_FAILED')")).error, /Hash mismatch/);
  assert.equal((await app.get('/main.js')).text, '// one');
  assert.match(await state(app), /EXISTING_CLIENTS_ONLY \(Degraded due to failed initialization: Hash mismatch/);
});

test('ngsw: a page whose version can be had nowhere any more is told so', async t => {
  const { app } = await start(t);
  await app.inPage(`for (const name of await caches.keys()) if (name.endsWith(':cache')) await (await caches.open(name)).delete('/main.js')`);
  delete app.server.files['/main.js'];
  assert.equal((await app.get('/main.js')).status, 404);
  assert.match((await app.inPage("return hears('UNRECOVERABLE_STATE')")).reason, /main\.js/);
  assert.match(await state(app), /Driver state: EXISTING_CLIENTS_ONLY/);
});

test('ngsw: without a manifest it removes itself, and so does the safety worker', async t => {
  const { app } = await start(t);
  delete app.server.files['/ngsw.json'];
  assert.equal(await app.inPage("return ask('CHECK_FOR_UPDATES')"), false);
  assert.deepEqual(await app.inPage("return [(await caches.keys()).length, (await navigator.serviceWorker.getRegistrations()).length]"), [0, 0]);

  const other = await start(t);
  await other.app.update(shipped('safety-worker.js'));
  await other.app.advance('10s');  // the old one's events end when it is idle
  assert.deepEqual(await other.app.inPage('return caches.keys()'), []);
  assert.deepEqual(await other.app.vigil.json('worker', 'list'), []);
});

test('ngsw: a clicked notification opens the page that it names', async t => {
  const { app } = await start(t);
  await app.vigil.call('permission', app.url, 'notifications', 'allow');
  await app.inPage(`
    await (await navigator.serviceWorker.ready).showNotification('Order 17', {
      data: { onActionClick: { default: { operation: 'openWindow', url: '/orders/17' } } } })`);
  const [{ id }] = await app.vigil.json('notifications', app.url);
  await app.vigil.call('notifications', '--click', id);
  assert.equal((await app.inPage("return hears('NOTIFICATION_CLICK')")).data.notification.title, 'Order 17');
  assert.ok((await app.vigil.json('page', 'list')).some(page => page.url === app.url + 'orders/17'));
});
