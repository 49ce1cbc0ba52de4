// Dexie 4 in a worker and a page.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kTakeOver, LibraryApp } from '../e2e/support/library-app.mjs';

const kSetup = `
import { Dexie, liveQuery } from 'dexie';
Object.assign(globalThis, { Dexie, liveQuery });`;
const start = t => LibraryApp.start(t, { worker: kSetup + kTakeOver, page: kSetup });

test('dexie: upgrades run over the stored rows, and a schema is read back without being declared', async t => {
  const app = await start(t);
  assert.deepEqual(await app.run(`
    const old = new Dexie('people');
    old.version(1).stores({ friends: '++id, name' });
    await old.friends.bulkAdd([{ name: 'Ann Lee' }, { name: 'Bo Ray' }]);
    old.close();
    const db = new Dexie('people');
    db.version(1).stores({ friends: '++id, name' });
    db.version(2).stores({ friends: '++id, &first, *tags, [first+last]' }).upgrade(transaction => transaction.table('friends').toCollection().modify(friend => {
      [friend.first, friend.last] = friend.name.split(' ');
      friend.tags = ['old'];
      delete friend.name;
    }));
    const rows = await db.friends.toArray();
    const compound = await db.friends.where({ first: 'Bo', last: 'Ray' }).primaryKeys();
    db.close();
    const dynamic = await new Dexie('people').open();
    return { rows, compound, version: dynamic.verno, indexes: dynamic.table('friends').schema.indexes.map(index => index.src) };`), {
    rows: [{ id: 1, first: 'Ann', last: 'Lee', tags: ['old'] }, { id: 2, first: 'Bo', last: 'Ray', tags: ['old'] }],
    compound: [2], version: 2, indexes: ['[first+last]', '&first', '*tags'],
  });
});

test('dexie: where clauses, collections and transactions', async t => {
  const app = await start(t);
  assert.deepEqual(await app.run(`
    const db = new Dexie('shop');
    db.version(1).stores({ items: 'id, name, price, *tags', log: '++' });
    await db.items.bulkPut(Array.from({ length: 50 }, (_, i) => ({ id: i, name: (i % 2 ? 'Apple' : 'banana') + i, price: i * 10, tags: ['t' + i % 3, 'all'] })));
    const failed = await db.transaction('rw', db.items, db.log, async () => {
      await db.items.update(1, { price: 1 });
      await db.log.add({ what: 'changed' });
      throw new RangeError('undo');
    }).catch(error => error.name);
    const nested = await db.transaction('rw', db.items, db.log, () => db.transaction('rw', db.log, async () => {
      await db.log.add({ what: 'inner' });
      await Dexie.waitFor(new Promise(resolve => queueMicrotask(resolve)));
      return db.log.count();
    }));
    const bulk = await db.items.bulkAdd([{ id: 100, name: 'new', price: 0, tags: [] }, { id: 1, name: 'twice' }]).catch(error => [error.name, error.failures.length]);
    return {
      failed, price: (await db.items.get(1)).price, nested, bulk,
      between: await db.items.where('price').between(100, 130, true, true).primaryKeys(),
      ignoring: await db.items.where('name').startsWithIgnoreCase('APPLE1').primaryKeys(),
      anyOf: await db.items.where('id').anyOf(3, 7, 999).keys(),
      or: await db.items.where('id').below(2).or('price').above(480).sortBy('id').then(items => items.map(item => item.id)),
      distinct: await db.items.where('tags').startsWith('t').distinct().count(),
      unique: await db.items.orderBy('tags').uniqueKeys(),
      page: await db.items.orderBy('price').reverse().offset(5).limit(3).primaryKeys(),
      removed: await db.items.where('id').noneOf([1, 2, 3]).delete(),
      left: await db.items.count(),
    };`), {
    failed: 'RangeError', price: 10, nested: 1, bulk: ['BulkError', 1],
    between: [10, 11, 12, 13], ignoring: [1, 11, 13, 15, 17, 19], anyOf: [3, 7], or: [0, 1, 49], distinct: 50, unique: ['all', 't0', 't1', 't2'],
    page: [44, 43, 42], removed: 48, left: 3,
  });
});

test('dexie: a live query of a page follows what the worker writes', async t => {
  const app = await start(t);
  await app.inPage(`
    globalThis.db = new Dexie('live');
    db.version(1).stores({ todos: '++id, done' });
    globalThis.seen = [];
    liveQuery(() => db.todos.where('done').equals(0).count()).subscribe(count => seen.push(count));
    await db.todos.add({ text: 'mine', done: 0 });`);
  await app.run(`
    globalThis.db = new Dexie('live');
    db.version(1).stores({ todos: '++id, done' });
    await db.todos.add({ text: 'one', done: 0 });`);
  await app.advance('1s');
  assert.equal(await app.inPage('return seen.at(-1)'), 2);
  await app.run("await db.todos.where('done').equals(0).modify({ done: 1 })");
  await app.advance('1s');
  assert.equal(await app.inPage('return seen.at(-1)'), 0);
});

test('dexie: hooks and middleware see every change', async t => {
  const app = await start(t);
  assert.deepEqual(await app.run(`
    const db = new Dexie('hooked');
    db.version(1).stores({ rows: 'id' });
    const seen = [];
    db.rows.hook('creating', (key, row) => { seen.push(['creating', key]); row.made = true; });
    db.rows.hook('updating', (changes, key) => { seen.push(['updating', key, changes]); return { touched: 1 }; });
    db.rows.hook('deleting', key => { seen.push(['deleting', key]); });
    db.use({ stack: 'dbcore', name: 'counting', create: core => ({ ...core, table: name => ({ ...core.table(name), mutate: request => { seen.push(['mutate', request.type]); return core.table(name).mutate(request); } }) }) });
    await db.rows.add({ id: 1 });
    await db.rows.update(1, { a: 2 });
    const row = await db.rows.get(1);
    await db.rows.delete(1);
    return { seen, row };`), {
    seen: [['mutate', 'add'], ['creating', 1], ['mutate', 'put'], ['updating', 1, { a: 2 }], ['mutate', 'delete'], ['deleting', 1]],
    row: { id: 1, made: true, a: 2, touched: 1 },
  });
});
