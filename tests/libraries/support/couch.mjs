// The part of CouchDB's HTTP interface that replication needs, in memory: revision trees with conflicts and tombstones,
// _changes by long poll, _revs_diff, _bulk_docs with new_edits=false, _local documents.
import { createHash } from 'node:crypto';

const generation = rev => Number(rev.split('-')[0]);
const byRank = (a, b) => Number(a.deleted) - Number(b.deleted) || generation(b.rev) - generation(a.rev) || (a.rev < b.rev ? 1 : -1);

export class Couch {
  docs = new Map();    // id → Map(rev → { rev, doc, deleted, history, leaf })
  local = new Map();
  changes = new Map(); // id → seq of its last change
  seq = 0;
  #waiting = new Set();

  // Stores a leaf with its history (the newest revision first).
  #store(doc, history) {
    const revs = this.docs.get(doc._id) ?? new Map();
    if (revs.get(history[0])?.doc) return;
    const { _revisions, ...rest } = doc;
    for (const parent of history.slice(1)) {
      const known = revs.get(parent);
      if (known) known.leaf = false;
      else revs.set(parent, { rev: parent, leaf: false, deleted: false });
    }
    revs.set(history[0], { rev: history[0], doc: { ...rest, _rev: history[0] }, deleted: Boolean(doc._deleted), history, leaf: true });
    this.docs.set(doc._id, revs);
    this.changes.delete(doc._id);
    this.changes.set(doc._id, ++this.seq);
    for (const look of [...this.#waiting]) look();
  }

  leaves(id) {
    return [...this.docs.get(id)?.values() ?? []].filter(entry => entry.leaf).sort(byRank);
  }

  // An edit made at the server itself. Resolves conflicts as a client would: by writing on top of the winner.
  edit(doc) {
    const [winner] = this.leaves(doc._id);
    const history = winner?.history ?? [];
    const hash = createHash('md5').update(JSON.stringify(doc)).digest('hex');
    const rev = `${history.length + 1}-${hash}`;
    this.#store(doc, [rev, ...history]);
    return rev;
  }

  #bulk({ docs, new_edits: newEdits }) {
    if (newEdits !== false) return docs.map(doc => ({ ok: true, id: doc._id, rev: this.edit(doc) }));
    for (const doc of docs) {
      const { start, ids } = doc._revisions;
      this.#store(doc, ids.map((hash, i) => `${start - i}-${hash}`));
    }
    return [];
  }

  #diff(wanted) {
    return Object.fromEntries(Object.entries(wanted).map(([id, revs]) => [id, { missing: revs.filter(rev => !this.docs.get(id)?.get(rev)?.doc) }])
      .filter(([, { missing }]) => missing.length > 0));
  }

  #read(id, rev, withHistory) {
    const entry = rev ? this.docs.get(id)?.get(rev) : this.leaves(id).find(leaf => !leaf.deleted);
    if (!entry?.doc) return undefined;
    const revisions = { start: generation(entry.rev), ids: entry.history.map(each => each.split('-')[1]) };
    return withHistory ? { ...entry.doc, _revisions: revisions } : entry.doc;
  }

  #changesSince(since, limit, allLeaves) {
    const found = [...this.changes].filter(([, seq]) => seq > since).slice(0, limit).map(([id, seq]) => {
      const leaves = this.leaves(id);
      return { seq, id, changes: (allLeaves ? leaves : leaves.slice(0, 1)).map(({ rev }) => ({ rev })), ...(leaves[0].deleted ? { deleted: true } : {}) };
    });
    return { results: found, last_seq: found.at(-1)?.seq ?? this.seq };
  }

  // A long poll waits until there is something, or until its caller goes away.
  async #poll(query, response) {
    const look = () => this.#changesSince(Number(query.get('since') ?? 0), Number(query.get('limit') ?? Infinity), query.get('style') === 'all_docs');
    if (query.get('feed') !== 'longpoll' || look().results.length > 0) return look();
    await new Promise(resolve => {
      const done = () => { this.#waiting.delete(done); resolve(); };
      this.#waiting.add(done);
      response.on('close', done);
    });
    return look();
  }

  async #answer(method, path, query, body, response) {
    if (path === '') return method === 'PUT' ? { ok: true } : { db_name: 'db', instance_start_time: '0', update_seq: this.seq, doc_count: this.docs.size };
    if (path === '_changes') return this.#poll(query, response);
    if (path === '_revs_diff') return this.#diff(body);
    if (path === '_bulk_docs') return this.#bulk(body);
    if (path === '_bulk_get') {
      return { results: body.docs.map(({ id, rev }) => ({ id, docs: [{ ok: this.#read(id, rev, true) }] })) };
    }
    if (path.startsWith('_local/')) {
      if (method === 'PUT') this.local.set(path, { ...body, _rev: '0-1' });
      return this.local.get(path);
    }
    return this.#read(path, query.get('rev') ?? undefined, query.get('revs') === 'true');
  }

  // Serves /couch/…; to be used as a file of serveFiles, which has read the body.
  handler() {
    return async (request, response) => {
      const url = new URL(request.url, 'http://couch');
      const path = decodeURIComponent(url.pathname.replace(/^\/couch\/?/, ''));
      const answer = await this.#answer(request.method, path, url.searchParams, request.text ? JSON.parse(request.text) : undefined, response);
      response.writeHead(answer ? 200 : 404, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer ?? { error: 'not_found', reason: 'missing' }));
    };
  }
}
