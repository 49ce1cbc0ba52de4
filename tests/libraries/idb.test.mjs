// idb 8 and idb-keyval 6 in a worker.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kTakeOver, LibraryApp } from '../e2e/support/library-app.mjs';

const start = (t, worker) => LibraryApp.start(t, { worker: worker + kTakeOver });

test('idb: schemas are upgraded version by version, and another connection learns that it is in the way', async t => {
  const app = await start(t, `import * as idb from 'idb'; globalThis.idb = idb;`);
  assert.deepEqual(await app.run(`
    const seen = [];
    const one = await idb.openDB('shop', 1, {
      upgrade(db, from) { seen.push(['upgrade', from, db.version]); db.createObjectStore('orders', { keyPath: 'id', autoIncrement: true }); },
      blocking(current, blocked, event) { seen.push(['blocking', current, blocked]); event.target.close(); },
    });
    await one.add('orders', { customer: 'ann', total: 5 });
    const two = await idb.openDB('shop', 3, {
      upgrade(db, from, to, transaction) {
        seen.push(['upgrade', from, to]);
        transaction.objectStore('orders').createIndex('customer', 'customer');
        db.createObjectStore('notes');
      },
      blocked(current, blocked) { seen.push(['blocked', current, blocked]); },
    });
    const names = [...two.objectStoreNames];
    const found = await two.getAllFromIndex('orders', 'customer', 'ann');
    two.close();
    const older = await idb.openDB('shop', 2).catch(error => error.name);
    await idb.deleteDB('shop');
    return { seen, names, found, older, left: (await indexedDB.databases()).map(each => each.name) };`), {
    seen: [['upgrade', 0, 1], ['blocking', 1, 3], ['upgrade', 1, 3]],
    names: ['notes', 'orders'], found: [{ customer: 'ann', total: 5, id: 1 }], older: 'VersionError', left: [],
  });
});

test('idb: shortcuts, ranges, cursors as async iterators, and transactions that end or are undone as one', async t => {
  const app = await start(t, `import * as idb from 'idb'; globalThis.idb = idb;`);
  assert.deepEqual(await app.run(`
    const db = await idb.openDB('books', 1, { upgrade(db) {
      const books = db.createObjectStore('books', { keyPath: 'isbn' });
      books.createIndex('tags', 'tags', { multiEntry: true });
      books.createIndex('title', 'title', { unique: true });
    } });
    const fill = db.transaction('books', 'readwrite');
    await Promise.all([
      fill.store.put({ isbn: 1, title: 'A', tags: ['red', 'blue'] }),
      fill.store.put({ isbn: 2, title: 'B', tags: ['blue'] }),
      fill.store.put({ isbn: 3, title: 'C', tags: [] }),
      fill.done,
    ]);
    const walked = [];
    for await (const cursor of db.transaction('books').store.index('tags').iterate('blue')) walked.push([cursor.primaryKey, cursor.value.title]);
    const edit = db.transaction('books', 'readwrite');
    for await (const cursor of edit.store) {
      if (cursor.key === 3) await cursor.delete();
      else await cursor.update({ ...cursor.value, title: cursor.value.title.toLowerCase() });
    }
    await edit.done;
    const undone = db.transaction('books', 'readwrite');
    const outcome = await Promise.allSettled([undone.store.put({ isbn: 9, title: 'Z', tags: [] }), undone.store.add({ isbn: 1, title: 'again' }), undone.done]);
    return {
      walked, keys: await db.getAllKeys('books'), titles: (await db.getAll('books')).map(book => book.title),
      range: await db.getAllKeysFromIndex('books', 'title', IDBKeyRange.bound('a', 'b', false, true)), count: await db.countFromIndex('books', 'tags', 'blue'),
      outcome: outcome.map(each => each.reason?.name ?? each.status),
    };`), {
    walked: [[1, 'A'], [2, 'B']], keys: [1, 2], titles: ['a', 'b'], range: [1], count: 2,
    outcome: ['fulfilled', 'ConstraintError', 'AbortError'],
  });
});

test('idb-keyval: values of every kind are kept over a restart of the worker', async t => {
  const app = await start(t, `import * as keyval from 'idb-keyval'; globalThis.keyval = keyval;`);
  await app.run(`
    await keyval.set('date', new Date(5));
    await keyval.setMany([['map', new Map([['a', new Set([1])]])], ['bytes', new Uint8Array([1, 2])], ['blob', new Blob(['text'], { type: 'text/x' })]]);
    await Promise.all(Array.from({ length: 20 }, () => keyval.update('count', (n = 0) => n + 1)));
    await keyval.set('own', 1, keyval.createStore('own-db', 'own-store'));`);
  await app.vigil.call('worker', 'stop', app.url);
  assert.deepEqual(await app.run(`
    const [date, map, bytes, blob] = await keyval.getMany(['date', 'map', 'bytes', 'blob']);
    const own = keyval.createStore('own-db', 'own-store');
    const result = { time: date.getTime(), set: [...map.get('a')], bytes: [...bytes], blob: [blob.type, await blob.text()], count: await keyval.get('count'),
      keys: await keyval.keys(), own: await keyval.entries(own) };
    await keyval.delMany(['date', 'map']);
    result.left = (await keyval.keys()).length;
    await keyval.clear();
    result.end = await keyval.values();
    return result;`), {
    time: 5, set: [1], bytes: [1, 2], blob: ['text/x', 'text'], count: 20, keys: ['blob', 'bytes', 'count', 'date', 'map'], own: [['own', 1]], left: 3, end: [],
  });
});
