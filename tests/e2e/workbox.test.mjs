// workbox-background-sync 7.4.1 as npm carries it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { kRoot, eventually } from './support/processes.mjs';
import { startServer, startVigil, tagsOf } from './support/fixture.mjs';

const kTag = 'workbox-background-sync:posts';

test('failed POSTs are queued, survive kill -9, and are replayed in order', async t => {
  const { version } = JSON.parse(readFileSync(join(kRoot, 'node_modules/workbox-background-sync/package.json'), 'utf8'));
  assert.equal(version, '7.4.1');
  const vigil = await startVigil(t);
  const server = await startServer(t, 'workbox-queue');
  await vigil.call('install', server.url);
  const sent = await vigil.inPage(server.url, 'await post("online")');
  assert.ok(sent.some(line => line.includes('sent: online')), sent.join('\n'));
  await vigil.call('network', 'offline');
  const queued = await vigil.inPage(server.url, 'for (const text of ["a", "b", "c"]) await post(text)');
  assert.equal(queued.filter(line => line.includes('queued: ')).length, 3, queued.join('\n'));
  assert.deepEqual(tagsOf(await vigil.syncs(server.url)), [kTag]);
  await vigil.kill();
  await vigil.start();
  await vigil.call('network', 'online');
  assert.deepEqual((await server.untilPosts(4)).map(post => post.text), ['online', 'a', 'b', 'c']);
  await eventually('no sync is left', () => vigil.syncs(server.url), syncs => syncs.length === 0);
});

test('a server that does not answer: the queue is kept and replayed at the retry', async t => {
  const vigil = await startVigil(t, ['--network', 'manual', '--clock', 'virtual']);
  const server = await startServer(t, 'workbox-queue');
  await vigil.call('install', server.url);
  await server.fail('drop');
  const lines = await vigil.inPage(server.url, 'await post("later")');
  assert.ok(lines.some(line => line.includes('queued: later')), lines.join('\n'));
  await eventually('the first replay has failed', () => vigil.syncs(server.url), syncs => syncs[0]?.attempts === 1);
  await server.fail('ok');
  await vigil.call('clock', 'advance', '5min');
  assert.deepEqual((await server.posts()).map(post => post.text), ['later']);
  assert.deepEqual(await vigil.syncs(server.url), []);
});
