// Workers that own their process: they make system calls and write to the daemon's socket themselves. Real sandbox, real
// daemon (`vigil serve --test-natives` lends the scripts a native that makes any call).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimalApp } from './support/app-server.mjs';
import { publish, startFiles, startServer, startVigil } from './support/fixture.mjs';
import { eventually } from './support/processes.mjs';

const kCalls = process.arch === 'x64'
  ? { write: 1, openat: 257, socket: 41, kill: 62, ptrace: 101, clone: 56, mount: 165, dup: 32 }
  : { write: 64, openat: 56, socket: 198, kill: 129, ptrace: 117, clone: 220, mount: 40, dup: 23 };

const evil = code => `
  const calls = ${JSON.stringify(kCalls)};
  const call = (name, ...words) => __vigilTest.syscall(calls[name], ...words);
  const say = async value => { await fetch('said', { method: 'POST', body: JSON.stringify(value) }); };
  // Protocol buffers and frames by hand.
  const varint = value => { const bytes = []; for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 + 128); bytes.push(value); return bytes; };
  const number = (field, value) => [...varint(field * 8), ...varint(value)];
  const bytes = (field, value) => [...varint(field * 8 + 2), ...varint(value.length), ...value];
  const text = (field, value) => bytes(field, [...new TextEncoder().encode(value)]);
  const frame = message => new Uint8Array([message.length & 255, message.length >> 8 & 255, message.length >> 16 & 255, 0, ...message]);
  const sendFrame = message => { const whole = frame(message); return call('write', 3, whole, whole.length); };
  self.addEventListener('install', () => self.skipWaiting());
  self.addEventListener('sync', event => event.waitUntil((async () => { ${code} })()));`;

async function unleash(t, code) {
  const vigil = await startVigil(t, ['--network', 'manual', '--test-natives', '--set', 'sync_event_limit=20s']);
  const server = await startServer(t);
  const hostile = await startFiles(t, minimalApp(evil(code), { '/said': 'ok' }));
  await vigil.call('install', server.url);
  await vigil.call('install', hostile.url);
  await vigil.call('record', 'on');
  return { vigil, server, hostile, run: () => vigil.inPage(hostile.url, 'await (await navigator.serviceWorker.ready).sync.register("evil")') };
}
const said = async (hostile, count = 1) => (await hostile.requests('/said', count)).map(({ body }) => JSON.parse(body));

async function isKilled({ vigil, hostile }, reason) {
  await eventually('the run has failed', () => vigil.syncs(hostile.url), syncs => syncs[0]?.attempts >= 1);
  assert.ok((await vigil.log()).some(line => reason.test(line.text ?? '')));
}

test('system calls of a service worker are refused', async t => {
  const world = await unleash(t, `await say({
    file: call('openat', -100, '/etc/passwd\\0', 0, 0), self: call('openat', -100, '/proc/self/mem\\0', 2, 0),
    database: call('openat', -100, 'vigil.db\\0', 0, 0),
    socket: call('socket', 2, 1, 0), kill: call('kill', 1, 0), ptrace: call('ptrace', 16, 1, 0, 0), clone: call('clone', 17, 0, 0, 0, 0), dup: call('dup', 3) });`);
  await world.run();
  const [errors] = await said(world.hostile);
  for (const [what, errno] of Object.entries(errors)) assert.equal(errno, 1, what);
});

test('a forbidden system call ends the worker, and the reason is recorded', async t => {
  const world = await unleash(t, 'call("mount", "none", "/", "tmpfs", 0, 0);');
  await world.run();
  await isKilled(world, /forbidden system call/);
  await publish(world.vigil, world.server.url, 'goes on');
  await world.server.untilPosts(1);
});

test('forged messages that name what belongs to another app change nothing there', async t => {
  const world = await unleash(t, `
    for (let id = 1; id < 20; id++) {
      if (id === registrationId) continue;
      sendFrame(bytes(3, [...number(1, 900000 + id), ...number(2, id), ...bytes(7, text(1, 'forged'))]));    // sync.register
      sendFrame(bytes(3, [...number(1, 910000 + id), ...number(2, id), ...bytes(31, [])]));                  // unregister
      sendFrame(bytes(3, [...number(1, 920000 + id), ...number(2, id), ...bytes(16, text(2, 'forged'))]));   // showNotification
      sendFrame(bytes(14, [...text(1, 'anything'), ...number(2, id)]));                                      // acknowledge
    }
    await say('sent');`);
  const own = (await world.vigil.json('worker', 'list')).find(one => one.origin === new URL(world.hostile.url).origin).id;
  world.hostile.files['/sw.js'] = `const registrationId = ${own};\n${world.hostile.files['/sw.js']}`;
  await world.vigil.call('worker', 'update', world.hostile.url);
  await world.vigil.call('network', 'offline');
  await publish(world.vigil, world.server.url, 'mine').catch(() => {});
  await world.vigil.call('network', 'online');
  await world.server.untilPosts(1);
  const before = await world.vigil.json('worker', 'list');
  await world.run();
  assert.deepEqual(await said(world.hostile), ['sent']);
  assert.deepEqual((await world.vigil.json('worker', 'list')).map(one => one.id), before.map(one => one.id));
  assert.deepEqual((await world.vigil.syncs(world.server.url)).map(sync => sync.tag), []);
  assert.deepEqual(await world.vigil.json('notifications'), []);
});

for (const [name, send, reason] of [
  ['bytes that are no message', 'call("write", 3, new Uint8Array([5, 0, 0, 0, 255, 255, 255, 255, 255]), 9)', /malformed message/],
  ['a frame of gigabytes', 'call("write", 3, new Uint8Array([255, 255, 255, 127]), 4)', /message that is too large/],
  ['text that is not UTF-8', 'sendFrame(bytes(7, [...bytes(2, [0xff, 0xfe])]))', /malformed message/],
  ['that it has started, again', 'sendFrame(bytes(1, number(1, 1)))', /started twice/],
]) {
  test(`a worker that sends ${name} is ended`, async t => {
    const world = await unleash(t, `${send}; await new Promise(() => {});`);
    await world.run();
    await isKilled(world, reason);
    await publish(world.vigil, world.server.url, 'goes on');
    await world.server.untilPosts(1);
  });
}
