// Workers that ask for too much of everything. Each is stopped with a reason that its user can read, or gets an exception
// as in a browser; its registration follows the retry rules; the daemon and the other app go on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimalApp } from './support/app-server.mjs';
import { publish, startFiles, startServer, startVigil } from './support/fixture.mjs';
import { eventually } from './support/processes.mjs';

// Begins as soon as it gets a sync. What `say` is given comes to the server as a POST.
const evil = code => `
  const say = async value => { await fetch('said', { method: 'POST', body: JSON.stringify(value) }); };
  const nameOf = async work => { try { return await work(); } catch (error) { return error.name; } };
  self.addEventListener('install', () => self.skipWaiting());
  self.addEventListener('sync', event => event.waitUntil((async () => { ${code} })()));`;

async function unleash(t, code, { settings = {}, files = {}, page = '' } = {}) {
  const all = { sync_event_limit: '20s', ...settings };
  const vigil = await startVigil(t, ['--network', 'manual', ...Object.entries(all).flatMap(([name, value]) => ['--set', `${name}=${value}`])]);
  const server = await startServer(t);
  const hostile = await startFiles(t, minimalApp(evil(code), { '/said': 'ok', ...files }));
  await vigil.call('install', server.url);
  await vigil.call('install', hostile.url);
  await vigil.call('record', 'on');
  await vigil.inPage(hostile.url, `${page}; await (await navigator.serviceWorker.ready).sync.register("evil")`);
  return { vigil, server, hostile };
}

const said = async (hostile, count = 1) => (await hostile.requests('/said', count)).map(({ body }) => JSON.parse(body));

// Stopped for `reason`: the log says so, and the run counts as an attempt.
async function isStopped({ vigil, hostile }, reason) {
  const [sync] = await eventually('the run has failed', () => vigil.syncs(hostile.url), syncs => syncs[0]?.attempts >= 1);
  assert.equal(sync.state, 'waiting');
  const lines = await vigil.log();
  assert.ok(lines.some(line => reason.test(line.text ?? '')), JSON.stringify(lines.filter(line => line.type !== 'event').slice(-5)));
  assert.equal(lines.filter(line => line.event === 'sync event failed' && line.tag === 'evil').length, 1);
}

async function othersGoOn({ vigil, server }) {
  const before = (await server.posts()).length;
  await publish(vigil, server.url, 'goes on');
  await server.untilPosts(before + 1);
  assert.equal(vigil.process.status, undefined);
}

const kStopped = {
  'writes out more than its memory holds': [/memory|heap|crashed/, "JSON.stringify(new Array(600).fill('x'.repeat(1 << 20)));"],
  'keeps growing WebAssembly memories': [/memory|heap/,
    'const all = []; for (;;) { const one = new WebAssembly.Memory({ initial: 1 }); while (await nameOf(() => one.grow(256)) !== "RangeError"); all.push(one); new Uint8Array(one.buffer).fill(1); if (all.length > 64) throw new Error("memory without bounds"); }'],
  'fills a map with itself': [/memory|heap/, 'const map = new Map(); for (let i = 0;; i++) map.set({ i }, new Array(100).fill(map));'],
};

for (const [name, [reason, code, more]] of Object.entries(kStopped)) {
  test(`a worker that ${name} is stopped`, async t => {
    const world = await unleash(t, code, more);
    await isStopped(world, reason);
    await othersGoOn(world);
  });
}

test('keys and indexes of IndexedDB that are bombs', async t => {
  const world = await unleash(t, `
    const wait = request => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error); });
    const opening = indexedDB.open('bombs');
    opening.onupgradeneeded = () => { opening.result.createObjectStore('s').createIndex('i', 'i', { multiEntry: true }); };
    const database = await wait(opening);
    const put = (value, key) => nameOf(async () => { await wait(database.transaction('s', 'readwrite').objectStore('s').put(value, key)); return 'stored'; });
    let deep = 1;
    for (let i = 0; i < 100000; i++) deep = [deep];
    const cyclic = [];
    cyclic.push(cyclic);
    const results = {
      deep: await put(1, deep),
      cyclic: await put(1, cyclic),
      long: await put(1, 'x'.repeat(40 << 20)),
      wide: await put(1, new Array(1000000).fill(7)),
      index: await put({ i: Array.from({ length: 200000 }, (_, i) => i) }, 'index'),
      small: await put({ i: [1, 2, 3] }, 'small'),
    };
    await say(results);`);
  const results = (await said(world.hostile))[0];
  assert.equal(results.small, 'stored');
  assert.equal(results.cyclic, 'DataError');
  assert.match(results.deep, /Error$/);
  for (const result of Object.values(results)) assert.match(result, /^stored$|Error$/);
  await othersGoOn(world);
});

test('a chain of waitUntil() without end is ended by the limit of the event', async t => {
  const world = await unleash(t, `
    const chain = () => new Promise(resolve => setTimeout(resolve, 5)).then(() => { event.waitUntil(chain()); });
    await say('begun');
    await chain();`, { settings: { sync_event_limit: '1s' } });
  await said(world.hostile);
  await eventually('the run has failed', () => world.vigil.syncs(world.hostile.url), syncs => syncs[0]?.attempts === 1);
  assert.ok((await world.vigil.log()).some(line => line.metadata?.['Failure Reason'] === 'timeout'));
  await eventually('its process is gone', () => world.vigil.json('worker', 'list'), list =>
    list.find(one => one.origin === new URL(world.hostile.url).origin)?.active.running === 'stopped');
  await othersGoOn(world);
});

test('what JavaScript itself bounds ends in exceptions that the worker survives', async t => {
  const world = await unleash(t, `
    const results = {
      rope: await nameOf(() => { let text = 'x'; for (;;) text += text; }),
      buffer: await nameOf(() => new ArrayBuffer(2 ** 40)),
      table: await nameOf(() => new WebAssembly.Table({ initial: 2 ** 31, element: 'anyfunc' })),
      wait: await nameOf(() => Atomics.wait(new Int32Array(new ArrayBuffer(4)), 0, 0)),
      clone: await nameOf(() => { let deep = {}; for (let i = 0; i < 1e6; i++) deep = { deep }; structuredClone(deep); return 'cloned'; }),
      repeat: await nameOf(() => 'x'.repeat(2 ** 30)),
      recursion: await nameOf(() => { const again = () => again(); again(); }),
      regexp: await nameOf(() => new RegExp('('.repeat(1e6) + ')'.repeat(1e6)).test('x')),
    };
    await say(results);`);
  const [results] = await said(world.hostile);
  for (const [what, result] of Object.entries(results)) assert.match(String(result), /Error$/, what);
  await othersGoOn(world);
});
