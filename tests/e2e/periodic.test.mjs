// The second story and its rules: installed, permitted, engaged, on a known network, no more often than asked.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kVirtual, outcomeInPage, startServer, startVigil, tagsOf } from './support/fixture.mjs';

// The pages of the app look at their feed, too; what the worker asks for on its own is what counts here.
const feeds = server => server.requestsOfWorker('GET', '/api/feed').then(requests => requests.length);
const register = (tag, hours) => `registration.periodicSync.register('${tag}', { minInterval: ${hours} * 3600000 })`;

async function installedApp(t) {
  const vigil = await startVigil(t, kVirtual);
  const server = await startServer(t);
  await vigil.call('install', server.url);
  return { vigil, server };
}

async function dailyFeed(t) {
  const { vigil, server } = await installedApp(t);
  await vigil.inPage(server.url, 'await registerPeriodicFeedUpdate()');
  assert.deepEqual(tagsOf(await vigil.syncs(server.url)), ['update-feed-content']);
  return { vigil, server };
}

test('low engagement and minInterval 24 h: one run a day, and the Cache is fresh', async t => {
  const { vigil, server } = await dailyFeed(t);
  assert.equal((await vigil.engagement(server.url)).level, 'low');
  await vigil.call('clock', 'advance', '86399s');
  assert.equal(await feeds(server), 0);
  await vigil.call('clock', 'advance', '1s');
  assert.equal(await feeds(server), 1);
  await vigil.call('clock', 'advance', '48h');
  assert.equal(await feeds(server), 3);
  const feed = await vigil.valueInPage(server.url, 'caches.match("api/feed").then(response => response.json())');
  assert.equal(feed.revision, 0);
});

test('a short minInterval is rounded up to what the engagement allows', async t => {
  const { vigil, server } = await installedApp(t);
  assert.equal(await outcomeInPage(vigil, server.url, register('update-feed-content', 1)), 'ok');
  await vigil.call('clock', 'advance', '72h');
  assert.equal(await feeds(server), 3);
});

test('an interval between two multiples is rounded up', async t => {
  const { vigil, server } = await installedApp(t);
  assert.equal(await outcomeInPage(vigil, server.url, register('update-feed-content', 25)), 'ok');
  await vigil.call('clock', 'advance', '47h');
  assert.equal(await feeds(server), 0);
  await vigil.call('clock', 'advance', '1h');
  assert.equal(await feeds(server), 1);
});

test('due while offline: one run when the network is back', async t => {
  const { vigil, server } = await dailyFeed(t);
  await vigil.call('network', 'offline');
  await vigil.call('clock', 'advance', '72h');
  assert.equal(await feeds(server), 0);
  assert.equal((await vigil.syncs(server.url))[0].reason, 'offline');
  await vigil.call('network', 'online');
  await vigil.call('clock', 'advance', '1s');
  assert.equal(await feeds(server), 1);
});

test('unregister ends it', async t => {
  const { vigil, server } = await dailyFeed(t);
  await vigil.inPage(server.url, 'await disablePeriodicFeedUpdate()');
  assert.deepEqual(await vigil.syncs(server.url), []);
  await vigil.call('clock', 'advance', '72h');
  assert.equal(await feeds(server), 0);
});

test('a failed run is repeated after 5 and 15 minutes, then waits for its next period; the tag stays', async t => {
  const { vigil, server } = await dailyFeed(t);
  await server.fail('unavailable');
  await vigil.call('clock', 'advance', '24h');
  assert.equal(await feeds(server), 1);
  await vigil.call('clock', 'advance', '5min');
  assert.equal(await feeds(server), 2);
  await vigil.call('clock', 'advance', '15min');
  assert.equal(await feeds(server), 3);
  await vigil.call('clock', 'advance', '23h');
  assert.equal(await feeds(server), 3);
  await vigil.call('clock', 'advance', '1h');
  assert.equal(await feeds(server), 4);
});

test('it survives kill -9, and the period is not begun anew', async t => {
  const { vigil, server } = await dailyFeed(t);
  await vigil.call('clock', 'advance', '20h');
  await vigil.kill();
  await vigil.start();
  await vigil.call('network', 'online');
  assert.deepEqual(tagsOf(await vigil.syncs(server.url)), ['update-feed-content']);
  await vigil.call('clock', 'advance', '4h');
  assert.equal(await feeds(server), 1);
});

test('an app that is not installed is refused', async t => {
  const vigil = await startVigil(t, kVirtual);
  const server = await startServer(t);
  const lines = await vigil.inPage(server.url, 'await registerPeriodicFeedUpdate()');
  assert.ok(lines.some(line => line.includes('Periodic Background Sync is not granted.')), lines.join('\n'));
  assert.equal(await outcomeInPage(vigil, server.url, register('x', 24)), 'NotAllowedError');
  assert.deepEqual(await vigil.syncs(), []);
});

test('removing the app ends its periodic sync', async t => {
  const { vigil, server } = await dailyFeed(t);
  await vigil.call('remove', server.url);
  await vigil.call('clock', 'advance', '72h');
  assert.equal(await feeds(server), 0);
  assert.deepEqual(await vigil.json('apps'), []);
});

test('a denied permission ends what is registered and refuses more, of both kinds; allowing it again helps', async t => {
  const { vigil, server } = await dailyFeed(t);
  await vigil.call('network', 'offline');
  await vigil.inPage(server.url, 'await publishPostOnConnected(createPost("unsent"))');
  await vigil.call('permission', server.url, 'background-sync', 'deny');
  await vigil.call('network', 'online');
  await vigil.call('clock', 'advance', '72h');
  assert.equal(await feeds(server), 0);
  assert.deepEqual(await server.requests('POST'), []);
  assert.equal(await outcomeInPage(vigil, server.url, "registration.sync.register('x')"), 'NotAllowedError');
  assert.equal(await outcomeInPage(vigil, server.url, register('x', 24)), 'NotAllowedError');
  await vigil.call('permission', server.url, 'background-sync', 'allow');
  assert.equal(await outcomeInPage(vigil, server.url, "registration.sync.register('sync-post')"), 'ok');
  assert.deepEqual((await server.untilPosts(1)).map(post => post.text), ['unsent']);
});

test('periodic alone can be denied', async t => {
  const { vigil, server } = await dailyFeed(t);
  await vigil.call('permission', server.url, 'periodic-background-sync', 'deny');
  assert.equal(await outcomeInPage(vigil, server.url, register('x', 24)), 'NotAllowedError');
  await vigil.call('clock', 'advance', '72h');
  assert.equal(await feeds(server), 0);
  assert.equal(await outcomeInPage(vigil, server.url, "registration.sync.register('x')"), 'ok');
});
