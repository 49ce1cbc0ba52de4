// What workbox-background-sync promises, each of its parts, run in a real worker on our IndexedDB, Fetch and sync.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { build } from 'esbuild';
import { serveFiles, minimalApp } from './support/app-server.mjs';
import { kManual } from './support/fixture.mjs';
import { kRoot } from './support/processes.mjs';
import { inWorkerOf, keepPage } from './support/registering-app.mjs';
import { Vigil } from './support/vigil.mjs';

const kDay = 24 * 3_600_000;
// In development mode, which checks arguments.
async function partsOfWorkbox() {
  const { outputFiles } = await build({
    stdin: {
      contents: `export * from 'workbox-background-sync'; export { QueueDb } from 'workbox-background-sync/lib/QueueDb.js';`,
      resolveDir: kRoot,
    },
    bundle: true, write: false, format: 'iife', globalName: 'parts', legalComments: 'none',
    define: { 'process.env.NODE_ENV': '"development"' },
  });
  return outputFiles[0].text;
}
const kWorker = `
importScripts('parts.js');
self.__WB_DISABLE_DEV_LOGS = true;
const { Queue, QueueDb, QueueStore, StorableRequest, BackgroundSyncPlugin } = parts;
const ran = [];
let mode;  // of the next run of 'adding'
const queues = {};
const queue = (name, options) => { queues[name] = new Queue(name, options); };
queue('plain');
queue('watched', { onSync: async () => { ran.push('watched'); } });
queue('forced', { forceSyncFallback: true, onSync: async () => { ran.push('forced'); } });
queue('adding', { onSync: async ({ queue }) => {
  ran.push('adding');
  if (!mode) return;
  const { fails } = mode;
  mode = undefined;
  await queue.pushRequest({ request: new Request('/late') });
  if (fails) throw new Error('on purpose');
} });
const drain = async queue => { const urls = []; for (let entry; (entry = await queue.shiftRequest());) urls.push(new URL(entry.request.url).pathname); return urls; };
const paths = entries => entries.map(entry => new URL(entry.request.url).pathname);
const failure = run => Promise.resolve().then(run).then(() => 'ok', error => error.name);
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', event => event.waitUntil(self.clients.claim()));
self.addEventListener('message', event => event.waitUntil(
  Promise.resolve().then(() => (0, eval)(event.data)).then(value => ({ value }), error => ({ error: error.name, message: error.message }))
    .then(message => event.source.postMessage(message))));
`;

