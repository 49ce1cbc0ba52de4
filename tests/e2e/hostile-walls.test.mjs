// Workers that own their process: they make system calls and write to the daemon's socket themselves. Real sandbox, real
// daemon (`vigil serve --test-natives` lends the scripts a native that makes any call).
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { publish } from './support/fixture.mjs';
import { captive, isStopped, othersGoOn, said, unleash } from './support/hostile.mjs';
import { eventually } from './support/processes.mjs';

const kCalls = process.arch === 'x64'
  ? { write: 1, openat: 257, socket: 41, kill: 62, ptrace: 101, clone: 56, mount: 165, dup: 32 }
  : { write: 64, openat: 56, socket: 198, kill: 129, ptrace: 117, clone: 220, mount: 40, dup: 23 };

const kPrelude = `
  const calls = ${JSON.stringify(kCalls)};
  const call = (name, ...words) => __vigilTest.syscall(calls[name], ...words);
  // Protocol buffers and frames by hand.
  const varint = value => { const bytes = []; for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 + 128); bytes.push(value); return bytes; };
  const number = (field, value) => [...varint(field * 8), ...varint(value)];
  const bytes = (field, value) => [...varint(field * 8 + 2), ...varint(value.length), ...value];
  const text = (field, value) => bytes(field, [...new TextEncoder().encode(value)]);
  const frame = message => new Uint8Array([message.length & 255, message.length >> 8 & 255, message.length >> 16 & 255, 0, ...message]);
  // In pieces that the socket takes whole or not at all (11, EAGAIN: it is full).
  const sendFrame = message => {
    const whole = frame(message);
    let error = 0;
    for (let at = 0; at < whole.length && (error === 0 || error === 11);) {
      const piece = whole.slice(at, at + 16000);
      error = call('write', 3, piece, piece.length);
      if (error === 0) at += piece.length;
    }
    return error;
  };`;

const confined = (t, code) => captive(t, code, { first: kPrelude, options: ['--test-natives'] });
const descriptorsOf = pid => readdirSync(`/proc/${pid}/fd`).length;

test('system calls of a service worker are refused', async t => {
  const world = await confined(t, `await say({
    file: call('openat', -100, '/etc/passwd\\0', 0, 0), self: call('openat', -100, '/proc/self/mem\\0', 2, 0),
    database: call('openat', -100, 'vigil.db\\0', 0, 0),
    socket: call('socket', 2, 1, 0), kill: call('kill', 1, 0), ptrace: call('ptrace', 16, 1, 0, 0), clone: call('clone', 17, 0, 0, 0, 0), dup: call('dup', 3) });`);
  await world.run();
  const [errors] = await said(world);
  for (const [what, errno] of Object.entries(errors)) assert.equal(errno, 1, what);
});

test('a forbidden system call ends the worker, and the reason is recorded', async t => {
  const world = await confined(t, 'call("mount", "none", "/", "tmpfs", 0, 0);');
  await world.run();
  await isStopped(world, /forbidden system call/);
  await othersGoOn(world);
});

