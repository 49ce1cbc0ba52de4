// Virtual time by the DevTools protocol: Emulation.setVirtualTimePolicy moves the daemon's virtual clock.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimalApp } from './support/app-server.mjs';
import { Cdp, devtoolsAddress, list } from './support/cdp.mjs';
import { kManual, kVirtual, outcomeInPage, startFiles, startVigil } from './support/fixture.mjs';

const kWorker = `self.addEventListener('sync', event => event.waitUntil(
  fetch('ran', { method: 'POST', body: String(event.lastChance) }).then(() => Promise.reject(new Error('no')))));`;
const kHour = 3_600_000;

async function start(t, options) {
  const vigil = await startVigil(t, [...options, '--devtools', '127.0.0.1:0']);
  const app = await startFiles(t, minimalApp(kWorker, { '/ran': { body: '', status: 200 } }));
  await vigil.call('install', app.url);
  const [page] = await list(devtoolsAddress(vigil));
  const cdp = await Cdp.connect(page.webSocketDebuggerUrl);
  t.after(() => cdp.close());
  return { vigil, app, cdp };
}
const now = async vigil => Date.parse((await vigil.json('clock', 'advance', '0s')).now);

test('a budget lets the retries of a failing sync come, and is told when it is used up', async t => {
  const { vigil, app, cdp } = await start(t, kVirtual);
  assert.equal(await outcomeInPage(vigil, app.url, 'registration.sync.register("fails")'), 'ok');
  await app.requests('/ran', 1);
  const before = await now(vigil);
  const { virtualTimeTicksBase } = await cdp.call('Emulation.setVirtualTimePolicy', { policy: 'advance', budget: kHour });
  assert.equal(typeof virtualTimeTicksBase, 'number');
  await cdp.event('Emulation.virtualTimeBudgetExpired');
  assert.equal(await now(vigil) - before, kHour);
  const runs = await app.requests('/ran', 3);
  assert.deepEqual(runs.map(({ body }) => body), ['false', 'false', 'true']);
  assert.deepEqual(await vigil.json('syncs'), []);
  await cdp.call('Emulation.setVirtualTimePolicy', { policy: 'pause' });
  assert.equal(await now(vigil) - before, kHour);
});

test('what cannot be done with the clock is refused with the reason', async t => {
  const { cdp } = await start(t, kVirtual);
  const policy = params => cdp.ask('Emulation.setVirtualTimePolicy', params);
  assert.equal((await policy({})).error.code, -32602);
  assert.equal((await policy({ policy: 'backwards' })).error.code, -32602);
  assert.equal((await policy({ policy: 'advance', budget: '1' })).error.data, 'params.budget: number expected');
  for (const budget of [-1, 1e300]) assert.match((await policy({ policy: 'advance', budget })).error.message, /between 0 and a hundred years/);
  assert.match((await policy({ policy: 'advance' })).error.message, /Pass a budget/);
  assert.match((await policy({ policy: 'pause', initialVirtualTime: 1 })).error.message, /cannot be set/);
  const real = await start(t, kManual);
  assert.match((await real.cdp.ask('Emulation.setVirtualTimePolicy', { policy: 'advance', budget: 1 })).error.message, /--clock virtual/);
});
