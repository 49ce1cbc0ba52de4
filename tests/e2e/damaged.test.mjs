// Damaged databases under the real daemon: it says what happened and what to do, keeps what was damaged, and goes on
// showing it until somebody has dealt with it. The many ways to damage a file are in src/store/damage_test.cc;
// docs/durability.md has the table.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { kManual, publish, startServer, tagsOf } from './support/fixture.mjs';
import { makeFolder } from './support/processes.mjs';
import { assertRefused } from './support/refusals.mjs';
import { Vigil } from './support/vigil.mjs';

// A daemon that was stopped, or killed, while a registration was waiting.
async function startWaiting(t, { data, kill = false } = {}) {
  const server = await startServer(t);
  const vigil = await Vigil.start({ options: kManual, ...(data ? { data } : {}) });
  t.after(() => vigil.stop());
  await vigil.call('network', 'online');
  await vigil.call('install', server.url);
  await vigil.call('network', 'offline');
  await publish(vigil, server.url, 'waiting');
  await (kill ? vigil.kill() : vigil.stop());
  return { server, vigil, file: name => join(vigil.data, name) };
}

const refused = (vigil, pattern) => assertRefused(vigil.serve().ended, pattern);

async function doctorSees(vigil, pattern) {
  const checks = JSON.parse((await vigil.run('doctor', '--json')).text('stdout'));
  const check = checks.find(({ name }) => name === 'stored data');
  assert.equal(check.state, pattern ? 'warning' : 'good');
  if (pattern) assert.match(check.detail, pattern);
}

test('damaged records: one refusal, then an empty start that keeps saying so', async t => {
  const { vigil, file } = await startWaiting(t);
  truncateSync(file('vigil.db'), 20_000);
  const line = await refused(vigil, /its end is cut off.*set aside as .*vigil\.db\.damaged-1.*put a backup in its place, or start again/);
  assert.ok(line.includes('Vigil\'s records'));
  await doctorSees(vigil, /vigil\.db\.damaged-1/);

  await vigil.start();  // as a supervisor does at once, hiding the line above
  assert.match(vigil.process.text('stderr'), /starts empty.*vigil\.db\.damaged-1/);
  const syncs = await vigil.run('syncs');
  assert.match(syncs.text('stdout'), /nothing is registered/);
  assert.match(syncs.text('stderr'), /damaged and is kept as .*vigil\.db\.damaged-1; see `vigil doctor`/);
  await doctorSees(vigil, /vigil\.db\.damaged-1/);
  rmSync(file('vigil.db.damaged-1'));
  await doctorSees(vigil);
  assert.equal((await vigil.run('syncs')).text('stderr'), '');
});

test('records whose log was removed: one refusal, then what is left', async t => {
  const { server, vigil, file } = await startWaiting(t, { kill: true });
  const log = readFileSync(file('vigil.db-wal'));
  rmSync(file('vigil.db-wal'));
  await refused(vigil, /vigil\.db-wal is missing.*put it back, or start again/);
  await doctorSees(vigil, /vigil\.db\.lost-log-1/);
  writeFileSync(file('vigil.db-wal'), log);
  await vigil.start();
  assert.deepEqual(tagsOf(await vigil.syncs(server.url)), ['sync-post']);
});

test('a file of a newer Vigil and of another program: refused, left as it is', async t => {
  const { vigil, file } = await startWaiting(t);
  const whole = readFileSync(file('vigil.db'));
  const change = (offset, value) => {
    const content = Buffer.from(whole);
    content.writeUInt32BE(value, offset);
    writeFileSync(file('vigil.db'), content);
    return content;
  };
  const newer = change(60, 1000);  // user_version
  await refused(vigil, /written by a newer Vigil \(format 1000, this one knows \d+\).*left as it is; install the newer version/);
  assert.deepEqual(readFileSync(file('vigil.db')), newer);
  const foreign = change(68, 1);   // application_id
  await refused(vigil, /is a database, but not Vigil's records; choose another directory, or move it away/);
  assert.deepEqual(readFileSync(file('vigil.db')), foreign);
});

test('a disk that may only be read: refused, with what to do', async t => {
  const disk = makeFolder('disk');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    return t.skip('mounting a small file system needs root');
  }
  t.after(() => execFileSync('umount', ['-l', disk]));
  const { vigil } = await startWaiting(t, { data: join(disk, 'state') });
  execFileSync('mount', ['-o', 'remount,ro', disk]);
  await refused(vigil, /Read-only file system; give this user write access|choose another directory/);
  execFileSync('mount', ['-o', 'remount,rw', disk]);
  await vigil.start();
  assert.equal((await vigil.syncs()).length, 1);
  return undefined;
});

test('a damaged event log: set aside, and nobody waits for it', async t => {
  const { server, vigil, file } = await startWaiting(t);
  writeFileSync(file('log.db'), 'rubbish');
  await vigil.start();
  assert.match(vigil.process.text('stderr'), /event log was damaged.*log\.db\.damaged-1.*nothing is recorded until `vigil record on`/);
  await vigil.call('network', 'online');
  await server.untilPosts(1);
  await doctorSees(vigil, /log\.db\.damaged-1/);
  await vigil.call('record', 'on');
});

test('damaged storage of an origin: its scripts are told, the others go on, the file is kept', async t => {
  const { server, vigil, file } = await startWaiting(t);
  const storage = readdirSync(file('storage'), { recursive: true }).map(String);
  const outbox = join(file('storage'), storage.find(name => name.endsWith('social-feed.sqlite')));
  truncateSync(outbox, 5_000);
  await vigil.start();
  // The page's own script is the first that looks for its posts.
  const { console } = await vigil.json('page', 'open', server.url);
  assert.ok(console.some(({ text }) => text.includes('UnknownError')), 'nobody takes it for empty');
  await doctorSees(vigil, /social-feed\.sqlite\.damaged-1/);
  assert.ok(existsSync(`${outbox}.damaged-1`));
  assert.deepEqual(tagsOf(await vigil.syncs(server.url)), ['sync-post'], 'the registration is untouched');
  assert.equal(await vigil.valueInPage(server.url, 'savedPosts().then(posts => posts.length, error => error.name)'), 0);
});
