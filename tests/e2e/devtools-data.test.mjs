// What an app has stored, as developer tools see it: IndexedDB, Cache storage, usage; and what they may do with it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimalApp } from './support/app-server.mjs';
import { Cdp, devtoolsAddress, list } from './support/cdp.mjs';
import { kManual, startFiles, startVigil } from './support/fixture.mjs';

const kFill = `
await new Promise((resolve, reject) => {
  const request = indexedDB.open('shop', 3);
  request.onupgradeneeded = () => {
    const sales = request.result.createObjectStore('sales', { keyPath: 'id' });
    sales.createIndex('by-till', ['till', 'at'], { unique: true });
    request.result.createObjectStore('log', { autoIncrement: true });
    for (let id = 1; id <= 25; ++id) sales.put({ id, till: 'T' + id % 2, at: id, items: [{ name: 'Tea', price: 2.5 }] });
  };
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const { result: db } = request;
    const transaction = db.transaction('log', 'readwrite');
    transaction.objectStore('log').add('first');
    transaction.objectStore('log').add(new Date(0));
    transaction.oncomplete = () => { db.close(); resolve(); };
  };
});
const cache = await caches.open('pages');
await cache.put('/one', new Response('<p>One</p>', { headers: { 'Content-Type': 'text/html' } }));
await cache.put('/two', new Response('Zwei', { status: 203 }));
return 'filled';
`;

async function start(t, worker = "self.addEventListener('sync', () => {});") {
  const vigil = await startVigil(t, [...kManual, '--devtools', '127.0.0.1:0']);
  const app = await startFiles(t, minimalApp(worker));
  await vigil.call('install', app.url);
  assert.equal(await vigil.valueInPage(app.url, `(async () => {${kFill}})()`), 'filled');
  const target = (await list(devtoolsAddress(vigil))).find(one => one.type === 'page');
  const cdp = await Cdp.connect(target.webSocketDebuggerUrl);
  t.after(() => cdp.close());
  return { vigil, app, cdp, storageKey: app.url };
}

test('databases, their stores and their records are shown', async t => {
  const { cdp, storageKey } = await start(t);
  await cdp.call('IndexedDB.enable');
  assert.deepEqual(await cdp.call('IndexedDB.requestDatabaseNames', { storageKey }), { databaseNames: ['shop'] });
  const { databaseWithObjectStores: shop } = await cdp.call('IndexedDB.requestDatabase', { storageKey, databaseName: 'shop' });
  assert.deepEqual(shop, {
    name: 'shop',
    version: 3,
    objectStores: [
      { name: 'log', keyPath: { type: 'null' }, autoIncrement: true, indexes: [] },
      {
        name: 'sales', keyPath: { type: 'string', string: 'id' }, autoIncrement: false,
        indexes: [{ name: 'by-till', keyPath: { type: 'array', array: ['till', 'at'] }, unique: true, multiEntry: false }],
      },
    ],
  });
  const ask = { storageKey, databaseName: 'shop', objectStoreName: 'sales', indexName: '', skipCount: 20, pageSize: 3 };
  const page = await cdp.call('IndexedDB.requestData', ask);
  assert.equal(page.hasMore, true);
  assert.deepEqual(page.objectStoreDataEntries.map(({ key }) => key.value), [21, 22, 23]);
  const { value } = page.objectStoreDataEntries[0];
  assert.equal(value.type, 'object');
  assert.ok(value.preview.properties.some(({ name, value: text }) => name === 'till' && text === 'T1'));
  // A front end opens it.
  const { result } = await cdp.call('Runtime.getProperties', { objectId: value.objectId, ownProperties: true, generatePreview: true });
  assert.deepEqual(result.find(({ name }) => name === 'items').value.className, 'Array');
  const last = await cdp.call('IndexedDB.requestData', { ...ask, skipCount: 23 });
  assert.equal(last.objectStoreDataEntries.length, 2);
  assert.equal(last.hasMore, false);
  const byTill = await cdp.call('IndexedDB.requestData', { ...ask, indexName: 'by-till', skipCount: 0,
    keyRange: { lower: { type: 'array', array: [{ type: 'string', string: 'T1' }, { type: 'number', number: 0 }] }, lowerOpen: false, upperOpen: false } });
  assert.deepEqual(byTill.objectStoreDataEntries.map(({ primaryKey }) => primaryKey.value), [1, 3, 5]);
  assert.deepEqual(await cdp.call('IndexedDB.getMetadata', { storageKey, databaseName: 'shop', objectStoreName: 'log' }),
    { entriesCount: 2, keyGeneratorValue: 3 });
});

