// Failed runs: 5 minutes, 15 minutes, the last chance, and what does not count as an attempt.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimalApp } from './support/app-server.mjs';
import { eventually } from './support/processes.mjs';
import { kVirtual, publish, startFiles, startServer, startVigil } from './support/fixture.mjs';

const attempted = (vigil, url, count) =>
  eventually(`attempt ${count} has failed`, () => vigil.syncs(url), syncs => syncs[0]?.attempts === count);
const posts = async server => (await server.requests('POST')).length;

async function failingApp(t) {
  const vigil = await startVigil(t, kVirtual);
  const server = await startServer(t);
  await vigil.call('install', server.url);
  await vigil.call('record', 'on');
  await server.fail('unavailable');
  await publish(vigil, server.url, 'stubborn');
  await attempted(vigil, server.url, 1);
  return { vigil, server };
}

test('three attempts, 5 and 15 minutes apart, the last with lastChance; then the tag is gone', async t => {
  const { vigil, server } = await failingApp(t);
  assert.equal(await posts(server), 1);
  await vigil.call('clock', 'advance', '299s');
  assert.equal(await posts(server), 1);
  await vigil.call('clock', 'advance', '1s');
  assert.equal(await posts(server), 2);
  await vigil.call('clock', 'advance', '899s');
  assert.equal(await posts(server), 2);
  await vigil.call('clock', 'advance', '1s');
  assert.equal(await posts(server), 3);
  assert.deepEqual(await vigil.syncs(server.url), []);
  const log = await vigil.log();
  assert.deepEqual(log.filter(entry => entry.event === 'Dispatched sync event').map(entry => entry.metadata['Last Chance']), ['No', 'No', 'Yes']);
  assert.deepEqual(log.filter(entry => entry.event === 'sync event failed').map(entry => entry.metadata['Next Attempt Delay (ms)']), ['300000', '900000']);
  await vigil.call('clock', 'advance', '48h');
  assert.equal(await posts(server), 3);
});

test('a waiting retry says so, with its time', async t => {
  const { vigil, server } = await failingApp(t);
  const [sync] = await vigil.syncs(server.url);
  assert.equal(sync.reason, 'waiting-for-retry');
  assert.equal(sync.attempts, 1);
  assert.match(await vigil.call('syncs'), /sync-post/);
});

test('the retry is kept over kill -9, and neither early nor lost', async t => {
  const { vigil, server } = await failingApp(t);
  await vigil.kill();
  await vigil.start();
  await vigil.call('network', 'online');
  const [sync] = await vigil.syncs(server.url);
  assert.equal(sync.attempts, 1);
  assert.equal(await posts(server), 1);
  await server.fail('ok');
  await vigil.call('clock', 'advance', '5min');
  assert.deepEqual((await server.posts()).map(post => post.text), ['stubborn']);
  assert.deepEqual(await vigil.syncs(server.url), []);
});

test('registering a waiting tag again runs it now', async t => {
  const { vigil, server } = await failingApp(t);
  await server.fail('ok');
  await publish(vigil, server.url, 'second');
  assert.deepEqual((await server.untilPosts(2)).map(post => post.text), ['stubborn', 'second']);
});

test('a retry that is due while offline runs when the network is back', async t => {
  const { vigil, server } = await failingApp(t);
  await server.fail('ok');
  await vigil.call('network', 'offline');
  await vigil.call('clock', 'advance', '1h');
  assert.equal(await posts(server), 1);
  assert.equal((await vigil.syncs(server.url))[0].reason, 'offline');
  await vigil.call('network', 'online');
  assert.deepEqual((await server.untilPosts(1)).map(post => post.text), ['stubborn']);
});

test('a handler that does not end fails after three minutes', async t => {
  const vigil = await startVigil(t, kVirtual);
  const server = await startFiles(t, minimalApp(
    'self.addEventListener("sync", event => event.waitUntil(fetch("started").then(() => new Promise(() => {}))));', { '/started': 'ok' }));
  await vigil.call('install', server.url);
  await vigil.call('record', 'on');
  await vigil.inPage(server.url, 'await (await navigator.serviceWorker.ready).sync.register("endless")');
  await server.requests('/started', 1);
  await vigil.call('clock', 'advance', '179s');
  assert.equal((await vigil.syncs(server.url))[0].state, 'firing');
  await vigil.call('clock', 'advance', '1s');
  assert.equal((await vigil.syncs(server.url))[0].attempts, 1);
  const failed = (await vigil.log()).filter(entry => entry.event === 'sync event failed');
  assert.equal(failed.at(-1).metadata['Failure Reason'], 'timeout');
});

test('a daemon that is stopped while the event runs has used up no attempt', async t => {
  const vigil = await startVigil(t);
  const server = await startServer(t);
  await vigil.call('install', server.url);
  await server.fail('hang');
  await publish(vigil, server.url, 'interrupted');
  await eventually('the post is on its way', () => server.requests('POST'), requests => requests.length === 1);
  await vigil.stop();
  await server.fail('ok');
  await vigil.start();
  await vigil.call('network', 'online');
  assert.deepEqual((await server.untilPosts(1)).map(post => post.text), ['interrupted']);
  await eventually('no sync is left', () => vigil.syncs(server.url), syncs => syncs.length === 0);
});
