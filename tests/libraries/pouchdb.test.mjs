// PouchDB 9 in a worker: its IndexedDB adapter, and replication with a server that speaks CouchDB's protocol.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { kManual } from '../e2e/support/fixture.mjs';
import { kTakeOver, LibraryApp } from '../e2e/support/library-app.mjs';
import { eventually } from '../e2e/support/processes.mjs';
import { Couch } from './support/couch.mjs';

async function start(t, options) {
  const couch = new Couch();
  const app = await LibraryApp.start(t, {
    worker: `import PouchDB from 'pouchdb-browser'; globalThis.PouchDB = PouchDB;` + kTakeOver, options,
    otherwise: couch.handler(),
  });
  return { app, couch };
}
const kReplicas = `
globalThis.db ??= new PouchDB('notes');
globalThis.remote ??= new PouchDB(new URL('/couch', location.href).href, { skip_setup: true });`;

test('pouchdb: documents with revisions, conflicts, attachments, a map/reduce view and a changes feed', async t => {
  const { app } = await start(t);
  assert.deepEqual(await app.run(`
    const db = new PouchDB('notes');
    const made = await db.put({ _id: 'a', text: 'one' });
    const stale = await db.put({ _id: 'a', text: 'no revision' }).catch(error => [error.status, error.name]);
    await db.put({ _id: 'a', _rev: made.rev, text: 'two' });
    const bulk = await db.bulkDocs([{ _id: 'b', tag: 'x', n: 1 }, { _id: 'c', tag: 'x', n: 2 }, { _id: 'd', tag: 'y', n: 3 }, { _id: 'a', text: 'conflict' }]);
    await db.remove(await db.get('d'));
    const before = await db.get('b');
    await db.putAttachment('b', 'picture.txt', before._rev, new Blob(['pixels'], { type: 'text/plain' }), 'text/plain');
    const attached = await db.get('b', { attachments: true });
    const blob = await db.getAttachment('b', 'picture.txt');
    await db.put({ _id: '_design/tags', views: { sums: { map: 'function (doc) { if (doc.tag) emit(doc.tag, doc.n); }', reduce: '_sum' } } });
    const sums = await db.query('tags/sums', { group: true });
    const changes = await db.changes({ since: 0, include_docs: true });
    const revs = (await db.get('a', { revs_info: true }))._revs_info.map(info => info.status);
    await db.compact();
    const compacted = (await db.get('a', { revs_info: true }))._revs_info.map(info => info.status);
    const result = {
      adapter: db.adapter, stale, bulk: bulk.map(each => each.ok ?? each.status), missing: await db.get('d').catch(error => error.reason),
      digest: attached._attachments['picture.txt'].digest, data: atob(attached._attachments['picture.txt'].data), text: await blob.text(),
      sums: sums.rows, ids: changes.results.map(change => change.id + (change.deleted ? '-' : '')).sort(), revs, compacted,
      all: (await db.allDocs({ startkey: 'a', endkey: 'c' })).rows.map(row => row.id), info: (await db.info()).doc_count,
    };
    await db.destroy();
    return result;`), {
    adapter: 'idb', stale: [409, 'conflict'], bulk: [true, true, true, 409], missing: 'deleted',
    digest: `md5-${createHash('md5').update('pixels').digest('base64')}`, data: 'pixels', text: 'pixels',
    sums: [{ key: 'x', value: 3 }], ids: ['_design/tags', 'a', 'b', 'c', 'd-'], revs: ['available', 'available'], compacted: ['available', 'missing'],
    all: ['a', 'b', 'c'], info: 4,
  });
});

test('pouchdb: replicates both ways with a server, in batches, and resumes where it was', async t => {
  const { app, couch } = await start(t);
  for (let i = 0; i < 30; i++) couch.edit({ _id: `server-${i}`, n: i });
  assert.deepEqual(await app.run(`${kReplicas}
    await db.bulkDocs(Array.from({ length: 25 }, (_, i) => ({ _id: 'worker-' + i, n: i })));
    const { push, pull } = await db.sync(remote, { batch_size: 10 });
    return { sent: push.docs_written, received: pull.docs_written, count: (await db.info()).doc_count };`), { sent: 25, received: 30, count: 55 });
  assert.equal(couch.docs.size, 55);
  const asked = app.server.log.length;
  couch.edit({ _id: 'server-0', n: 'changed' });
  assert.deepEqual(await app.run(`${kReplicas}
    const { docs_read } = await db.replicate.from(remote);
    return { docs_read, n: (await db.get('server-0')).n };`), { docs_read: 1, n: 'changed' });
  assert.ok(app.paths(asked).some(path => path.includes('/_local/')));
});

test('pouchdb: a conflict that both sides made is the same on both, and goes when it is resolved', async t => {
  const { app, couch } = await start(t);
  couch.edit({ _id: 'doc', text: 'base' });
  await app.run(`${kReplicas} await db.replicate.from(remote);`);
  await app.network('offline');
  const failed = await app.run(`${kReplicas}
    const doc = await db.get('doc');
    await db.put({ ...doc, text: 'from the worker' });
    return db.replicate.to(remote).catch(error => error.name ?? error.message);`);
  assert.ok(failed, 'offline, a replication fails');
  couch.edit({ _id: 'doc', text: 'from the server' });
  await app.network('online');
  const seen = await app.run(`${kReplicas}
    await db.sync(remote);
    const doc = await db.get('doc', { conflicts: true });
    const other = await db.get('doc', { rev: doc._conflicts[0] });
    return { winner: doc.text, texts: [doc.text, other.text].sort(), conflicts: doc._conflicts.length };`);
  assert.deepEqual(seen.texts, ['from the server', 'from the worker']);
  assert.equal(couch.leaves('doc')[0].doc.text, seen.winner);
  assert.equal(couch.leaves('doc').length, 2);
  await app.run(`${kReplicas}
    const doc = await db.get('doc', { conflicts: true });
    await db.remove('doc', doc._conflicts[0]);
    await db.put({ _id: 'doc', _rev: doc._rev, text: 'resolved' });
    await db.sync(remote);`);
  assert.deepEqual(couch.leaves('doc').filter(leaf => !leaf.deleted).map(leaf => leaf.doc.text), ['resolved']);
});

test('pouchdb: a live replication follows the server by long poll', async t => {
  const { app, couch } = await start(t, kManual);
  await app.run(`${kReplicas}
    globalThis.seen = [];
    globalThis.live = db.replicate.from(remote, { live: true }).on('change', ({ docs }) => { seen.push(...docs.map(doc => doc._id)); });
    await new Promise(resolve => live.once('paused', resolve));`);
  for (const id of ['one', 'two']) {
    couch.edit({ _id: id });
    await eventually(`${id} arrived`, () => app.run('return seen'), seen => seen.includes(id));
  }
  assert.deepEqual(await app.run(`const ended = new Promise(resolve => live.once('complete', resolve)); live.cancel(); const { status } = await ended;
    return { status, seen };`), { status: 'cancelled', seen: ['one', 'two'] });
});
