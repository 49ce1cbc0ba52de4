// The work, done by Vigil.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Vigil } from '../tests/e2e/support/vigil.mjs';
import { eventually } from '../tests/e2e/support/processes.mjs';
import { descendantsOf, privateKb, proportionalKb, sum } from './memory.mjs';
import { OriginServer } from './origin-server.mjs';
import { median, percentile } from './statistics.mjs';

const kManual = ['--network', 'manual'];

async function withApp(work, { options = kManual, page = '' } = {}) {
  const server = await OriginServer.start();
  const vigil = await Vigil.start({ options });
  try {
    await vigil.call('network', 'online');
    await vigil.call('install', server.url + page);
    return await work(vigil, server);
  } finally {
    await vigil.stop();
    await server.stop();
  }
}

async function fire(vigil, server) {
  const fired = await vigil.json('fire', server.url, 'sync', 'mark', '--any-tag');
  if (fired.outcome !== 'succeeded') throw new Error(`fire: ${JSON.stringify(fired)}`);
  return (fired.handler_started_at_us - fired.dispatched_at_us) / 1000;
}

// → { p50, p95 } in ms, from the dispatch to the handler's first line. page: which of the app's pages registers the worker.
export function coldStart(rounds, page) {
  return withApp(async (vigil, server) => {
    const times = [];
    for (let round = 0; round < rounds; round += 1) {
      await vigil.call('worker', 'stop', server.url);
      times.push(await fire(vigil, server));
    }
    return { p50: median(times), p95: percentile(times, 0.95) };
  }, { page });
}

export function warmDispatch(rounds) {
  return withApp(async (vigil, server) => {
    await fire(vigil, server);
    const times = [];
    for (let round = 0; round < rounds; round += 1) times.push(await fire(vigil, server));
    return median(times);
  });
}

// → registrations per second; each is durable before its promise resolves.
export function registrations(count, callers) {
  return withApp(async (vigil, server) => {
    await vigil.call('network', 'offline');
    return vigil.valueInPage(server.url, `registerMany(${count}, ${callers}, 'tag-')`);
  });
}

// → posts per second, from the first post's arrival to the last's.
export function drain(count) {
  return withApp(async (vigil, server) => {
    await vigil.call('network', 'offline');
    await vigil.valueInPage(server.url, `fillQueue(${count})`);
    await vigil.inPage(server.url, 'await (await navigator.serviceWorker.ready).sync.register("drain")');
    await vigil.call('network', 'online');
    return server.postsPerSecond(count);
  });
}

// The same with Workbox's queue and its replayRequests().
export function workboxReplay(count) {
  return withApp(async (vigil, server) => {
    await vigil.call('network', 'offline');
    await vigil.inPage(`${server.url}workbox.html`, `await fillWorkboxQueue(${count})`);
    await vigil.call('network', 'online');
    return server.postsPerSecond(count);
  }, { page: 'workbox.html' });
}

// → what a function of app/storage.js measured.
export function storage(work, ...args) {
  return withApp((vigil, server) => vigil.valueInPage(server.url, `${work}(${args.map(arg => JSON.stringify(arg)).join(', ')})`));
}

// The processes of the workers that run. (The daemon also keeps a spare one.)
async function workers(vigil) {
  return (await vigil.json('worker', 'list')).map(registration => registration.active?.pid).filter(pid => pid > 0);
}

// → kB of private memory per worker that has handled an event and is idle, with that many origins.
export async function workerMemory(origins) {
  const server = await OriginServer.start({ hosts: origins });
  const vigil = await Vigil.start({ options: [...kManual, '--set', 'worker_idle_stop=1h'] });
  try {
    await vigil.call('network', 'online');
    for (let number = 1; number <= origins; number += 1) {
      await vigil.inPage(server.origin(number), 'await registered; await navigator.serviceWorker.ready;');
      await vigil.json('fire', server.origin(number), 'sync', 'mark', '--any-tag');
    }
    const pids = await eventually(`${origins} workers run`, () => workers(vigil), found => found.length === origins);
    return sum(pids.map(privateKb)) / origins;
  } finally {
    await vigil.stop();
    await server.stop();
  }
}

