// Workers that ask for too much of everything. Each is stopped with a reason that its user can read, or gets an exception
// as in a browser; its registration follows the retry rules; the daemon and the other app go on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areStopped, isIdle, othersGoOn, said, unleash } from './support/hostile.mjs';
import { eventually } from './support/processes.mjs';

areStopped({
  'writes out more than its memory holds': [/out of memory/, "JSON.stringify(new Array(600).fill('x'.repeat(1 << 20)));"],
  'reads more than its memory holds': [/out of memory/, "JSON.parse('[' + '{},'.repeat(30 << 20) + '0]');"],
  'keeps a text of hundreds of megabytes': [/out of memory/, "const texts = []; for (;;) texts.push(new TextDecoder('utf-16le').decode(new Uint8Array(64 << 20)));"],
  'fills a map with itself': [/out of memory/, 'const map = new Map(); for (let i = 0;; i++) map.set({ i }, new Array(100).fill(map));'],
  'sets a million timers': [/too many timers/, 'for (let i = 0; i < 1e6; i++) setTimeout(() => {}, 1e6);'],
});

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
  const results = (await said(world))[0];
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
  await said(world);
  await eventually('the run has failed', () => world.vigil.syncs(world.hostile.url), syncs => syncs[0]?.attempts === 1);
  assert.ok((await world.vigil.log()).some(line => line.metadata?.['Failure Reason'] === 'timeout'));
  await isIdle(world);
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
  const [results] = await said(world);
  for (const [what, result] of Object.entries(results)) assert.match(String(result), /Error$/, what);
  await othersGoOn(world);
});

// Alone: memories and garbage share one limit, and a worker whose heap cannot grow any more is killed.
test('WebAssembly memories without end get a RangeError', async t => {
  const world = await unleash(t, `
    await say(await nameOf(() => {
      const all = [];
      for (;;) {
        const memory = new WebAssembly.Memory({ initial: 4096 });
        new Uint8Array(memory.buffer).fill(1);
        all.push(memory);
      }
    }));`);
  assert.deepEqual(await said(world), ['RangeError']);
  await othersGoOn(world);
});