test('records, stores and databases are deleted as their rules say', async t => {
  const { vigil, app, cdp, storageKey } = await start(t);
  const store = { storageKey, databaseName: 'shop', objectStoreName: 'sales' };
  const key = number => ({ type: 'number', number });
  await cdp.call('IndexedDB.deleteObjectStoreEntries', { ...store, keyRange: { lower: key(3), upper: key(25), lowerOpen: false, upperOpen: false } });
  assert.equal((await cdp.call('IndexedDB.getMetadata', store)).entriesCount, 2);
  await cdp.call('IndexedDB.clearObjectStore', store);
  assert.equal((await cdp.call('IndexedDB.getMetadata', store)).entriesCount, 0);
  // A page that keeps its connection keeps the database.
  const page = await vigil.json('page', 'open', app.url, '--keep', '--eval',
    "await new Promise(resolve => { const request = indexedDB.open('shop'); request.onsuccess = () => { globalThis.kept = request.result; resolve(); }; })");
  const blocked = await cdp.ask('IndexedDB.deleteDatabase', { storageKey, databaseName: 'shop' });
  assert.match(blocked.error.message, /does not close/);
  await vigil.call('page', 'close', page.page?.id ?? page.id);
  await cdp.call('IndexedDB.deleteDatabase', { storageKey, databaseName: 'shop' });
  assert.deepEqual(await cdp.call('IndexedDB.requestDatabaseNames', { storageKey }), { databaseNames: [] });
  const gone = await cdp.ask('IndexedDB.requestDatabase', { storageKey, databaseName: 'shop' });
  assert.match(gone.error.message, /no such database/);
});

test('caches and their responses are shown and deleted', async t => {
  const { app, cdp, storageKey } = await start(t);
  const { caches } = await cdp.call('CacheStorage.requestCacheNames', { storageKey });
  const { cacheId } = caches[0];
  assert.deepEqual(caches, [{ cacheId, securityOrigin: new URL(app.url).origin, storageKey, cacheName: 'pages' }]);
  const all = await cdp.call('CacheStorage.requestEntries', { cacheId, skipCount: 0, pageSize: 10 });
  assert.equal(all.returnCount, 2);
  assert.deepEqual(all.cacheDataEntries.map(entry => [entry.requestMethod, entry.requestURL, entry.responseStatus, entry.responseType]),
    [['GET', app.url + 'one', 200, 'default'], ['GET', app.url + 'two', 203, 'default']]);
  assert.deepEqual(all.cacheDataEntries[0].responseHeaders, [{ name: 'content-type', value: 'text/html' }]);
  const two = await cdp.call('CacheStorage.requestEntries', { cacheId, pathFilter: 'two' });
  assert.equal(two.returnCount, 1);
  const { response } = await cdp.call('CacheStorage.requestCachedResponse', { cacheId, requestURL: app.url + 'one', requestHeaders: [] });
  assert.equal(Buffer.from(response.body, 'base64').toString(), '<p>One</p>');
  await cdp.call('CacheStorage.deleteEntry', { cacheId, request: app.url + 'one' });
  assert.equal((await cdp.call('CacheStorage.requestEntries', { cacheId })).returnCount, 1);
  await cdp.call('CacheStorage.deleteCache', { cacheId });
  assert.deepEqual(await cdp.call('CacheStorage.requestCacheNames', { storageKey }), { caches: [] });
});

test('usage is told, and an origin is cleared as a whole', async t => {
  const { vigil, app, cdp, storageKey } = await start(t);
  const { origin } = new URL(app.url);
  const { usage, quota, usageBreakdown } = await cdp.call('Storage.getUsageAndQuota', { origin });
  assert.ok(usage > 0 && quota > usage);
  assert.ok(usageBreakdown.find(({ storageType }) => storageType === 'indexeddb').usage > 0);
  assert.equal((await cdp.call('Storage.getStorageKey')).storageKey, storageKey);
  // What was not named is not deleted.
  for (const storageTypes of ['service_workers', 'cookies,service_workers', 'cache_storage', '']) {
    assert.match((await cdp.ask('Storage.clearDataForStorageKey', { storageKey, storageTypes })).error.message, /Nothing was cleared/);
  }
  assert.ok((await vigil.json('storage', app.url)).indexed_db_bytes > 0);
  assert.equal((await vigil.json('worker', 'list')).length, 1);
  await cdp.call('Storage.clearDataForStorageKey', { storageKey, storageTypes: 'cookies,indexeddb,local_storage,service_workers,cache_storage' });
  assert.equal((await vigil.json('storage', app.url)).indexed_db_bytes, 0);
  // There is no worker to ask any more, and the answer says so.
  const none = await cdp.ask('IndexedDB.requestDatabaseNames', { storageKey });
  assert.match(none.error.message, /no active service worker/);
});

test('a worker that does not speak the truth hurts nobody but itself', async t => {
  const { cdp, storageKey } = await start(t, `
    indexedDB.databases = () => Promise.resolve([{ get name() { throw new Error('caught'); } }]);
    Object.prototype.toJSON = () => { throw new Error('no'); };
    Array.prototype.map = () => 'mapped';`);
  const names = await cdp.ask('IndexedDB.requestDatabaseNames', { storageKey });
  assert.ok('result' in names || 'error' in names);
  const data = await cdp.ask('IndexedDB.requestData', { storageKey, databaseName: 'shop', objectStoreName: 'sales', indexName: '', skipCount: 0, pageSize: 5 });
  assert.ok('result' in data || 'error' in data);
  assert.deepEqual(await cdp.call('Page.enable'), {});
});