// → { mb, delivered }: what the daemon and all its processes use together while a worker of each of so many origins runs,
// and how many of the events that came due at once were delivered.
export async function manyWorkers(origins) {
  const server = await OriginServer.start({ hosts: origins });
  const vigil = await Vigil.start({ options: [...kManual, '--set', 'worker_idle_stop=1h'] });
  try {
    await vigil.call('network', 'online');
    const numbers = Array.from({ length: origins }, (_, index) => index + 1);
    for (const number of numbers) await vigil.inPage(server.origin(number), 'await registered; await navigator.serviceWorker.ready;');
    await vigil.call('network', 'offline');
    for (const number of numbers) await vigil.inPage(server.origin(number), 'await (await navigator.serviceWorker.ready).sync.register("mark")');
    await vigil.call('network', 'online');
    await server.request('/mark', origins);
    await eventually(`${origins} workers run`, () => workers(vigil), found => found.length === origins);
    const processes = [vigil.process.pid, ...descendantsOf(vigil.process.pid)];
    const delivered = new Set(server.requests('/mark').map(request => request.host)).size;
    return { mb: sum(processes.map(proportionalKb)) / 1024, delivered };
  } finally {
    await vigil.stop();
    await server.stop();
  }
}

// Copies the one stored registration under other tags: a page would need minutes for a million.
function multiplyRegistration(file, count) {
  const database = new DatabaseSync(file);
  const columns = database.prepare('SELECT name FROM pragma_table_info(?)').all('sync_registrations').map(row => row.name);
  const values = columns.map(name => (name === 'tag' ? "'copy-' || number" : name));
  database.exec(`
    WITH RECURSIVE numbers (number) AS (SELECT 2 UNION ALL SELECT number + 1 FROM numbers WHERE number < ${count})
    INSERT INTO sync_registrations (${columns}) SELECT ${values} FROM sync_registrations, numbers`);
  database.close();
}

// → ms from exec to the line that says it is ready, with that many registrations on the disk.
export function daemonStart(count, rounds) {
  return withApp(async (vigil, server) => {
    await vigil.call('network', 'offline');
    await vigil.valueInPage(server.url, `registerMany(1, 1, 'tag-')`);
    const times = [];
    for (let round = 0; round < rounds; round += 1) {
      await vigil.stop();
      if (round === 0) multiplyRegistration(join(vigil.data, 'vigil.db'), count);
      const started = performance.now();
      await vigil.start();
      times.push(performance.now() - started);
      await vigil.call('network', 'offline');
    }
    return median(times);
  });
}

// → ms from the link's rise to the first request of the waiting sync. network: network-namespace.mjs.
export async function networkUp(network, rounds) {
  const server = await OriginServer.start({ prefix: network.enter });
  const vigil = new Vigil({ options: ['--network', 'auto'], prefix: network.enter });
  try {
    network.up();
    await vigil.start();
    // The kernel may report the carrier of a new link a second late.
    await eventually('the daemon is online', () => vigil.json('network'), state => state.online === true);
    await vigil.call('install', server.url);
    const times = [];
    for (let round = 1; round <= rounds; round += 1) {
      network.down();
      await eventually('the daemon is offline', () => vigil.valueInPage(server.url, 'navigator.onLine'), online => online === false);
      await vigil.inPage(server.url, 'await (await navigator.serviceWorker.ready).sync.register("mark")');
      const upUs = network.up();
      times.push(((await server.request('/mark', round)).atUs - upUs) / 1000);
      await eventually('the sync is done', () => vigil.syncs(), syncs => syncs.length === 0);
    }
    return median(times);
  } finally {
    await vigil.stop();
    await server.stop();
  }
}
