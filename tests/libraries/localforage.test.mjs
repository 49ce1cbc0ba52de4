// localForage 1.10 in a worker.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kTakeOver, LibraryApp } from '../e2e/support/library-app.mjs';

test('localforage: takes IndexedDB, keeps values of every kind over a restart, and has instances of its own', async t => {
  const app = await LibraryApp.start(t, { worker: `import localforage from 'localforage'; globalThis.localforage = localforage;` + kTakeOver });
  assert.deepEqual(await app.run(`
    await localforage.ready();
    const other = localforage.createInstance({ name: 'other', storeName: 'things' });
    await localforage.setItem('object', { a: [1, { b: null }] });
    await localforage.setItem('bytes', new Float32Array([1.5, -2]));
    await localforage.setItem('blob', new Blob(['hello'], { type: 'text/plain' }));
    await localforage.setItem('nothing', undefined);
    await other.setItem('object', 'of the other');
    return { driver: localforage.driver() === localforage.INDEXEDDB, nothing: await localforage.getItem('nothing'), length: await localforage.length() };`),
  { driver: true, nothing: null, length: 4 });
  await app.vigil.call('worker', 'stop', app.url);
  assert.deepEqual(await app.run(`
    const other = localforage.createInstance({ name: 'other', storeName: 'things' });
    const walked = [];
    await localforage.iterate((value, key, number) => { walked.push([number, key]); });
    const first = await localforage.iterate((value, key) => key);
    const blob = await localforage.getItem('blob');
    const result = { object: await localforage.getItem('object'), bytes: [...await localforage.getItem('bytes')], text: await blob.text(), walked, first,
      key: await localforage.key(1), other: await other.getItem('object') };
    await localforage.removeItem('bytes');
    result.keys = await localforage.keys();
    await other.clear();
    result.cleared = await other.length();
    await localforage.dropInstance({ name: 'other' });
    result.databases = (await indexedDB.databases()).map(each => each.name);
    return result;`), {
    object: { a: [1, { b: null }] }, bytes: [1.5, -2], text: 'hello', walked: [[1, 'blob'], [2, 'bytes'], [3, 'nothing'], [4, 'object']], first: 'blob',
    key: 'bytes', other: 'of the other', keys: ['blob', 'nothing', 'object'], cleared: 0, databases: ['localforage'],
  });
});
