// Periodic sync from where scripts call it, and the answers they get.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kVirtual, tagsOf } from './support/fixture.mjs';
import { eventually } from './support/processes.mjs';
import { evaluateIn, inPageOf, inWorkerOf, startRegisteringApp } from './support/registering-app.mjs';

const kHour = 3_600_000;
const register = (tag, hours) =>
  `registration.periodicSync.register(${JSON.stringify(tag)}${hours === undefined ? '' : `, { minInterval: ${hours * kHour} }`})`;
const unregister = tag => `registration.periodicSync.unregister(${JSON.stringify(tag)})`;
const kDone = {};  // resolved with undefined
const kTags = 'registration.periodicSync.getTags()';
const start = t => startRegisteringApp(t, kVirtual);
const fired = server => server.log.filter(entry => entry.path === '/app/event').length;

test('registered by a page, with or without an interval, it is listed and fires', async t => {
  const { vigil, server } = await start(t);
  assert.deepEqual(await inPageOf(vigil, server.app, kTags), { value: [] });
  assert.deepEqual(await inPageOf(vigil, server.app, register('with', 12)), kDone);
  assert.deepEqual(await inPageOf(vigil, server.app, register('without')), kDone);
  assert.deepEqual(await inPageOf(vigil, server.outside, kTags), { value: ['with', 'without'] });
  await vigil.call('clock', 'advance', '24h');
  assert.equal(fired(server), 2);
  assert.deepEqual(tagsOf(await vigil.syncs(server.app)), ['with', 'without']);
});

test('registered by the worker, with or without an interval, it is listed', async t => {
  const { vigil, server } = await start(t);
  assert.deepEqual(await inWorkerOf(vigil, server.app, register('with', 12)), kDone);
  assert.deepEqual(await inWorkerOf(vigil, server.app, register('without')), kDone);
  assert.deepEqual(await inPageOf(vigil, server.app, kTags), { value: ['with', 'without'] });
});

test('page and worker find a tag, and do not find another', async t => {
  const { vigil, server } = await start(t);
  await inPageOf(vigil, server.app, register('here', 12));
  for (const ask of [inPageOf, inWorkerOf]) {
    assert.deepEqual(await ask(vigil, server.app, `${kTags}.then(tags => [tags.includes('here'), tags.includes('there')])`),
      { value: [true, false] });
  }
});

test('the worker unregisters', async t => {
  const { vigil, server } = await start(t);
  await inPageOf(vigil, server.app, register('short-lived', 12));
  assert.deepEqual(await inWorkerOf(vigil, server.app, unregister('short-lived')), kDone);
  assert.deepEqual(await inPageOf(vigil, server.app, kTags), { value: [] });
  await vigil.call('clock', 'advance', '72h');
  assert.equal(fired(server), 0);
});

test('options may be missing or empty and must make sense; an unknown tag is unregistered all the same', async t => {
  const { vigil, server } = await start(t);
  const call = args => inPageOf(vigil, server.app, `registration.periodicSync.register(${args})`);
  assert.deepEqual(await call("'none'"), kDone);
  assert.deepEqual(await call("'empty', {}"), kDone);
  assert.equal((await call("'negative', { minInterval: -1000 }")).error, 'TypeError');
  assert.deepEqual(await inPageOf(vigil, server.app, kTags), { value: ['empty', 'none'] });
  assert.deepEqual(await inPageOf(vigil, server.app, unregister('never seen')), kDone);
  assert.deepEqual(await inPageOf(vigil, server.app, unregister('empty')), kDone);
  assert.deepEqual(await inPageOf(vigil, server.app, kTags), { value: ['none'] });
});

test('due while offline, it fires on the connection, and again after each gap', async t => {
  const { vigil, server } = await start(t);
  await inPageOf(vigil, server.app, register('steady', 24));
  await vigil.call('network', 'offline');
  await vigil.call('clock', 'advance', '24h');
  assert.equal(fired(server), 0);
  await vigil.call('network', 'online');
  await server.requests('/app/event', 1);
  for (let count = 2; count <= 4; ++count) {
    await vigil.call('clock', 'advance', '24h');
    assert.equal(fired(server), count);
  }
});

test('tags with intervals of their own: another interval replaces the old one, unregistering stops one only', async t => {
  const { vigil, server } = await start(t);
  const order = [];
  server.files['/app/event'] = (request, response) => {
    order.push(new URL(request.url, 'http://server').search.slice(1));
    response.writeHead(200).end();
  };
  await inPageOf(vigil, server.app, register('foo', 24));
  await inPageOf(vigil, server.app, register('bar', 24));
  await vigil.call('clock', 'advance', '24h');
  assert.deepEqual(order.splice(0).sort(), ['bar', 'foo']);
  await inPageOf(vigil, server.app, register('foo', 48));
  assert.deepEqual(await inPageOf(vigil, server.app, kTags), { value: ['bar', 'foo'] }, 'still two');
  await vigil.call('clock', 'advance', '24h');
  assert.deepEqual(order.splice(0), ['bar']);
  await inPageOf(vigil, server.app, unregister('bar'));
  await vigil.call('clock', 'advance', '48h');
  assert.deepEqual(order.splice(0), ['foo']);
});

test('it is firing until its promise settles, and stays', async t => {
  const { vigil, server } = await start(t);
  server.holding = true;
  await inPageOf(vigil, server.app, register('held', 24));
  const advanced = vigil.call('clock', 'advance', '24h');
  await server.requests('/app/event', 1);
  assert.deepEqual((await vigil.syncs(server.app)).map(sync => [sync.tag, sync.state]), [['held', 'firing']]);
  server.release();
  await advanced;
  await eventually('the run is over', () => vigil.syncs(server.app), syncs => syncs[0]?.state === 'pending');
});

test('the permission is told to pages that ask, and its change when the app goes and comes', async t => {
  const { vigil, server } = await start(t);
  const evaluate = code => evaluateIn(vigil, server.outside, code);
  const query = name => `navigator.permissions.query({ name: '${name}' })`;
  assert.equal(await evaluate(`${query('background-sync')}.then(status => status.state)`), 'granted');
  assert.equal(await evaluate(`${query('periodic-background-sync')}.then(status => {
    globalThis.status = status;
    globalThis.changes = [];
    status.onchange = () => changes.push(status.state);
    return status.state;
  })`), 'granted');
  await vigil.call('permission', server.app, 'background-sync', 'deny');
  await vigil.call('permission', server.app, 'background-sync', 'allow');
  await vigil.call('remove', server.app);
  await vigil.call('install', server.app);
  assert.deepEqual(await evaluate('changes'), ['denied', 'granted', 'denied', 'granted']);
});
