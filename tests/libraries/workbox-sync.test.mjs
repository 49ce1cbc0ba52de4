// workbox-background-sync 7.4.1 behind a route: the retry schedule, the last chance, and what comes after it.
// (Its parts one by one: tests/e2e/workbox-parts.test.mjs.)
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kTakeOver, LibraryApp } from '../e2e/support/library-app.mjs';

const kTag = 'workbox-background-sync:orders';
const kWorker = `
import { registerRoute } from 'workbox-routing';
import { NetworkOnly } from 'workbox-strategies';
import { BackgroundSyncPlugin } from 'workbox-background-sync';
registerRoute('/orders', new NetworkOnly({ plugins: [new BackgroundSyncPlugin('orders', { maxRetentionTime: 24 * 60 })] }), 'POST');` + kTakeOver;

// A server that takes orders, or breaks their connections.
async function start(t) {
  const orders = [];
  let mode = 'take';
  const app = await LibraryApp.start(t, {
    worker: kWorker,
    files: { '/orders': (request, response) => {
      if (mode === 'break') return request.socket.destroy();
      orders.push(request.text);
      return response.end('taken');
    } },
  });
  const post = text => app.get('/orders', { method: 'POST', body: text });
  return { app, orders, post, break: () => { mode = 'break'; }, take: () => { mode = 'take'; } };
}

test('workbox-background-sync: orders made offline are sent in order when the network is back', async t => {
  const { app, orders, post } = await start(t);
  assert.equal((await post('zero')).text, 'taken');
  await app.network('offline');
  for (const text of ['one', 'two', 'three']) assert.equal((await post(text)).error, 'TypeError');
  assert.deepEqual((await app.syncs()).map(sync => sync.tag), [kTag]);
  await app.vigil.call('worker', 'stop', app.url);
  await app.network('online');
  await app.untilSyncs('all are sent', syncs => syncs.length === 0);
  assert.deepEqual(orders, ['zero', 'one', 'two', 'three']);
});

test('workbox-background-sync: a server that is down is tried after 5 and 15 minutes, with lastChance, and then anew', async t => {
  const { app, orders, post, ...server } = await start(t);
  const dispatched = async () => (await app.vigil.json('log')).filter(line => line.event === 'Dispatched sync event').map(line => line.metadata['Last Chance']);
  await app.vigil.call('record', 'on');
  server.break();
  assert.equal((await post('one')).error, 'TypeError');
  await app.untilSyncs('the first try has failed', syncs => syncs[0]?.attempts === 1);
  const seen = [];
  for (const wait of ['4min', '1min', '14min', '1min']) {
    await app.advance(wait);
    seen.push(await dispatched());
  }
  // The failed replay puts its request back, and so registers the tag anew after the last chance.
  assert.deepEqual(seen, [['No'], ['No', 'No'], ['No', 'No'], ['No', 'No', 'Yes', 'No']]);
  server.take();
  await app.network('offline');
  assert.equal((await post('two')).error, 'TypeError');
  await app.network('online');
  await app.advance('5min');
  assert.deepEqual(orders, ['one', 'two']);
  assert.deepEqual(await app.syncs(), []);
});

test('workbox-background-sync: orders older than the retention time are dropped', async t => {
  const { app, orders, post } = await start(t);
  await app.network('offline');
  await post('old');
  await app.advance('23h');
  await post('young');
  await app.advance('2h');
  await app.network('online');
  await app.untilSyncs('all are sent', syncs => syncs.length === 0);
  assert.deepEqual(orders, ['young']);
});
