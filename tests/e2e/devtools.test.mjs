// The DevTools protocol endpoint, spoken to as tools do: what it finds, what it is told, and what it can do.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimalApp } from './support/app-server.mjs';
import { Cdp, devtoolsAddress, list } from './support/cdp.mjs';
import { kManual, kVirtual, outcomeInPage, startFiles, startVigil } from './support/fixture.mjs';

const kWorker = `
self.addEventListener('install', event => event.waitUntil(self.skipWaiting()));
self.addEventListener('sync', event => {
  console.log('sync', event.tag, event.lastChance);
  event.waitUntil(event.tag.startsWith('fail') ? Promise.reject(new Error('nope'))
    : fetch('ran?tag=' + event.tag + '&last=' + event.lastChance, { method: 'POST' }));
});
self.addEventListener('periodicsync', event => event.waitUntil(fetch('ran?periodic=' + event.tag, { method: 'POST' })));
self.addEventListener('push', event => event.waitUntil(fetch('ran', { method: 'POST', body: event.data ? event.data.text() : 'none' })));
`;

async function start(t, options = kManual, worker = kWorker) {
  const vigil = await startVigil(t, [...options, '--devtools', '127.0.0.1:0']);
  const app = await startFiles(t, minimalApp(worker, { '/ran': { body: '', status: 200 } }));
  await vigil.call('install', app.url);
  const address = devtoolsAddress(vigil);
  const connect = async url => {
    const cdp = await Cdp.connect(url);
    t.after(() => cdp.close());
    return cdp;
  };
  const page = (await list(address)).find(target => target.type === 'page');
  return { vigil, app, address, connect, page };
}

const register = (vigil, app, tag) => outcomeInPage(vigil, app.url, `registration.sync.register(${JSON.stringify(tag)})`);
const isEvent = name => ({ backgroundServiceEvent }) => backgroundServiceEvent.eventName === name;
const rows = cdp => cdp.events.filter(event => event.method === 'BackgroundService.backgroundServiceEventReceived')
  .map(event => event.params.backgroundServiceEvent);

