// The same work, done by Chromium: the same app, the same server, driven by its DevTools protocol.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kChromium, openChromium } from '../tests/e2e/support/chromium.mjs';
import { eventually, makeFolder } from '../tests/e2e/support/processes.mjs';
import { commandOf, descendantsOf, privateKb, sum } from './memory.mjs';
import { OriginServer } from './origin-server.mjs';
import { median, percentile } from './statistics.mjs';

const wallMs = () => performance.timeOrigin + performance.now();

async function withApp(work, path = '') {
  const server = await OriginServer.start();
  const browser = await openChromium();
  try {
    const page = await browser.openApp(server.url + path);
    return await work(browser, page, server);
  } finally {
    await browser.close();
    await server.stop();
  }
}

// What a DevTools command needs to get to the browser, in ms: half of the quickest round trip.
async function commandMs(session) {
  const times = [];
  for (let round = 0; round < 50; round += 1) {
    const started = performance.now();
    await session.send('Browser.getVersion');
    times.push(performance.now() - started);
  }
  return Math.min(...times) / 2;
}

// How far the clock of the app's process is ahead of ours, in ms: from the quickest of several questions.
async function clockOffset(page) {
  let best = { took: Infinity };
  for (let round = 0; round < 50; round += 1) {
    const before = wallMs();
    const there = await page.evaluate(() => performance.timeOrigin + performance.now());
    const took = wallMs() - before;
    if (took < best.took) best = { took, offset: there - (before + took / 2) };
  }
  return best.offset;
}

// Times from the dispatch to the handler's first line, in ms; `prepare` runs before each.
async function dispatches(rounds, prepare, path) {
  return withApp(async (browser, page, server) => {
    const { session } = await browser.devtools(page);
    const registrationId = await browser.registrationId(page, server.url);
    const [travel, offset] = [await commandMs(session), await clockOffset(page)];
    const times = [];
    for (let round = 0; round <= rounds; round += 1) {
      await prepare(browser, page, server);
      const started = wallMs();
      await session.send('ServiceWorker.dispatchSyncEvent', { origin: new URL(server.url).origin, registrationId, tag: 'mark', lastChance: false });
      const { query } = await server.request('/mark', round + 1);
      times.push(Number(query.at) - offset - started - travel);
    }
    return times.slice(1);
  }, path);
}

export async function coldStart(rounds, page) {
  const times = await dispatches(rounds, (browser, tab, server) => browser.stopWorker(tab, server.url), page);
  return { p50: median(times), p95: percentile(times, 0.95) };
}

export async function warmDispatch(rounds) {
  return median(await dispatches(rounds, () => {}));
}

// The worker's own target, offline, so that nothing that is registered fires.
async function cutWorkerOff(browser, server) {
  const session = await browser.context.browser().newBrowserCDPSession();
  const { targetInfos } = await session.send('Target.getTargets');
  const worker = targetInfos.find(info => info.type === 'service_worker' && info.url.startsWith(server.url));
  const { sessionId } = await session.send('Target.attachToTarget', { targetId: worker.targetId, flatten: false });
  let id = 0;
  const waiting = new Map();
  session.on('Target.receivedMessageFromTarget', ({ message }) => {
    const reply = JSON.parse(message);
    waiting.get(reply.id)?.(reply);
  });
  const send = (method, params) => new Promise(resolve => {
    id += 1;
    waiting.set(id, resolve);
    session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method, params }) });
  });
  const emulate = offline => send('Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  await send('Network.enable', {});
  await emulate(true);
  return { mend: () => emulate(false) };
}

export function registrations(count, callers) {
  return withApp(async (browser, page, server) => {
    await cutWorkerOff(browser, server);
    return page.evaluate(([many, at]) => registerMany(many, at, 'tag-'), [count, callers]);
  });
}

export function drain(count) {
  return withApp(async (browser, page, server) => {
    const network = await cutWorkerOff(browser, server);
    await page.evaluate(many => fillQueue(many), count);
    await page.evaluate(async () => (await navigator.serviceWorker.ready).sync.register('drain'));
    await network.mend();
    return server.postsPerSecond(count);
  });
}

