// A hostile app beside an honest one, in one daemon.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimalApp } from './app-server.mjs';
import { publish, startFiles, startServer, startVigil } from './fixture.mjs';
import { eventually } from './processes.mjs';

// Begins as soon as it gets a sync; `first` runs when the script is run. What `say` is given comes to the server as a POST.
const evil = (code, first) => `
  const say = async value => { await fetch('said', { method: 'POST', body: JSON.stringify(value) }); };
  const nameOf = async work => { try { return await work(); } catch (error) { return error.name; } };
  ${first}
  self.addEventListener('install', () => self.skipWaiting());
  self.addEventListener('sync', event => event.waitUntil((async () => { ${code} })()));`;

// settings: of `vigil serve --set`; options: more of its options; files: more of the app's; page: code that a page runs
// before it registers the sync. Nothing is let loose before run().
export async function captive(t, code, { settings = {}, options = [], files = {}, first = '', page = '' } = {}) {
  const all = { sync_event_limit: '20s', ...settings };
  const vigil = await startVigil(t, ['--network', 'manual', ...options, ...Object.entries(all).flatMap(([name, value]) => ['--set', `${name}=${value}`])]);
  const server = await startServer(t);
  const hostile = await startFiles(t, minimalApp(evil(code, first), { '/said': 'ok', ...files }));
  await vigil.call('install', server.url);
  await vigil.call('install', hostile.url);
  await vigil.call('record', 'on');
  const run = () => vigil.inPage(hostile.url, `${page}; await (await navigator.serviceWorker.ready).sync.register("evil")`);
  return { vigil, server, hostile, run };
}

export async function unleash(t, code, more) {
  const world = await captive(t, code, more);
  await world.run();
  return world;
}

export const said = async ({ hostile }, count = 1) => (await hostile.requests('/said', count)).map(({ body }) => JSON.parse(body));

// Stopped for `reason`: the log says so, the run counts as an attempt, and the list of registrations tells why.
export async function isStopped({ vigil, hostile }, reason) {
  const [sync] = await eventually('the run has failed', () => vigil.syncs(hostile.url), syncs => syncs[0]?.attempts >= 1);
  assert.match(sync.last_failure, reason);
  assert.match(sync.explanation, reason);
  assert.equal(sync.state, 'waiting');
  // What is recorded comes to the log behind what the storage thread is at.
  const failures = all => all.filter(line => line.event === 'sync event failed' && line.tag === 'evil').length;
  const lines = await eventually('the failure is recorded', () => vigil.log(), all => failures(all) > 0);
  assert.equal(failures(lines), 1);
  assert.ok(lines.some(line => reason.test(line.text ?? '')), JSON.stringify(lines.filter(line => line.type !== 'event').slice(-5)));
}

// A test of each of them: what the worker does, the reason that it is stopped for, its code and more for captive().
export function areStopped(workers) {
  for (const [name, [reason, code, more]] of Object.entries(workers)) {
    test(`a worker that ${name} is stopped`, async t => {
      const world = await unleash(t, code, more);
      await isStopped(world, reason);
      await othersGoOn(world);
    });
  }
}

// Its worker's process is gone.
export const isIdle = ({ vigil, hostile }) => eventually('its process is gone', () => vigil.json('worker', 'list'), list =>
  list.find(one => one.origin === new URL(hostile.url).origin)?.active.running === 'stopped');

export async function othersGoOn({ vigil, server }) {
  const before = (await server.posts()).length;
  await publish(vigil, server.url, 'goes on');
  await server.untilPosts(before + 1);
  assert.equal(vigil.process.status, undefined);
}