test('the endpoint says what it is and which targets there are', async t => {
  const { app, address } = await start(t);
  const version = await list(address, 'version');
  assert.match(version.Browser, /^Vigil\//);
  assert.equal(version['Protocol-Version'], '1.3');
  assert.match(version.webSocketDebuggerUrl, new RegExp(`^ws://${address}/devtools/browser/[0-9A-F]{32}$`));
  const targets = await list(address);
  assert.deepEqual(targets.map(target => target.type), ['page', 'service_worker']);
  assert.equal(targets[0].url, app.url);
  assert.equal(targets[1].url, app.url + 'sw.js');
  for (const target of targets) {
    assert.equal(target.webSocketDebuggerUrl, `ws://${address}/devtools/page/${target.id}`);
    assert.ok(target.devtoolsFrontendUrl.endsWith(`?ws=${address}/devtools/page/${target.id}`));
  }
  const { domains } = await list(address, 'protocol');
  assert.ok(domains.find(({ domain }) => domain === 'BackgroundService').commands.some(({ name }) => name === 'setRecording'));
  const answer = await fetch(`http://${address}/json/list`);
  assert.ok(answer.headers.get('content-length') > 0);
});

test('what is recorded of a sync has the names, keys and order of Chromium', async t => {
  const { vigil, app, connect, page } = await start(t);
  const cdp = await connect(page.webSocketDebuggerUrl);
  const service = 'backgroundSync';
  await cdp.call('BackgroundService.startObserving', { service });
  await cdp.call('BackgroundService.setRecording', { service, shouldRecord: true });
  assert.deepEqual(cdp.events.map(event => event.params), [{ isRecording: false, service }, { isRecording: true, service }]);
  assert.equal(await register(vigil, app, 'outbox'), 'ok');
  await cdp.event('BackgroundService.backgroundServiceEventReceived', isEvent('Sync completed'));
  assert.equal(await register(vigil, app, 'failA'), 'ok');
  await cdp.event('BackgroundService.backgroundServiceEventReceived', isEvent('sync event failed'));
  const seen = rows(cdp);
  assert.deepEqual(Object.keys(seen[0]), ['timestamp', 'origin', 'serviceWorkerRegistrationId', 'service', 'eventName', 'instanceId', 'eventMetadata', 'storageKey']);
  assert.equal(seen[0].origin, app.url);
  assert.equal(seen[0].storageKey, app.url);
  assert.ok(Math.abs(seen[0].timestamp - Date.now() / 1000) < 60);
  const told = row => [row.eventName, row.instanceId, ...row.eventMetadata.map(({ key, value }) => `${key}: ${value}`)];
  assert.deepEqual(seen.map(told), [
    ['Registered sync', 'outbox'],
    ['Dispatched sync event', 'outbox', 'Last Chance: No'],
    ['Sync completed', 'outbox', 'Status: succeeded'],
    ['Registered sync', 'failA'],
    ['Dispatched sync event', 'failA', 'Last Chance: No'],
    ['sync event failed', 'failA', 'Next Attempt Delay (ms): 300000', 'Failure Reason: waitUntil rejected'],
  ]);

  const second = await connect(page.webSocketDebuggerUrl);
  await second.call('BackgroundService.startObserving', { service });
  assert.deepEqual(rows(second).map(row => row.eventName), seen.map(row => row.eventName));
  assert.deepEqual(told(rows(second).at(-1)).slice(2), ['Failure Reason: waitUntil rejected', 'Next Attempt Delay (ms): 300000']);
  await cdp.call('BackgroundService.clearEvents', { service });
  await cdp.call('BackgroundService.setRecording', { service, shouldRecord: false });
  await second.event('BackgroundService.recordingStateChanged', ({ isRecording }) => !isRecording);
  const third = await connect(page.webSocketDebuggerUrl);
  await third.call('BackgroundService.startObserving', { service });
  assert.deepEqual(third.events.map(event => event.params), [{ isRecording: false, service }]);
});

test('registrations and versions are told as they change', async t => {
  const { app, connect, page } = await start(t);
  const cdp = await connect(page.webSocketDebuggerUrl);
  const refused = await cdp.ask('ServiceWorker.startWorker', { scopeURL: app.url });
  assert.equal(refused.error.message, 'ServiceWorker domain not enabled');
  await cdp.call('ServiceWorker.enable');
  const updated = await cdp.event('ServiceWorker.workerRegistrationUpdated');
  assert.deepEqual(updated.params.registrations, [{ registrationId: '1', scopeURL: app.url, isDeleted: false }]);
  const first = (await cdp.event('ServiceWorker.workerVersionUpdated')).params.versions[0];
  assert.equal(first.scriptURL, app.url + 'sw.js');
  assert.equal(first.status, 'activated');
  const versionIs = (field, value) => ({ versions }) => versions.some(version => version[field] === value);
  let since = cdp.events.length;
  await cdp.call('ServiceWorker.stopWorker', { versionId: first.versionId });
  await cdp.event('ServiceWorker.workerVersionUpdated', versionIs('runningStatus', 'stopped'), since);
  since = cdp.events.length;
  await cdp.call('ServiceWorker.startWorker', { scopeURL: app.url });
  await cdp.event('ServiceWorker.workerVersionUpdated', versionIs('runningStatus', 'running'), since);
  // A new worker beside the old one, which then is redundant.
  app.files['/sw.js'] += '// changed';
  since = cdp.events.length;
  await cdp.call('ServiceWorker.updateRegistration', { scopeURL: app.url });
  await cdp.event('ServiceWorker.workerVersionUpdated',
    ({ versions }) => versions.some(version => version.versionId !== first.versionId && version.status === 'activated'), since);
  await cdp.event('ServiceWorker.workerVersionUpdated',
    ({ versions }) => versions.some(version => version.versionId === first.versionId && version.status === 'redundant'), since);
  const states = cdp.events.slice(since).flatMap(({ params }) => params.versions ?? [])
    .filter(version => version.versionId !== first.versionId).map(version => version.status);
  assert.deepEqual([...new Set(states)], ['installing', 'installed', 'activating', 'activated']);
  await cdp.call('ServiceWorker.unregister', { scopeURL: app.url });
  await cdp.event('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => registrations[0]?.isDeleted, since);
});

test('events are sent by hand: sync, periodicsync and push', async t => {
  const { app, connect, page } = await start(t);
  const cdp = await connect(page.webSocketDebuggerUrl);
  await cdp.call('ServiceWorker.enable');
  const origin = new URL(app.url).origin;
  const registrationId = '1';
  await cdp.call('ServiceWorker.dispatchSyncEvent', { origin, registrationId, tag: 'by-hand', lastChance: true });
  await cdp.call('ServiceWorker.dispatchPeriodicSyncEvent', { origin, registrationId, tag: 'daily' });
  await cdp.call('ServiceWorker.deliverPushMessage', { origin, registrationId, data: 'Hello' });
  const requests = await app.requests('/ran', 3);
  assert.ok(requests.some(request => request.body === 'Hello'));
  const nobody = await cdp.ask('ServiceWorker.dispatchSyncEvent', { origin, registrationId: '77', tag: 'x', lastChance: false });
  assert.match(nobody.error.message, /No service worker registration/);
});

test('scripts are evaluated in the worker, and its console is heard', async t => {
  const { app, connect, page } = await start(t);
  const cdp = await connect(page.webSocketDebuggerUrl);
  await cdp.call('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: true });
  const { sessionId, targetInfo } = (await cdp.event('Target.attachedToTarget')).params;
  assert.equal(targetInfo.type, 'service_worker');
  await cdp.call('Runtime.enable', {}, sessionId);
  const { result } = await cdp.call('Runtime.evaluate',
    { expression: 'Promise.resolve(registration.scope)', awaitPromise: true, returnByValue: true }, sessionId);
  assert.equal(result.value, app.url);
  await cdp.call('ServiceWorker.enable');
  await cdp.call('ServiceWorker.dispatchSyncEvent', { origin: '', registrationId: '1', tag: 'spoken', lastChance: false });
  const line = await cdp.event('Runtime.consoleAPICalled', ({ args }) => args[1]?.value === 'spoken');
  assert.equal(line.sessionId, sessionId);
  assert.deepEqual(line.params.args.map(({ value }) => value), ['sync', 'spoken', false]);
  // A session at the app has no script to evaluate in, and says what to do.
  const none = await cdp.ask('Runtime.evaluate', { expression: '1' });
  assert.match(none.error.message, /No script runs here/);
  await cdp.call('ServiceWorker.stopAllWorkers');
  const detached = await cdp.event('Target.detachedFromTarget');
  assert.equal(detached.params.sessionId, sessionId);
  assert.equal((await cdp.ask('Runtime.evaluate', { expression: '1' }, sessionId)).error.code, -32001);
});

test('a sync handler stands at a breakpoint for longer than its limit and succeeds all the same', async t => {
  const worker = `self.addEventListener('sync', event => {
    const answer = 40 + 2;
    event.waitUntil(fetch('ran?answer=' + answer, { method: 'POST' }));
  });`;
  const { vigil, app, connect, page } = await start(t, kVirtual, worker);
  const cdp = await connect(page.webSocketDebuggerUrl);
  const service = 'backgroundSync';
  await cdp.call('BackgroundService.startObserving', { service });
  await cdp.call('BackgroundService.setRecording', { service, shouldRecord: true });
  await cdp.call('ServiceWorker.enable');
  await cdp.call('ServiceWorker.stopAllWorkers');
  await cdp.event('ServiceWorker.workerVersionUpdated', ({ versions }) => versions[0].runningStatus === 'stopped');
  // Registered before it may run: a page that registers waits until all is quiet, and a script at a breakpoint is not.
  await cdp.call('Network.emulateNetworkConditionsByRule', { offline: true, emulateOfflineServiceWorker: true });
  assert.equal(await register(vigil, app, 'stop-here'), 'ok');
  await cdp.call('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: true, flatten: true });
  await cdp.call('Network.emulateNetworkConditionsByRule', { offline: false });
  const { sessionId, waitingForDebugger } = (await cdp.event('Target.attachedToTarget')).params;
  assert.ok(waitingForDebugger);
  await cdp.call('Debugger.enable', {}, sessionId);
  await cdp.call('Debugger.setBreakpointByUrl', { lineNumber: 1, url: app.url + 'sw.js' }, sessionId);
  await cdp.call('Runtime.runIfWaitingForDebugger', {}, sessionId);
  const paused = await cdp.event('Debugger.paused');
  assert.equal(paused.params.callFrames[0].location.lineNumber, 1);
  // The event's limit is three minutes; an hour is asked for, and does not pass before the script goes on.
  const advanced = vigil.call('clock', 'advance', '1h');
  const since = cdp.events.length;
  await cdp.call('Debugger.stepOver', {}, sessionId);
  const stepped = await cdp.event('Debugger.paused', () => true, since);
  assert.equal(stepped.params.callFrames[0].location.lineNumber, 2);
  const { result } = await cdp.call('Debugger.evaluateOnCallFrame',
    { callFrameId: stepped.params.callFrames[0].callFrameId, expression: 'answer' }, sessionId);
  assert.equal(result.value, 42);
  assert.deepEqual(rows(cdp).map(row => row.eventName), ['Registered sync', 'Dispatched sync event']);
  await cdp.call('Debugger.resume', {}, sessionId);
  await cdp.event('BackgroundService.backgroundServiceEventReceived', isEvent('Sync completed'));
  assert.deepEqual(rows(cdp).at(-1).eventMetadata, [{ key: 'Status', value: 'succeeded' }]);
  await advanced;
  assert.equal((await app.requests('/ran', 1)).length, 1);
});

test('a worker that is emulated to be offline keeps its sync until it is online again, or the tool leaves', async t => {
  const { vigil, app, connect, page } = await start(t);
  const cdp = await connect(page.webSocketDebuggerUrl);
  const rule = offline => ({ offline, emulateOfflineServiceWorker: true, matchedNetworkConditions: [] });
  await cdp.call('Network.emulateNetworkConditionsByRule', rule(true));
  assert.equal(await register(vigil, app, 'kept'), 'ok');
  assert.match((await vigil.json('syncs'))[0].reason_text ?? JSON.stringify(await vigil.json('syncs')), /offline/);
  await cdp.call('Network.emulateNetworkConditionsByRule', rule(false));
  await app.requests('/ran', 1);
  await cdp.call('Network.emulateNetworkConditionsByRule', rule(true));
  assert.equal(await register(vigil, app, 'again'), 'ok');
  cdp.close();
  await app.requests('/ran', 2);
});

test('what is no command is refused, and the conversation goes on', async t => {
  const { connect, page, address } = await start(t);
  const cdp = await connect(page.webSocketDebuggerUrl);
  const answers = [];
  for (const text of ['{', '[]', '{"id":"1","method":"x"}', '{"id":7}', '{"id":8,"method":"Page.enable","params":3}', '[' .repeat(5000), '{"id":9,"method":"Nothing.at.all"}', '{"id":10,"method":"","sessionId":"no"}']) {
    const since = cdp.events.length;
    cdp.raw(text);
    await cdp.call('Page.enable');
    answers.push(cdp.events.slice(since).map(({ error }) => error.code)[0]);
  }
  assert.deepEqual(answers, [-32700, -32600, -32600, -32600, -32600, -32700, -32601, -32001]);
  for (const path of ['/devtools/page/UNKNOWN', '/devtools/browser/UNKNOWN']) {
    await assert.rejects(Cdp.connect(`ws://${address}${path}`), /404/);
  }
});

test('a hundred tools at once are all told, and those that leave cost nothing', async t => {
  const { vigil, app, connect, page } = await start(t);
  const tools = await Promise.all(Array.from({ length: 100 }, () => connect(page.webSocketDebuggerUrl)));
  const service = 'backgroundSync';
  await Promise.all(tools.map(cdp => cdp.call('BackgroundService.startObserving', { service })));
  await tools[0].call('BackgroundService.setRecording', { service, shouldRecord: true });
  for (const cdp of tools.slice(50)) cdp.close();
  assert.equal(await register(vigil, app, 'for-all'), 'ok');
  await Promise.all(tools.slice(0, 50).map(cdp =>
    cdp.event('BackgroundService.backgroundServiceEventReceived', isEvent('Sync completed'))));
});
