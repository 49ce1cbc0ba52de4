// Workers that loop, that take all memory, that die: they are ended and reported; the daemon and the other apps go on.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { minimalApp } from './support/app-server.mjs';
import { publish, startFiles, startServer, startVigil } from './support/fixture.mjs';
import { childrenOf, eventually, killAll } from './support/processes.mjs';

const kLimits = ['--network', 'manual', '--set', 'sync_event_limit=2s', '--set', 'event_limit=2s', '--set', 'worker_cpu_limit=2s'];

// A worker that begins the evil as soon as it gets a sync, after it has said so to its server.
const evil = what => `
  self.addEventListener('install', () => self.skipWaiting());
  self.addEventListener('sync', event => event.waitUntil((async () => { await fetch('started'); ${what} })()));`;

const kEvils = {
  'loops for ever': 'for (;;) {}',
  'loops in microtasks': 'const again = () => Promise.resolve().then(again); await again();',
  'fills its heap': 'const all = []; for (;;) all.push(new Array(1000).fill({ x: Math.random() }));',
  'fills array buffers': 'const all = []; for (;;) all.push(new Uint8Array(16 << 20).fill(1));',
  'makes one endless string': 'let text = "x"; for (;;) text += text + Math.random();',
  'recurses without end, catching it': 'const deep = () => { try { deep(); } catch { deep(); } }; deep();',
  'matches an endless regular expression': '/^(a+)+$/.test("a".repeat(60) + "b");',
};

for (const [name, code] of Object.entries(kEvils)) {
  test(`a worker that ${name}`, async t => {
    const vigil = await startVigil(t, kLimits);
    const server = await startServer(t);
    const hostile = await startFiles(t, minimalApp(evil(code), { '/started': 'ok' }));
    await vigil.call('install', server.url);
    await vigil.call('install', hostile.url);
    await vigil.call('record', 'on');
    await vigil.inPage(hostile.url, 'await (await navigator.serviceWorker.ready).sync.register("evil")');
    await hostile.requests('/started', 1);

    // The other app does not notice.
    await publish(vigil, server.url, 'meanwhile');
    assert.deepEqual((await server.untilPosts(1)).map(post => post.text), ['meanwhile']);

    // The run is failed, and said so.
    const [sync] = await eventually('the run has failed', () => vigil.syncs(hostile.url), syncs => syncs[0]?.attempts >= 1);
    assert.equal(sync.tag, 'evil');
    const failures = (await vigil.log()).filter(entry => entry.event === 'sync event failed' && entry.tag === 'evil');
    assert.equal(failures.length, 1);
    // Its process is gone, or idle again: nothing burns the processor for it.
    await eventually('no worker is busy', () => vigil.json('doctor').catch(() => ({})), () => busyWorkers(vigil) === 0);
    await publish(vigil, server.url, 'afterwards');
    await server.untilPosts(2);
    assert.equal(vigil.process.status, undefined);
  });
}

// Worker processes in the state "running" of the kernel.
function busyWorkers(vigil) {
  return childrenOf(vigil.process.pid).flatMap(pid => childrenOf(pid)).filter(pid => {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].startsWith('R');
    } catch {
      return false;
    }
  }).length;
}

test('a worker process that is killed from outside while its event runs', async t => {
  const vigil = await startVigil(t, ['--network', 'manual', '--clock', 'virtual']);
  const server = await startServer(t);
  await vigil.call('install', server.url);
  await server.fail('hang');
  await publish(vigil, server.url, 'survives its worker');
  await eventually('the post is on its way', () => server.requests('POST'), requests => requests.length === 1);
  const workers = childrenOf(vigil.process.pid).flatMap(pid => childrenOf(pid));
  assert.ok(workers.length >= 1);
  killAll(workers);
  await eventually('the run has failed', () => vigil.syncs(server.url), syncs => syncs[0]?.attempts === 1);
  await server.fail('ok');
  await vigil.call('clock', 'advance', '5min');
  assert.deepEqual((await server.posts()).map(post => post.text), ['survives its worker']);
});

test('the zygote that is killed is replaced', async t => {
  const vigil = await startVigil(t);
  const server = await startServer(t);
  await vigil.call('install', server.url);
  killAll(childrenOf(vigil.process.pid));
  await eventually('a worker starts again', () => vigil.run('worker', 'start', server.url), process => process.status === 0);
  await publish(vigil, server.url, 'by the new zygote');
  await server.untilPosts(1);
});

test('an install handler that loops is refused', async t => {
  const vigil = await startVigil(t, kLimits);
  const hostile = await startFiles(t, minimalApp('self.addEventListener("install", () => { for (;;) {} });'));
  const process = await vigil.run('install', hostile.url);
  assert.equal(process.status, 1, process.text());
  assert.deepEqual(await vigil.json('apps'), []);
});

test('a page that loops is ended, and the daemon answers others meanwhile', async t => {
  const vigil = await startVigil(t, kLimits);
  const server = await startServer(t);
  await vigil.call('install', server.url);
  const page = vigil.begin('page', 'open', server.url, '--eval', 'console.log("looping"); for (;;) {}');
  await page.line('looping');
  await vigil.call('apps');
  await page.kill('SIGINT');
  await eventually('the page is closed', () => vigil.json('page', 'list'), pages => pages.length === 0);
});

test('killing the daemon leaves no process behind', async t => {
  const vigil = await startVigil(t);
  const server = await startServer(t);
  await vigil.call('install', server.url);
  await vigil.call('worker', 'start', server.url);
  const zygotes = childrenOf(vigil.process.pid);
  const all = [...zygotes, ...zygotes.flatMap(pid => childrenOf(pid))];
  assert.ok(all.length >= 2, 'a zygote and a worker');
  await vigil.kill();
  const alive = pid => {
    try {
      return !readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].startsWith('Z');
    } catch {
      return false;
    }
  };
  await eventually('they are gone', () => new Promise(resolve => setImmediate(() => resolve(all.filter(alive)))), left => left.length === 0);
  await vigil.start();
});
