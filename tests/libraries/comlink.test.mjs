// Comlink 4 between a page and its worker, over the ends of message channels.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kTakeOver, LibraryApp } from '../e2e/support/library-app.mjs';

const kWorker = `
import * as Comlink from 'comlink';
class Counter {
  count;
  constructor(start) { this.count = start; }
  add(n) { return (this.count += n); }
}
const api = {
  Counter,
  shop: { name: 'corner', prices: { apple: 3 } },
  sum: (...numbers) => numbers.reduce((a, b) => a + b, 0),
  fail() { throw new RangeError('out of it'); },
  async each(items, visit) { const seen = []; for (const item of items) seen.push(await visit(item)); return seen; },
  length: buffer => buffer.byteLength,
  makeCounter: start => Comlink.proxy(new Counter(start)),
};
addEventListener('message', event => { if (event.data.comlink) Comlink.expose(api, event.data.port); });`;
const kPage = `
import * as Comlink from 'comlink';
globalThis.Comlink = Comlink;
globalThis.connect = async () => {
  const { active } = await navigator.serviceWorker.ready;
  const { port1, port2 } = new MessageChannel();
  active.postMessage({ comlink: true, port: port2 }, [port2]);
  return Comlink.wrap(port1);
};`;

test('comlink: calls, properties, classes, callbacks, transfers and exceptions cross between page and worker', async t => {
  const app = await LibraryApp.start(t, { worker: kWorker + kTakeOver, page: kPage });
  assert.deepEqual(await app.inPage(`
    const remote = await connect();
    const buffer = new ArrayBuffer(64);
    const counter = await new remote.Counter(5);
    const added = await counter.add(2);
    counter.count = 40;
    const made = await remote.makeCounter(1);
    const error = await remote.fail().catch(error => [error.name, error.message, error instanceof Error]);
    const result = {
      sum: await remote.sum(1, 2, 3), price: await remote.shop.prices.apple, added, set: await counter.add(2),
      visited: await remote.each([1, 2, 3], Comlink.proxy(n => n * 10)), length: await remote.length(Comlink.transfer(buffer, [buffer])), detached: buffer.byteLength,
      error, made: await made.add(1), parallel: await Promise.all(Array.from({ length: 50 }, (_, i) => remote.sum(i, i))).then(sums => sums.at(-1)),
    };
    remote[Comlink.releaseProxy]();
    return result;`), {
    sum: 6, price: 3, added: 7, set: 42, visited: [10, 20, 30], length: 64, detached: 0, error: ['RangeError', 'out of it', true], made: 2, parallel: 98,
  });
});

test('comlink: two pages share one worker, each over its own ports', async t => {
  const app = await LibraryApp.start(t, { worker: kWorker + kTakeOver, page: kPage });
  const other = await app.open(app.url);
  const make = start => `globalThis.counter = await (await connect()).makeCounter(${start}); return counter.add(1);`;
  assert.deepEqual([await app.inPage(make(10)), await app.inPage(make(20), other)], [11, 21]);
  assert.deepEqual([await app.inPage('return counter.add(1)'), await app.inPage('return counter.add(1)', other)], [12, 22]);
});
