// The first story and its turns: posts written offline arrive, in order, once each.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, makeFolder } from './support/processes.mjs';
import { publish, startServer, startVigil, tagsOf } from './support/fixture.mjs';

const kPromise = 'Your post will be published automatically right after connection is restored. It is safe to close the app.';
const texts = posts => posts.map(post => post.text);
const noSyncs = (vigil, url) => eventually('no sync is left', () => vigil.syncs(url), syncs => syncs.length === 0);

test('a page that is open when the network goes publishes afterwards', async t => {
  const vigil = await startVigil(t);
  const server = await startServer(t);
  await vigil.call('install', server.url);
  const page = vigil.begin('page', 'open', server.url, '--eval', `
    console.log('open');
    await new Promise(resolve => addEventListener('offline', resolve, { once: true }));
    for (const text of ['one', 'two', 'three']) await publishPostOnConnected(createPost(text));`);
  await page.line('open');
  await vigil.call('network', 'offline');
  await page.ended;
  assert.equal(page.status, 0, page.text());
  assert.equal(page.lines('stdout').filter(line => line.includes(kPromise)).length, 3);
  assert.deepEqual(await server.requests('POST'), []);
  await vigil.call('network', 'online');
  assert.deepEqual(texts(await server.untilPosts(3)), ['one', 'two', 'three']);
  await noSyncs(vigil, server.url);
  assert.equal((await server.requests('POST')).length, 3);
});

test('the app opens without a network, from its worker’s cache, and publishes later', async t => {
  const vigil = await startVigil(t);
  const server = await startServer(t);
  await vigil.call('install', server.url);
  await vigil.call('network', 'offline');
  await publish(vigil, server.url, 'cold start');
  await vigil.call('network', 'online');
  assert.deepEqual(texts(await server.untilPosts(1)), ['cold start']);
});

test('posts, tags and the app survive kill -9 of the daemon', async t => {
  const vigil = await startVigil(t);
  const server = await startServer(t);
  await vigil.call('install', server.url);
  await vigil.call('network', 'offline');
  await publish(vigil, server.url, 'before', 'the end');
  await vigil.kill();
  await vigil.start();
  await vigil.call('network', 'offline');
  assert.deepEqual(tagsOf(await vigil.syncs(server.url)), ['sync-post']);
  assert.equal((await vigil.json('apps')).length, 1);
  await vigil.call('network', 'online');
  assert.deepEqual(texts(await server.untilPosts(2)), ['before', 'the end']);
  await noSyncs(vigil, server.url);
});

test('the feature detection of the article finds both APIs', async t => {
  const vigil = await startVigil(t);
  const server = await startServer(t);
  await vigil.call('install', server.url);
  const script = join(makeFolder('script'), 'detect.js');
  writeFileSync(script, `
    const post = createPost('detected');
    if ('serviceWorker' in navigator && 'SyncManager' in window) {
      publishPostOnConnected(post);
    } else {
      console.log('Background Sync is not supported');
    }`);
  const output = await vigil.call('page', 'open', server.url, '--script', script);
  assert.ok(output.includes(kPromise), output);
  assert.deepEqual(texts(await server.untilPosts(1)), ['detected']);
  assert.equal(await vigil.valueInPage(server.url, "'PeriodicSyncManager' in window"), true);
});

test('online, a post goes straight to the server', async t => {
  const vigil = await startVigil(t);
  const server = await startServer(t);
  await vigil.call('install', server.url);
  const lines = await vigil.inPage(server.url, "await publish('now')");
  assert.ok(lines.some(line => line.includes('Your post is published.')), lines.join('\n'));
  assert.deepEqual(texts(await server.posts()), ['now']);
  assert.deepEqual(await vigil.syncs(server.url), []);
});

test('a post whose answer was lost is sent again and kept once', async t => {
  const vigil = await startVigil(t, ['--network', 'manual', '--clock', 'virtual']);
  const server = await startServer(t);
  await vigil.call('install', server.url);
  await server.fail('drop-after');
  await publish(vigil, server.url, 'twice on the wire');
  await eventually('the first attempt has failed', () => vigil.syncs(server.url), syncs => syncs[0]?.attempts === 1);
  await server.fail('ok');
  await vigil.call('clock', 'advance', '5min');
  assert.deepEqual(texts(await server.posts()), ['twice on the wire']);
  assert.deepEqual(await vigil.syncs(server.url), []);
  assert.ok((await server.requests('POST')).length >= 2, 'it was sent more than once');
});

test('a post that the server refuses does not hold up the next', async t => {
  const vigil = await startVigil(t);
  const server = await startServer(t);
  await vigil.call('install', server.url);
  await vigil.call('network', 'offline');
  await publish(vigil, server.url, 'x'.repeat(10_001), 'short enough');
  await vigil.call('network', 'online');
  assert.deepEqual(texts(await server.untilPosts(1)), ['short enough']);
  await noSyncs(vigil, server.url);
  const kept = await vigil.valueInPage(server.url, 'savedPosts()');
  assert.deepEqual(kept.map(post => post.refused), [422]);
});

test('two apps do not see each other', async t => {
  const vigil = await startVigil(t);
  const [first, second] = [await startServer(t), await startServer(t)];
  await vigil.call('install', first.url);
  await vigil.call('install', second.url);
  await vigil.call('network', 'offline');
  await publish(vigil, first.url, 'of the first');
  assert.deepEqual(await vigil.syncs(second.url), []);
  assert.deepEqual(await vigil.valueInPage(second.url, 'savedPosts()'), []);
  await vigil.call('network', 'online');
  assert.deepEqual(texts(await first.untilPosts(1)), ['of the first']);
  assert.deepEqual(await second.posts(), []);
});
