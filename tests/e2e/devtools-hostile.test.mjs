// Tools that say anything at all, or that do not read: neither harms the daemon, nor the tools beside them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimalApp } from './support/app-server.mjs';
import { Cdp, devtoolsAddress, list } from './support/cdp.mjs';
import { kManual, kVirtual, startFiles, startVigil } from './support/fixture.mjs';
import { eventually } from './support/processes.mjs';

const kWorker = "self.addEventListener('sync', event => event.waitUntil(fetch('ran', { method: 'POST' })));";
const kSeed = 20260;
const kCommands = 4000;

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
  return { vigil, app, address, connect };
}

// The same numbers in every run (mulberry32).
function randomly(seed) {
  let state = seed;
  const below = limit => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  return { below, of: values => values[below(values.length)] };
}

const kNames = ['origin', 'storageKey', 'storageTypes', 'registrationId', 'versionId', 'scopeURL', 'tag', 'lastChance', 'service', 'shouldRecord', 'targetId',
  'sessionId', 'flatten', 'autoAttach', 'waitForDebuggerOnStart', 'discover', 'filter', 'offline', 'permission', 'permissions', 'setting', 'expression', 'data',
  'emulateOfflineServiceWorker', 'forceUpdateOnPageLoad', 'url', 'policy', 'budget', 'requestId', 'cacheId', 'databaseName', 'objectStoreName', 'indexName', 'skipCount', 'pageSize'];

function parameters(random, known) {
  const values = [...known, true, false, null, 0, 1, -1, 4.5, 1e300, Number.MAX_SAFE_INTEGER, '', '1', '0', '-1', '99999999999999999999', 'backgroundSync',
    'periodicBackgroundSync', 'all', 'granted', 'denied', 'prompt', 'advance', '\u0000', '\u202e', 'ü'.repeat(3000), [], {}, [null], [{}], { name: 7 },
    { name: 'periodic-background-sync' }, [{ type: 'page', exclude: 'yes' }], ['notifications', 5], 'javascript:1', 'https://[', 'http://127.0.0.1:1/'];
  const params = {};
  for (let count = random.below(6); count > 0; --count) params[random.of(kNames)] = random.of(values);
  return params;
}

test('each command with any parameters gets one answer, and the daemon goes on', async t => {
  const { vigil, app, address, connect } = await start(t);
  const { domains } = await list(address, 'protocol');
  const methods = domains.flatMap(({ domain, commands }) => commands.map(({ name }) => `${domain}.${name}`));
  assert.ok(methods.length > 50);
  const random = randomly(kSeed);
  const version = await list(address, 'version');
  // The worker's first: what is said at the others may end it, and its tools with it.
  const targets = [...(await list(address)).reverse(), version];
  assert.equal(targets[0].type, 'service_worker');
  for (const target of targets) {
    const cdp = await connect(target.webSocketDebuggerUrl);
    const known = [new URL(app.url).origin, app.url, target.id ?? 'none', '1'];
    // What V8 itself is asked in a worker is V8's affair, and a page that is opened takes its time.
    const skipped = target.type === 'service_worker'
      ? /^(Runtime|Debugger|Profiler|HeapProfiler|Console|Schema)\.|createTarget|closeTarget|\.stop.*Worker|unregister|clearData/ : /createTarget/;
    const asked = methods.filter(method => !skipped.test(method));
    const answers = await Promise.all(Array.from({ length: kCommands }, async () => {
      const method = random.of(asked);
      const answer = await cdp.ask(method, parameters(random, known));
      return { method, answer };
    }));
    for (const { method, answer } of answers) {
      assert.ok((answer.result === undefined) !== (answer.error === undefined), method);
      if (answer.error) assert.ok([-32601, -32602, -32000].includes(answer.error.code) && answer.error.message !== '', JSON.stringify([method, answer]));
    }
    cdp.close();
  }
  assert.deepEqual(await list(address, 'version'), version);
  await vigil.call('apps');
});

test('a tool that does not read is cut off, and nobody waits for it', async t => {
  const { vigil, address, connect } = await start(t);
  const [page] = await list(address);
  const slow = await connect(page.webSocketDebuggerUrl);
  const other = await connect(page.webSocketDebuggerUrl);
  slow.pause();
  // Each is answered by an error that names it.
  const long = 'x'.repeat(1 << 20);
  for (let count = 0; count < 64; ++count) slow.raw(JSON.stringify({ id: count, method: long }));
  const cut = vigil.process.line(/a WebSocket was cut off: its peer does not read/);
  for (let count = 0; count < 50; ++count) assert.ok((await other.call('Target.getTargets')).targetInfos.length > 0);
  await cut;
  assert.ok((await other.call('Target.getTargets')).targetInfos.length > 0);
});

test('a worker that never answers a tool is stopped for being idle once the tool has left', async t => {
  const { vigil, app, address, connect } = await start(t, kVirtual, `
    indexedDB.databases = async () => { await fetch('ran', { method: 'POST' }); return new Promise(() => {}); };`);
  const [page] = await list(address);
  const tool = await connect(page.webSocketDebuggerUrl);
  const origin = new URL(app.url).origin;
  tool.ask('IndexedDB.requestDatabaseNames', { securityOrigin: origin });
  await app.requests('/ran', 1);
  assert.ok((await list(address)).some(target => target.type === 'service_worker'));
  await vigil.call('clock', 'advance', '5m');
  assert.ok((await list(address)).some(target => target.type === 'service_worker'), 'not while the tool is there');
  tool.close();
  await eventually('the worker is stopped', async () => {
    await vigil.call('clock', 'advance', '1m');
    return list(address);
  }, targets => !targets.some(target => target.type === 'service_worker'));
});
