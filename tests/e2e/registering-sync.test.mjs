// One-shot sync from where scripts call it: pages with and without a controller, the worker itself, no window at all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimalApp } from './support/app-server.mjs';
import { kManual, startFiles, startVigil, tagsOf } from './support/fixture.mjs';
import { eventually } from './support/processes.mjs';
import { closePages, evaluateIn, inPageOf, inWorkerOf, keepPage, startRegisteringApp } from './support/registering-app.mjs';

const register = tag => `registration.sync.register(${JSON.stringify(tag)})`;
const kDone = {};  // resolved with undefined
const kTags = 'registration.sync.getTags()';
const gone = (vigil, url) => eventually('the tag is gone', () => vigil.syncs(url), syncs => syncs.length === 0);

test('registered by a page that the worker controls, it fires and the tag goes', async t => {
  const { vigil, server } = await startRegisteringApp(t);
  assert.equal(await evaluateIn(vigil, server.app, 'navigator.serviceWorker.controller !== null'), true);
  assert.deepEqual(await inPageOf(vigil, server.app, kTags), { value: [] }, 'at first there is none');
  assert.deepEqual(await inPageOf(vigil, server.app, register('controlled')), kDone);
  await server.requests('/app/event', 1);
  await gone(vigil, server.app);
});

test('registered by a page that no worker controls, it fires and the tag goes', async t => {
  const { vigil, server } = await startRegisteringApp(t);
  assert.equal(await evaluateIn(vigil, server.outside, 'navigator.serviceWorker.controller'), null);
  assert.deepEqual(await inPageOf(vigil, server.outside, kTags), { value: [] });
  assert.deepEqual(await inPageOf(vigil, server.outside, register('uncontrolled')), kDone);
  await server.requests('/app/event', 1);
  await gone(vigil, server.app);
});

test('registered by the worker, it fires and the tag goes', async t => {
  const { vigil, server } = await startRegisteringApp(t);
  assert.deepEqual(await inWorkerOf(vigil, server.app, register('from the worker')), kDone);
  await server.requests('/app/event', 1);
  await gone(vigil, server.app);
});

test('registered by the worker while no page is open, it is refused', async t => {
  const vigil = await startVigil(t);
  const server = await startFiles(t, minimalApp(`self.addEventListener('sync', event => event.waitUntil(
    registration.sync.register('late').then(() => fetch('accepted'), error => fetch('refused/' + error.name))));`,
    { '/accepted': 'ok', '/refused/InvalidAccessError': 'ok' }));
  await vigil.call('install', server.url);
  assert.deepEqual(await vigil.json('page', 'list'), []);
  await vigil.call('fire', server.url, 'sync', 'by hand', '--any-tag');
  assert.deepEqual(server.log.map(entry => entry.path).filter(path => /accepted|refused/.test(path)), ['/refused/InvalidAccessError']);
  assert.deepEqual(await vigil.syncs(server.url), []);
});

test('registered offline, it waits for the network', async t => {
  const { vigil, server } = await startRegisteringApp(t);
  await vigil.call('network', 'offline');
  assert.deepEqual(await inPageOf(vigil, server.outside, register('delayed')), kDone);
  assert.deepEqual(tagsOf(await vigil.syncs(server.app)), ['delayed']);
  assert.equal(server.events(), 0);
  await vigil.call('network', 'online');
  await server.requests('/app/event', 1);
  await gone(vigil, server.app);
});

test('it is listed and firing until its promise settles', async t => {
  const { vigil, server } = await startRegisteringApp(t);
  server.holding = true;
  await inPageOf(vigil, server.app, register('held'));
  await server.requests('/app/event', 1);
  assert.deepEqual((await vigil.syncs(server.app)).map(sync => [sync.tag, sync.state]), [['held', 'firing']]);
  assert.deepEqual(await inPageOf(vigil, server.outside, kTags), { value: ['held'] });
  server.release();
  await gone(vigil, server.app);
});