export function workboxReplay(count) {
  return withApp(async (browser, page, server) => {
    const network = await cutWorkerOff(browser, server);
    await page.evaluate(many => fillWorkboxQueue(many), count);
    await network.mend();
    return server.postsPerSecond(count);
  }, 'workbox.html');
}

export function storage(work, ...args) {
  return withApp((browser, page) => page.evaluate(code => (0, eval)(code), `${work}(${args.map(arg => JSON.stringify(arg)).join(', ')})`));
}

// Renderer processes of this browser.
function renderers() {
  return descendantsOf(process.pid).filter(pid => commandOf(pid).includes('--type=renderer'));
}

// Each origin is an address, and so a site, of its own: each worker has a process of its own, as in Vigil.
export async function workerMemory(origins) {
  const server = await OriginServer.start({ hosts: origins });
  const browser = await openChromium();
  try {
    const control = await browser.context.newPage();
    await control.goto(`${server.url}manifest.webmanifest`);
    const { session } = await browser.devtools(control);
    for (let number = 1; number <= origins; number += 1) {
      const page = await browser.openApp(server.origin(number));
      const registrationId = await browser.registrationId(control, server.origin(number));
      await page.close();
      // The worker has its event, and attached developer tools keep it from being stopped.
      await session.send('ServiceWorker.dispatchSyncEvent', { origin: new URL(server.origin(number)).origin, registrationId, tag: 'mark', lastChance: false });
      await server.request('/mark', number);
    }
    await control.goto('about:blank');
    const before = server.requests('/mark').length;
    // All at once, so that none has been stopped for being idle when the memory is read.
    for (let number = 1; number <= origins; number += 1) {
      const registrationId = await browser.registrationId(control, server.origin(number));
      await session.send('ServiceWorker.dispatchSyncEvent', { origin: new URL(server.origin(number)).origin, registrationId, tag: 'mark', lastChance: false });
    }
    await server.request('/mark', before + origins);
    const sizes = new Map(renderers().map(pid => [pid, privateKb(pid)]));
    // Which of the renderers are the workers'? Those that end with them.
    await session.send('ServiceWorker.stopAllWorkers');
    const rest = await eventually('the workers’ processes have ended', () => new Set(renderers()), left => left.size <= Math.max(0, sizes.size - origins));
    const ended = [...sizes].filter(([pid]) => !rest.has(pid)).map(([, size]) => size).sort((a, b) => a - b);
    return sum(ended.slice(0, origins)) / origins;
  } finally {
    await browser.close();
    await server.stop();
  }
}

// A start-up file that runs the browser inside the namespace.
function wrapper(network) {
  const path = join(makeFolder('wrapper'), 'chromium');
  writeFileSync(path, `#!/bin/sh\nexec ${network.enter.join(' ')} ${kChromium} "$@"\n`, { mode: 0o755 });
  return path;
}

// Chromium's sync manager learns later than navigator.onLine that the network is gone, and fires at once until then:
// registers until a tag has waited for a second.
async function registerWhileOffline(page) {
  await page.evaluate(async () => {
    const { sync } = await navigator.serviceWorker.ready;
    for (let waited = 0; waited < 10;) {
      if ((await sync.getTags()).length === 0) {
        await sync.register('mark');
        waited = 0;
      }
      await new Promise(resolve => setTimeout(resolve, 100));
      waited += 1;
    }
  });
}

export async function networkUp(network, rounds) {
  network.up();
  const server = await OriginServer.start({ prefix: network.enter });
  const browser = await openChromium({ executablePath: wrapper(network) });
  try {
    const page = await browser.openApp(server.url);
    const times = [];
    for (let round = 1; round <= rounds; round += 1) {
      network.down();
      await page.waitForFunction(() => navigator.onLine === false, undefined, { timeout: 60_000 });
      await registerWhileOffline(page);
      const seen = server.requests('/mark').length;
      const upUs = network.up();
      times.push(((await server.request('/mark', seen + 1)).atUs - upUs) / 1000);
      await eventually('the sync is done', () => page.evaluate(async () => (await navigator.serviceWorker.ready).sync.getTags()), tags => tags.length === 0);
    }
    return median(times);
  } finally {
    await browser.close();
    await server.stop();
  }
}