test('forged messages that name what belongs to another app change nothing there', async t => {
  const world = await confined(t, `
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
  assert.deepEqual(await said(world), ['sent']);
  assert.deepEqual((await world.vigil.json('worker', 'list')).map(one => one.id), before.map(one => one.id));
  assert.deepEqual((await world.vigil.syncs(world.server.url)).map(sync => sync.tag), []);
  assert.deepEqual(await world.vigil.json('notifications'), []);
});

for (const [name, send, reason] of [
  ['bytes that are no message', 'call("write", 3, new Uint8Array([5, 0, 0, 0, 255, 255, 255, 255, 255]), 9)', /malformed message/],
  ['a frame of gigabytes', 'call("write", 3, new Uint8Array([255, 255, 255, 127]), 4)', /message that is too large/],
  ['text that is not UTF-8', 'sendFrame(bytes(7, [...bytes(2, [0xff, 0xfe])]))', /malformed message/],
  ['that it has started, again', 'sendFrame(bytes(1, number(1, 1)))', /started twice/],
  ['more of a body than it was granted', 'sendFrame(bytes(3, [...number(1, 9), ...bytes(3, [...text(1, "POST"), ...text(2, location.origin + "/x"), ...bytes(4, [...number(2, 77), ...number(3, 10485760)])])])); sendFrame(bytes(4, [...number(1, 77), ...bytes(2, new Uint8Array(300000))]))', /more of a body than it was granted/],
]) {
  test(`a worker that sends ${name} is ended`, async t => {
    const world = await confined(t, `${send}; await new Promise(() => {});`);
    await world.run();
    await isStopped(world, reason);
    await othersGoOn(world);
  });
}

test('no descriptor stays behind: neither of workers that come and go nor those that a worker sends', async t => {
  const world = await confined(t, 'for (let i = 0; i < 100; i++) __vigilTest.sendDescriptor(); await new Promise(() => {});');
  const { vigil, server, hostile } = world;
  const cycle = async () => {
    await vigil.call('worker', 'start', server.url);
    await vigil.call('worker', 'stop', server.url);
  };
  for (let i = 0; i < 3; i++) await cycle();
  const before = descriptorsOf(vigil.process.pid);
  for (let i = 0; i < 20; i++) await cycle();
  await world.run();
  await isStopped(world, /malformed message/);
  await vigil.call('worker', 'stop', hostile.url);
  await eventually('the count is what it was', async () => {
    await cycle();
    return descriptorsOf(vigil.process.pid);
  }, count => count <= before);
});

// Every function of the language and of the platform that a script can replace, replaced by one that looks at what it
// is given. Nothing that was made for us alone may pass through: the natives, the protocol's messages.
const kSpies = `
  const natives = ['serialize', 'requestSync', 'setTimer', 'send', 'exit'];
  const leaks = new Set();
  let watching = false;
  const isOurs = value => {
    try { return Object(value) === value && value !== globalThis && natives.every(name => typeof value[name] === 'function'); } catch { return false; }
  };
  const { apply, ownKeys, getOwnPropertyDescriptor, defineProperty } = Reflect;
  const names = new Set();
  const replace = (object, path) => {
    for (const key of ownKeys(object)) {
      const old = getOwnPropertyDescriptor(object, key);
      if (!old.configurable || typeof old.value !== 'function' || key === 'constructor' || /^[A-Z]/.test(String(key))) continue;
      const name = path + '.' + String(key);
      const spied = { [key](...given) {
        if (watching) {
          watching = false;
          names.add(name);
          for (let i = 0; i < given.length; i++) if (isOurs(given[i])) leaks.add(name);
          if (isOurs(this)) leaks.add(name);
          watching = true;
        }
        return apply(old.value, this, given);
      } }[key];
      try { defineProperty(object, key, { ...old, value: spied }); } catch {}
    }
  };
  for (const key of ownKeys(globalThis)) {
    const value = getOwnPropertyDescriptor(globalThis, key).value;
    if (typeof value !== 'function' && typeof value !== 'object' || value === null || value === globalThis) continue;
    if (!/^[A-Z]/.test(String(key))) continue;
    replace(value, String(key));
    if (value.prototype) replace(value.prototype, String(key) + '.prototype');
  }`;

test('a worker that replaces everything sees nothing of ours, and what it calls works', async t => {
  const world = await unleash(t, `
    const results = {};
    const step = async (name, work) => { watching = true; try { results[name] = await work(); } catch (error) { results[name] = String(error); } finally { watching = false; } };
    const wait = request => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error); });
    await step('fetch', async () => (await (await fetch('data')).text()));
    await step('cache', async () => { const cache = await caches.open('c'); await cache.put('k', new Response('v')); return (await cache.match('k')).text(); });
    await step('database', async () => {
      const opening = indexedDB.open('d');
      opening.onupgradeneeded = () => opening.result.createObjectStore('s');
      const database = await wait(opening);
      const store = database.transaction('s', 'readwrite').objectStore('s');
      store.put({ deep: [1, 2] }, 'k');
      return (await wait(store.get('k'))).deep[1];
    });
    await step('clone', () => structuredClone(new Map([[1, 2]])).get(1));
    await step('digest', async () => new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(3))).length);
    await step('tags', async () => (await registration.sync.getTags())[0]);
    await step('clients', async () => (await clients.matchAll({ includeUncontrolled: true })).length >= 0);
    await step('timer', () => new Promise(resolve => setTimeout(resolve, 1, 'fired')));
    await step('stream', async () => (await new Response(new Blob(['x']).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer()).byteLength > 0);
    results.leaks = [...leaks];
    results.names = names.size;
    await say(results);`, { first: kSpies, files: { '/data': 'text' } });
  const [{ names, ...results }] = await said(world);
  assert.deepEqual(results, { fetch: 'text', cache: 'v', database: 2, clone: 2, digest: 32, tags: 'evil', clients: true, timer: 'fired', stream: true, leaks: [] });
  assert.ok(names > 0, 'the spies saw something of the script itself');
  await othersGoOn(world);
});