test('with one attempt, a rejected promise removes it', async t => {
  const { vigil, server } = await startRegisteringApp(t, [...kManual, '--set', 'max_attempts=1']);
  server.holding = true;
  await inPageOf(vigil, server.app, register('once'));
  await server.requests('/app/event', 1);
  server.release(500);
  await gone(vigil, server.app);
  assert.equal(server.events(), 1);
});

test('page and worker see the same tags, in order', async t => {
  const { vigil, server } = await startRegisteringApp(t);
  await vigil.call('network', 'offline');
  await inPageOf(vigil, server.outside, register('foo'));
  await inPageOf(vigil, server.outside, register('bar'));
  assert.deepEqual(await inPageOf(vigil, server.outside, kTags), { value: ['bar', 'foo'] });
  assert.deepEqual(await inWorkerOf(vigil, server.outside, kTags), { value: ['bar', 'foo'] });
  assert.deepEqual(await inWorkerOf(vigil, server.outside, `${kTags}.then(tags => tags.includes('foo'))`), { value: true });
  assert.deepEqual(await inWorkerOf(vigil, server.outside, `${kTags}.then(tags => tags.includes('baz'))`), { value: false });
});

// ---- the end of the app's data

async function clearedAndSilent(vigil, server, before) {
  await vigil.call('storage', server.app, '--clear');
  assert.deepEqual(await vigil.syncs(), []);
  server.release();
  await vigil.call('network', 'offline');
  await vigil.call('network', 'online');
  await vigil.kill();
  await vigil.start();
  await vigil.call('network', 'online');
  assert.deepEqual(await vigil.syncs(), []);
  assert.equal(server.events(), before);
}

test('clearing the site takes a registration of a page along', async t => {
  const { vigil, server } = await startRegisteringApp(t);
  await vigil.call('network', 'offline');
  await inPageOf(vigil, server.outside, register('page'));
  await clearedAndSilent(vigil, server, 0);
});

test('clearing the site takes a registration of the worker along', async t => {
  const { vigil, server } = await startRegisteringApp(t);
  await vigil.call('network', 'offline');
  assert.deepEqual(await inWorkerOf(vigil, server.outside, register('worker')), kDone);
  await clearedAndSilent(vigil, server, 0);
});

test('clearing the site takes several registrations along', async t => {
  const { vigil, server } = await startRegisteringApp(t);
  await vigil.call('network', 'offline');
  for (const tag of ['a', 'b', 'c']) await inPageOf(vigil, server.outside, register(tag));
  assert.deepEqual(tagsOf(await vigil.syncs(server.app)), ['a', 'b', 'c']);
  await clearedAndSilent(vigil, server, 0);
});

test('clearing the site while an event runs takes its registration along', async t => {
  const { vigil, server } = await startRegisteringApp(t);
  server.holding = true;
  await inPageOf(vigil, server.app, register('running'));
  await server.requests('/app/event', 1);
  await clearedAndSilent(vigil, server, 1);
});

// ---- errors and ends, as scripts and users see them

const kNotActive = { error: 'InvalidStateError', message: 'Registration failed - no active Service Worker' };
const withoutPrefix = ({ error, message }) => ({ error, message: message.replace(/^Failed to execute 'register' on '\w+': /, '') });

test('a worker that is not yet active cannot be registered with, nor one that is unregistered', async t => {
  const vigil = await startVigil(t);
  const server = await startFiles(t, minimalApp(
    "self.addEventListener('install', event => event.waitUntil(new Promise(() => {})));",
    { '/page.js': '' }));
  const early = await vigil.valueInPage(server.url, `navigator.serviceWorker.register('sw.js').then(registration =>
    Promise.allSettled(['sync', 'periodicSync'].map(manager => registration[manager].register('early'))))
    .then(results => results.map(({ reason }) => ({ error: reason?.name, message: reason?.message })))`);
  assert.deepEqual(early.map(withoutPrefix), [kNotActive, kNotActive]);
  const good = await startRegisteringApp(t);
  const late = await inPageOf(good.vigil, good.server.outside, `registration.unregister().then(() =>
    Promise.allSettled(['sync', 'periodicSync'].map(manager => registration[manager].register('late'))))
    .then(results => results.map(({ reason }) => ({ error: reason?.name, message: reason?.message })))`);
  assert.deepEqual(late.value.map(withoutPrefix), [kNotActive, kNotActive]);
  assert.deepEqual(await good.vigil.syncs(), []);
});