describe('workbox-background-sync', () => {
  let vigil, server, parts;
  async function startApp() {
    const files = Object.fromEntries(Object.entries(minimalApp(kWorker, { '/parts.js': parts })).map(([path, file]) => ['/app' + path, file]));
    const app = await serveFiles({ ...files, '/one': 'ok', '/two': 'ok', '/three': 'ok', '/late': 'ok' });
    await vigil.call('install', app.url + 'app/');
    await keepPage(vigil, app.url + 'app/');  // the worker registers only while one is open
    return app;
  }
  // Runs the body of an async function in the worker of that app.
  async function run(body, app = server) {
    const answer = await inWorkerOf(vigil, app.url + 'app/', `(async () => { ${body} })()`);
    assert.equal(answer.error, undefined, `${answer.error}: ${answer.message}`);
    return answer.value;
  }
  const network = state => vigil.call('network', state);
  const fire = (name, ...options) => vigil.run('fire', server.url + 'app/', 'sync', `workbox-background-sync:${name}`, '--any-tag', ...options);

  before(async () => {
    parts = await partsOfWorkbox();
    vigil = await Vigil.start({ options: kManual });
    await network('online');
    server = await startApp();
  });
  after(async () => {
    await vigil.stop();
    await server.close();
  });

  test('Queue: names are unique, onSync runs for its own tag, and at construction only as a forced fallback', async () => {
    assert.equal(await run("return failure(() => new Queue('plain'))"), 'duplicate-queue-name');
    assert.deepEqual(await run('return ran.splice(0)'), ['forced']);
    await fire('watched');
    await fire('no such queue');
    assert.deepEqual(await run('return ran.splice(0)'), ['watched']);
  });

  test('Queue: what is added during a sync registers the tag anew after success and after the last chance', async () => {
    for (const [mode, options, runs] of [['{}', [], 2], ['{ fails: true }', [], 1], ['{ fails: true }', ['--last-chance'], 2]]) {
      await run(`mode = ${mode}`);
      await fire('adding', ...options);
      assert.equal((await run(`
        while ((await registration.sync.getTags()).length > 0) await new Promise(resolve => setTimeout(resolve));
        return ran.splice(0)`)).length, runs, mode + options);
    }
    await run('await drain(queues.adding)');
  });

  test('Queue: requests go in and come out at either end, with their time and metadata, and the tag is registered', async () => {
    await network('offline');
    const seen = await run(`
      const queue = queues.plain;
      const start = Date.now();
      await queue.pushRequest({ request: new Request('/two') });
      await queue.unshiftRequest({ request: new Request('/one'), metadata: { first: true } });
      await queue.pushRequest({ request: new Request('/three'), metadata: { last: true }, timestamp: start - 5 });
      const all = await queue.getAll();
      const times = all.slice(0, 2).every(entry => entry.timestamp >= start && entry.timestamp <= Date.now());
      const size = await queue.size();
      const first = await queue.shiftRequest();
      const last = await queue.popRequest();
      return { all: paths(all), times, size, tags: await registration.sync.getTags(), first: [paths([first])[0], first.metadata],
        last: [paths([last])[0], last.metadata, last.timestamp - start], left: await drain(queue), none: await queue.popRequest() === undefined };`);
    assert.deepEqual(seen, {
      all: ['/one', '/two', '/three'], times: true, size: 3, tags: ['workbox-background-sync:plain'],
      first: ['/one', { first: true }], last: ['/three', { last: true }, -5], left: ['/two'], none: true,
    });
    await network('online');
  });

  test('Queue: expired requests are skipped and deleted', async () => {
    await network('offline');
    const seen = await run(`
      const queue = queues.plain;
      const fill = async () => {
        for (const [path, age] of [['/old', 8], ['/one', 1], ['/older', 9]]) {
          await queue.pushRequest({ request: new Request(path), timestamp: Date.now() - age * ${kDay} });
        }
      };
      await fill();
      const all = paths(await queue.getAll());
      const size = await queue.size();
      await drain(queue);
      await fill();
      const shifted = paths([await queue.shiftRequest()]);
      await drain(queue);
      await fill();
      const popped = paths([await queue.popRequest()]);
      const left = await drain(queue);
      return { all, size, shifted, popped, left, end: await queue.size() };`);
    assert.deepEqual(seen, { all: ['/one'], size: 1, shifted: ['/one'], popped: ['/one'], left: [], end: 0 });
    await network('online');
  });

  test('Queue: a replay sends its own requests in order, stops at the first failure and keeps the rest', async () => {
    await run(`
      queue('other');
      queue('replayed');
      await queues.other._queueStore.pushEntry({ requestData: (await StorableRequest.fromRequest(new Request('/late'))).toObject(), timestamp: Date.now() });
      for (const [path, age] of [['/one', 0], ['/old', 8], ['/two', 0]]) {
        await queues.replayed._queueStore.pushEntry({ requestData: (await StorableRequest.fromRequest(new Request(path))).toObject(), timestamp: Date.now() - age * ${kDay} });
      }`);
    const before = server.log.length;
    assert.equal(await run('await queues.replayed.replayRequests(); return queues.replayed.size()'), 0);
    assert.deepEqual(server.log.slice(before).map(entry => entry.path).filter(path => !path.startsWith('/app')), ['/one', '/two']);
    const kept = await run(`
      const add = async (url, timestamp) => queues.replayed._queueStore.pushEntry({ requestData: (await StorableRequest.fromRequest(new Request(url, { mode: 'no-cors' }))).toObject(), timestamp });
      const now = Date.now();
      await add('/one', now - 3);
      await add('http://127.0.0.1:9/refused', now - 2);
      await add('/two', now - 1);
      const name = await failure(() => queues.replayed.replayRequests());
      const all = await queues.replayed.getAll();
      await drain(queues.replayed);
      return { name, left: paths(all), times: all.map(entry => entry.timestamp - now), other: await queues.other.size() };`);
    assert.deepEqual(kept, { name: 'queue-replay-failed', left: ['/refused', '/two'], times: [-2, -1], other: 1 });
    await run('await drain(queues.other)');
  });

  test('Queue: without onSync a sync event replays', async () => {
    await network('offline');
    await run("await queues.plain.pushRequest({ request: new Request('/three') })");
    await network('online');
    await server.requests('/three', 1);
    assert.equal(await run(`
      while ((await registration.sync.getTags()).length > 0) await new Promise(resolve => setTimeout(resolve));
      return queues.plain.size()`), 0);
  });

  test('Queue: a refused registration is swallowed, and without the API onSync runs at construction', async () => {
    const url = server.url + 'app/';
    await vigil.call('permission', url, 'background-sync', 'deny');
    assert.equal(await run("await queues.plain.pushRequest({ request: new Request('/one') }); return queues.plain.size()"), 1);
    await vigil.call('permission', url, 'background-sync', 'default');
    assert.deepEqual(await run(`
      delete ServiceWorkerRegistration.prototype.sync;
      queue('unsupported', { onSync: async () => { ran.push('unsupported'); } });
      await queues.unsupported.pushRequest({ request: new Request('/one') });
      await queues.unsupported.registerSync();
      return [ran.splice(0), await queues.unsupported.size(), await drain(queues.plain), await drain(queues.unsupported)];`),
    [['unsupported'], 1, ['/one'], ['/one']]);
    await vigil.call('worker', 'stop', url);
  });

  test('QueueStore: entries at both ends, by name, counted, deleted by id; what is no entry is refused', async () => {
    assert.deepEqual(await run(`
      const store = new QueueStore('store-a');
      const other = new QueueStore('store-b');
      const data = n => ({ requestData: { url: 'https://shop.example/' + n, headers: {} }, timestamp: n });
      await store.pushEntry(data(2));
      await other.pushEntry(data(9));
      await store.pushEntry(data(3));
      await store.unshiftEntry(data(1));
      const all = await store.getAll();
      const refused = [await failure(() => store.pushEntry({})), await failure(() => store.pushEntry()), await failure(() => store.unshiftEntry({})), await failure(() => store.unshiftEntry())];
      const result = { names: [...new Set(all.map(entry => entry.queueName))], times: all.map(entry => entry.timestamp),
        ascending: all.every((entry, i) => i === 0 || entry.id > all[i - 1].id), size: await store.size(), refused };
      await store.deleteEntry(all[1].id);
      result.first = (await store.shiftEntry()).timestamp;
      result.last = (await store.popEntry()).timestamp;
      result.left = [await store.size(), await other.size()];
      await other.shiftEntry();
      return result;`), {
      names: ['store-a'], times: [1, 2, 3], ascending: true, size: 3,
      refused: ['incorrect-type', 'incorrect-type', 'incorrect-type', 'incorrect-type'], first: 1, last: 3, left: [0, 1],
    });
  });

  test('QueueDb: finds first, last, all and the number of a queue, and deletes what is there or not', async () => {
    assert.deepEqual(await run(`
      const db = new QueueDb();
      for (const [queueName, n] of [['a', 1], ['b', 2], ['a', 3]]) await db.addEntry({ queueName, timestamp: n, requestData: {} });
      const id = await db.getFirstEntryId();
      const [first, last] = [await db.getFirstEntryByQueueName('a'), await db.getLastEntryByQueueName('a')];
      const all = await db.getAllEntriesByQueueName('a');
      const result = { first: first.timestamp, sameId: first.id === id, last: last.timestamp, all: all.map(entry => entry.timestamp), count: await db.getEntryCountByQueueName('a') };
      await db.deleteEntry(first.id);
      await db.deleteEntry(first.id);
      result.left = await db.getEntryCountByQueueName('a');
      result.none = [await db.getFirstEntryByQueueName('c'), await db.getLastEntryByQueueName('c')].map(entry => entry === undefined);
      for (const name of ['a', 'b']) for (const entry of await db.getAllEntriesByQueueName(name)) await db.deleteEntry(entry.id);
      result.empty = await db.getFirstEntryId() === undefined;
      return result;`),
    { first: 1, sameId: true, last: 3, all: [1, 3], count: 2, left: 1, none: [true, true], empty: true });
  });

  test('QueueDb: older databases are upgraded, and their requests dropped', async () => {
    for (const version of [0, 1, 2]) {
      const app = await startApp();
      const seen = await run(`
        const whenDone = request => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error); });
        if (${version} > 0) {
          const opening = indexedDB.open('workbox-background-sync', ${version});
          opening.onupgradeneeded = () => opening.result.createObjectStore('requests', { keyPath: 'id', autoIncrement: true });
          const old = await whenDone(opening);
          await whenDone(old.transaction('requests', 'readwrite').objectStore('requests').add({ queueName: 'a', old: true }));
          old.close();
        }
        const db = new QueueDb();
        await db.addEntry({ queueName: 'a', requestData: {} });
        const all = await db.getAllEntriesByQueueName('a');
        const { version } = (await indexedDB.databases()).find(each => each.name === 'workbox-background-sync');
        return [version, all.length, all[0].old === undefined];`, app);
      assert.deepEqual(seen, [3, 1, true], `from version ${version}`);
      await vigil.call('remove', app.url + 'app/');
      await app.close();
    }
  });

  test('StorableRequest: keeps what a request is, both ways, and needs data with a URL', async () => {
    assert.deepEqual(await run(`
      const made = await StorableRequest.fromRequest(new Request('/post', { method: 'POST', body: 'text', headers: { 'x-kind': 'test' },
        mode: 'same-origin', credentials: 'include', cache: 'no-store', redirect: 'error', referrerPolicy: 'origin', keepalive: true }));
      const data = made.toObject();
      const copy = made.clone();
      const again = copy.toRequest();
      return { url: new URL(data.url).pathname, header: data.headers['x-kind'], body: new TextDecoder().decode(data.body),
        kept: ['method', 'mode', 'credentials', 'cache', 'redirect', 'referrerPolicy', 'keepalive'].map(name => data[name]),
        again: [again.method, again.mode, again.headers.get('x-kind'), await again.text()],
        clone: copy !== made && copy.toObject().url === data.url,
        navigate: new StorableRequest({ url: '/x', headers: {}, mode: 'navigate' }).toObject().mode,
        refused: [await failure(() => new StorableRequest()), await failure(() => new StorableRequest({}))] };`), {
      url: '/post', header: 'test', body: 'text', kept: ['POST', 'same-origin', 'include', 'no-store', 'error', 'origin', true],
      again: ['POST', 'same-origin', 'test', 'text'], clone: true, navigate: 'same-origin', refused: ['incorrect-type', 'incorrect-type'],
    });
  });

  test('BackgroundSyncPlugin: a fetch that failed is queued', async () => {
    await network('offline');
    assert.deepEqual(await run(`
      const plugin = new BackgroundSyncPlugin('plugin');
      await plugin.fetchDidFail({ request: new Request('/one') });
      return [await plugin._queue.size(), await drain(plugin._queue), (await registration.sync.getTags()).includes('workbox-background-sync:plugin')];`),
    [1, ['/one'], true]);
    await network('online');
  });
});
