// RxDB 17 in a worker, on its Dexie storage.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kTakeOver, LibraryApp } from '../e2e/support/library-app.mjs';

const kWorker = `
import { addRxPlugin, createRxDatabase, removeRxDatabase } from 'rxdb';
import { RxDBMigrationSchemaPlugin } from 'rxdb/plugins/migration-schema';
import { RxDBUpdatePlugin } from 'rxdb/plugins/update';
import { replicateRxCollection } from 'rxdb/plugins/replication';
import { getRxStorageDexie } from 'rxdb/plugins/storage-dexie';
addRxPlugin(RxDBMigrationSchemaPlugin);
addRxPlugin(RxDBUpdatePlugin);
const schema = (version, properties = {}) => ({
  version, primaryKey: 'id', type: 'object', indexes: ['age', ['team', 'age']], required: ['id', 'age', 'team'],
  properties: { id: { type: 'string', maxLength: 40 }, age: { type: 'integer', minimum: 0, maximum: 200, multipleOf: 1 }, team: { type: 'string', maxLength: 20 }, ...properties },
});
const openWith = (name, settings) => createRxDatabase({ name, storage: getRxStorageDexie(), multiInstance: false })
  .then(async database => { await database.addCollections({ people: settings }); return database; });
Object.assign(globalThis, { openWith, schema, removeRxDatabase, getRxStorageDexie, replicateRxCollection });`;
const start = (t, files) => LibraryApp.start(t, { worker: kWorker + kTakeOver, files });

test('rxdb: documents are inserted, found by indexes, changed, removed, and watched', async t => {
  const app = await start(t);
  assert.deepEqual(await app.run(`
    const database = await openWith('crud', { schema: schema(0) });
    const { people } = database;
    const teams = ['red', 'blue'];
    await people.bulkInsert(Array.from({ length: 40 }, (_, i) => ({ id: 'p' + String(i).padStart(2, '0'), age: i, team: teams[i % 2] })));
    const live = [];
    const subscription = people.find({ selector: { team: 'red', age: { $gt: 30 } }, sort: [{ age: 'asc' }] }).$.subscribe(found => live.push(found.map(person => person.age)));
    const until = length => new Promise(resolve => { const watch = people.find({ selector: { team: 'red', age: { $gt: 30 } } }).$.subscribe(found => { if (found.length === length) { queueMicrotask(() => watch.unsubscribe()); resolve(); } }); });
    await until(4);
    await people.insert({ id: 'p99', age: 99, team: 'red' });
    await until(5);
    const person = await people.findOne('p01').exec();
    await person.patch({ age: 150 });
    await person.getLatest().incrementalModify(data => ({ ...data, team: 'red' }));
    await until(6);
    await people.find({ selector: { age: { $lt: 20 } } }).remove();
    subscription.unsubscribe();
    const twice = await people.insert({ id: 'p99', age: 1, team: 'red' }).catch(error => error.code);
    const result = { first: live[0], last: live.at(-1), twice, count: await people.count().exec(), page: (await people.find({ sort: [{ age: 'desc' }], skip: 1, limit: 2 }).exec()).map(each => each.age) };
    await database.close();
    return result;`), { first: [32, 34, 36, 38], last: [32, 34, 36, 38, 99, 150], twice: 'CONFLICT', count: 22, page: [99, 39] });
});

test('rxdb: stored documents are migrated to a newer schema after a restart of the worker', async t => {
  const app = await start(t);
  await app.run(`
    const database = await openWith('moving', { schema: schema(0) });
    await database.people.bulkInsert([{ id: 'a', age: 3, team: 'red' }, { id: 'b', age: 4, team: 'gone' }]);
    await database.close();`);
  await app.vigil.call('worker', 'stop', app.url);
  assert.deepEqual(await app.run(`
    const database = await openWith('moving', { schema: schema(1, { label: { type: 'string' } }), migrationStrategies: { 1: old => (old.team === 'gone' ? null : { ...old, label: old.team + '/' + old.age }) } });
    const found = (await database.people.find().exec()).map(person => person.toJSON());
    await database.close();
    await removeRxDatabase('moving', getRxStorageDexie());
    return found;`), [{ id: 'a', age: 3, team: 'red', label: 'red/3' }]);
});

test('rxdb: replicates with a server, and what was written offline goes there when the network is back', async t => {
  const rows = new Map([['s1', { id: 's1', age: 1, team: 'red', _deleted: false, at: 1 }]]);
  let clock = 1;
  const app = await start(t, {
    '/pull': (request, response) => {
      const since = Number(new URL(request.url, 'http://server').searchParams.get('since'));
      const documents = [...rows.values()].filter(row => row.at > since).sort((a, b) => a.at - b.at);
      response.end(JSON.stringify({ documents: documents.map(({ at, ...row }) => row), checkpoint: { at: documents.at(-1)?.at ?? since } }));
    },
    '/push': (request, response) => {
      for (const { newDocumentState } of JSON.parse(request.text)) rows.set(newDocumentState.id, { ...newDocumentState, at: ++clock });
      response.end('[]');
    },
  });
  await app.run(`
    globalThis.database = await openWith('synced', { schema: schema(0) });
    globalThis.errors = [];
    const ask = async (url, init) => { const response = await fetch(url, init); if (!response.ok) throw new Error('status ' + response.status); return response.json(); };
    globalThis.replication = replicateRxCollection({
      collection: database.people, replicationIdentifier: 'test', live: true, retryTime: 5000, waitForLeadership: false,
      pull: { handler: checkpoint => ask('/pull?since=' + (checkpoint?.at ?? 0)), batchSize: 10 },
      push: { handler: rows => ask('/push', { method: 'POST', body: JSON.stringify(rows) }), batchSize: 10 },
    });
    replication.error$.subscribe(error => errors.push(error.code));
    await replication.awaitInitialReplication();
    await database.people.insert({ id: 'w1', age: 2, team: 'blue' });
    await replication.awaitInSync();`);
  assert.deepEqual([...rows.keys()], ['s1', 'w1']);
  await app.network('offline');
  assert.deepEqual(await app.run(`
    const failed = new Promise(resolve => { const watch = replication.error$.subscribe(error => { watch.unsubscribe(); resolve(error.code); }); });
    await database.people.insert({ id: 'w2', age: 3, team: 'blue' });
    return failed;`), 'RC_PUSH');
  assert.equal(rows.size, 2);
  await app.network('online');
  rows.set('s2', { id: 's2', age: 9, team: 'red', _deleted: false, at: ++clock });
  await app.advance('5s');  // retryTime
  assert.deepEqual(await app.run(`
    await replication.awaitInSync();
    replication.reSync();
    await replication.awaitInSync();
    return (await database.people.find().exec()).map(person => person.id).sort();`), ['s1', 's2', 'w1', 'w2']);
  assert.ok(rows.has('w2'));
});
