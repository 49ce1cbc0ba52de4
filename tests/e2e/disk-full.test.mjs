// A disk that is full: clear errors while it is, nothing acknowledged is lost, and all is well when there is room.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { kManual, outcomeInPage, publish, startServer, tagsOf } from './support/fixture.mjs';
import { makeFolder } from './support/processes.mjs';
import { Vigil } from './support/vigil.mjs';

// A small file system of its own, or undefined where that is not allowed.
function mountSmallDisk(megabytes) {
  const folder = makeFolder('disk');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    return undefined;
  }
}

// Writes until nothing more fits.
function fill(folder) {
  const file = openSync(join(folder, 'filler'), 'w');
  const page = Buffer.alloc(4096);
  try {
    for (;;) writeSync(file, page);
  } catch (error) {
    if (error.code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
}

test('a full disk', async t => {
  const disk = mountSmallDisk(16);
  if (!disk) return t.skip('mounting a small file system needs root');
  const vigil = await Vigil.start({ data: join(disk, 'state'), options: kManual });
  t.after(async () => {
    await vigil.stop();
    execFileSync('umount', [disk]);
    rmSync(disk, { recursive: true, force: true });
  });
  const [server, other] = [await startServer(t), await startServer(t)];
  await vigil.call('network', 'online');
  await vigil.call('install', server.url);
  await vigil.call('network', 'offline');
  await publish(vigil, server.url, 'acknowledged');
  fill(disk);

  // Nothing is acknowledged that is not on the disk.
  const acknowledged = ['sync-post'];
  for (let number = 0; number < 200; number += 1) {
    const tag = `tag-${number}-${'x'.repeat(8000)}`;
    if ((await outcomeInPage(vigil, server.url, `registration.sync.register('${tag}')`)) !== 'ok') break;
    acknowledged.push(tag);
    assert.ok(number < 199, 'the disk was never full');
  }
  await vigil.run('network', 'online');  // it is online, although that cannot be stored
  const refused = await vigil.run('install', other.url);
  assert.equal(refused.status, 1, `${refused.text()}\n${vigil.process.signal}\n${vigil.process.text()}`);
  assert.equal(vigil.process.status, undefined, `the daemon lives: ${vigil.process.signal} ${vigil.process.text()}`);
  assert.match(refused.text('stderr'), /disk|space|full/i);
  assert.equal((await vigil.json('apps')).length, 1, 'nothing is half-installed');
  assert.equal(vigil.process.status, undefined, 'the daemon lives');

  await vigil.kill();
  rmSync(join(disk, 'filler'));
  await vigil.start();
  await vigil.call('network', 'offline');
  await vigil.call('network', 'online');
  assert.deepEqual((await server.untilPosts(1)).map(post => post.text), ['acknowledged']);
  await vigil.call('install', other.url);
  assert.equal((await vigil.json('apps')).length, 2);
  assert.ok(tagsOf(await vigil.syncs(server.url)).every(tag => acknowledged.includes(tag)));
});