test('a denied permission is a NotAllowedError with its message, in page and worker, for both kinds', async t => {
  const { vigil, server } = await startRegisteringApp(t);
  await vigil.call('permission', server.app, 'background-sync', 'deny');
  for (const ask of [inPageOf, inWorkerOf]) {
    for (const manager of ['sync', 'periodicSync']) {
      assert.deepEqual(await ask(vigil, server.app, `registration.${manager}.register('x')`),
        { error: 'NotAllowedError', message: 'Permission denied.' });
    }
  }
});

test('a tag that is too long is an InvalidAccessError, in page and worker, for both kinds', async t => {
  const { vigil, server } = await startRegisteringApp(t);
  await vigil.call('network', 'offline');
  for (const ask of [inPageOf, inWorkerOf]) {
    for (const manager of ['sync', 'periodicSync']) {
      assert.deepEqual(await ask(vigil, server.app, `registration.${manager}.register('x'.repeat(10240))`), kDone);
      assert.equal((await ask(vigil, server.app, `registration.${manager}.register('x'.repeat(10241))`)).error, 'InvalidAccessError');
    }
  }
});

test('switched off, every call is an UnknownError in the words of its kind', async t => {
  const { vigil, server } = await startRegisteringApp(t, [...kManual, '--set', 'disabled=true']);
  for (const ask of [inPageOf, inWorkerOf]) {
    for (const call of ["sync.register('x')", 'sync.getTags()']) {
      assert.deepEqual(await ask(vigil, server.app, `registration.${call}`), { error: 'UnknownError', message: 'Background Sync is disabled.' }, call);
    }
    for (const call of ["periodicSync.register('x')", 'periodicSync.getTags()', "periodicSync.unregister('x')"]) {
      assert.deepEqual(await ask(vigil, server.app, `registration.${call}`), { error: 'UnknownError', message: 'Unknown error.' }, call);
    }
  }
});

test('a worker that is stopped right after it registered is none the worse for it', async t => {
  const { vigil, server } = await startRegisteringApp(t);
  await vigil.call('network', 'offline');
  for (const manager of ['sync', 'periodicSync']) {
    assert.deepEqual(await inWorkerOf(vigil, server.outside, `registration.${manager}.register('stopped')`), kDone);
    await vigil.call('worker', 'stop', server.app);
  }
  assert.deepEqual(tagsOf(await vigil.syncs(server.app)), ['stopped', 'stopped']);
  await vigil.call('network', 'online');
  await server.requests('/app/event', 1);
  await eventually('the one-shot tag is gone', () => vigil.syncs(server.app), syncs => syncs.length === 1);
});

test('with every page closed a registration waits on, and the daemon ends as asked', async t => {
  const { vigil, server } = await startRegisteringApp(t);
  await vigil.call('network', 'offline');
  await inPageOf(vigil, server.outside, register('patient'));
  await closePages(vigil);
  assert.deepEqual(await vigil.json('page', 'list'), []);
  assert.equal((await vigil.stop()).status, 0);
  await vigil.start();
  await vigil.call('network', 'online');
  await server.requests('/app/event', 1);
  await gone(vigil, server.app);
});

test('two data directories are two worlds', async t => {
  const { vigil, server } = await startRegisteringApp(t);
  const other = await startVigil(t);
  await other.call('install', server.app);
  await keepPage(other, server.outside);
  for (const world of [vigil, other]) await world.call('network', 'offline');
  await inPageOf(vigil, server.outside, register('mine'));
  assert.deepEqual(await inPageOf(other, server.outside, kTags), { value: [] });
  assert.deepEqual(await other.syncs(), []);
  await other.call('network', 'online');
  assert.equal(server.events(), 0);
  await vigil.call('network', 'online');
  await server.requests('/app/event', 1);
});
