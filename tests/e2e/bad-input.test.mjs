// Bad input: one clear line, an exit status that is not 0, nothing lost and nothing half-installed.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { minimalApp, serveFiles, AppServer } from './support/app-server.mjs';
import { kManual, publish, startFiles, tagsOf } from './support/fixture.mjs';
import { makeFolder } from './support/processes.mjs';
import { assertRefused } from './support/refusals.mjs';
import { Vigil } from './support/vigil.mjs';

const kGoodWorker = 'self.addEventListener("sync", () => {});';

describe('bad input', () => {
  let vigil, good;
  before(async () => {
    vigil = await Vigil.start({ options: kManual });
    good = await AppServer.start();
    await vigil.call('network', 'online');
    await vigil.call('install', good.url);
    await vigil.call('network', 'offline');
    await publish(vigil, good.url, 'waiting all the time');
    await vigil.call('network', 'online');
    await good.untilPosts(1);
  });
  // Whatever was refused: the app that is there is untouched, and no other has appeared.
  afterEach(async () => {
    assert.equal((await vigil.json('apps')).length, 1);
    assert.equal(vigil.process.status, undefined, 'the daemon lives');
  });
  after(async () => {
    await vigil.stop();
    await good.stop();
  });

  // Installs an app of the given files, which must be refused.
  async function refuseInstall(t, files, pattern, path = '') {
    const server = await startFiles(t, files);
    await assertRefused(vigil.run('install', server.url + path), pattern);
    assert.deepEqual((await vigil.syncs(server.url).catch(() => [])), []);
  }

  test('an origin that cannot be reached', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await new Promise(resolve => probe.once('listening', resolve));
    const { port } = probe.address();
    await new Promise(resolve => probe.close(resolve));
    await assertRefused(vigil.run('install', `http://127.0.0.1:${port}/`), /127\.0\.0\.1/);
  });
  test('http that is not on loopback', () => assertRefused(vigil.run('install', 'http://shop.example/'), /https/));
  test('a URL that is none', () => assertRefused(vigil.run('install', 'not a url'), /URL/));
  test('a page that is not there', t => refuseInstall(t, minimalApp(kGoodWorker), /404/, 'nowhere'));
  test('a page that registers no worker', t =>
    refuseInstall(t, minimalApp(kGoodWorker, { '/page.js': '' }), /service worker/));
  test('a page without a manifest', t =>
    refuseInstall(t, minimalApp(kGoodWorker, { '/': '<!doctype html><script src="page.js"></script>' }), /manifest/));
  test('a script with the wrong MIME type', t =>
    refuseInstall(t, minimalApp({ body: kGoodWorker, type: 'text/plain' }), /MIME|text\/plain/));
  test('a script outside its scope', t =>
    refuseInstall(t, minimalApp(kGoodWorker, {
      '/page.js': 'navigator.serviceWorker.register("deep/sw.js", { scope: "/" }).catch(() => {});',
      '/deep/sw.js': kGoodWorker,
    }), /scope/));
  test('a script with a syntax error', t => refuseInstall(t, minimalApp('this is not JavaScript'), /SyntaxError|syntax/i));
  test('a script that throws', t => refuseInstall(t, minimalApp('throw new Error("broken from the start")'), /broken from the start|threw|evaluat/));
  test('a rejected install', t =>
    refuseInstall(t, minimalApp('self.addEventListener("install", event => event.waitUntil(Promise.reject(new Error("no thanks"))))'), /install/));
  test('a manifest that is not one', t =>
    refuseInstall(t, minimalApp(kGoodWorker, { '/manifest.webmanifest': '<!doctype html>' }), /manifest/));
  test('a manifest that is JSON but not an object', t =>
    refuseInstall(t, minimalApp(kGoodWorker, { '/manifest.webmanifest': '[1, 2]' }), /manifest/));
  test('a manifest whose start_url is elsewhere is read as the specification says, or refused', async t => {
    const server = await startFiles(t, minimalApp(kGoodWorker, {
      '/manifest.webmanifest': JSON.stringify({ name: 'Elsewhere', start_url: 'https://elsewhere.example/' }),
    }));
    const process = await vigil.run('install', server.url);
    if (process.status === 0) {
      const app = (await vigil.json('apps')).find(item => item.name === 'Elsewhere');
      assert.equal(new URL(app.start_url).origin, new URL(server.url).origin);
      await vigil.call('remove', server.url);
    }
  });

  test('an app that is not known', async () => {
    const url = 'http://127.0.0.1:9/';
    for (const command of [['remove', url], ['syncs', url], ['fire', url, 'sync', 'x'], ['worker', 'start', url], ['worker', 'stop', url], ['worker', 'update', url]]) {
      await assertRefused(vigil.run(...command), /127\.0\.0\.1:9/);
    }
  });
  test('a tag that is not known', () => assertRefused(vigil.run('fire', good.url, 'sync', 'no-such-tag'), /no-such-tag/));
  test('a page that is not open', () => assertRefused(vigil.run('page', 'close', 'nonsense'), /nonsense/));
  test('a permission that is not known', async () => {
    const process = await vigil.run('permission', good.url, 'mind-reading', 'allow');
    assert.notEqual(process.status, 0);
    assert.match(process.text('stderr'), /mind-reading|background-sync/);
  });
  test('a script file that is not there', () =>
    assertRefused(vigil.run('page', 'open', good.url, '--script', '/nowhere/x.js'), /nowhere/));
  test('code that rejects', async () => {
    const process = await vigil.run('page', 'open', good.url, '--eval', 'await Promise.reject(new Error("on purpose"))');
    assert.equal(process.status, 1);
    assert.match(process.text(), /on purpose/);
  });
  test('advancing a clock that is real', () => assertRefused(vigil.run('clock', 'advance', '1h'), /virtual/));

  test('a worker that is updated to a broken script keeps the one it has', async t => {
    const server = await startFiles(t, minimalApp('self.addEventListener("sync", event => event.waitUntil(fetch("good")));', { '/good': 'ok' }));
    await vigil.call('install', server.url);
    server.files['/sw.js'] = 'this is not JavaScript';
    await assertRefused(vigil.run('worker', 'update', server.url), /SyntaxError|syntax/i);
    await vigil.inPage(server.url, 'await (await navigator.serviceWorker.ready).sync.register("x")');
    await server.requests('/good', 1);
    await vigil.call('remove', server.url);
  });
});

describe('bad places', () => {
  const serve = (...options) => {
    const vigil = new Vigil({ options });
    return vigil.serve().ended;
  };

  test('a data directory that another daemon uses', async t => {
    const vigil = await Vigil.start({ options: kManual });
    t.after(() => vigil.stop());
    const second = new Vigil({ data: vigil.data, options: kManual });
    const line = await assertRefused(second.serve().ended, /running|in use|another/);
    assert.ok(line.includes(String(vigil.process.pid)), `${line} names the other's process`);
    await vigil.call('apps');
  });
  test('a port that is taken', async t => {
    const server = await serveFiles({});
    t.after(() => server.close());
    await assertRefused(serve('--network', 'manual', '--listen', `127.0.0.1:${server.port}`), new RegExp(String(server.port)));
  });
  test('a data directory that cannot be written', async () => {
    const file = join(makeFolder('file'), 'file');
    writeFileSync(file, '');
    for (const data of [join(file, 'state'), '/proc/vigil']) {
      await assertRefused(new Vigil({ data }).serve().ended, new RegExp(data.split('/')[1]));
    }
  });
  test('options that do not exist', async () => {
    assert.equal((await serve('--no-such-option')).status, 2);
    const process = await serve('--set', 'no_such_parameter=1');
    assert.notEqual(process.status, 0);
    assert.match(process.text('stderr'), /no_such_parameter.*first_retry_delay/s);
  });
  test('a command without a daemon', async () => {
    const vigil = new Vigil();
    for (const command of [['apps'], ['syncs'], ['doctor']]) {
      const process = await vigil.run(...command);
      if (command[0] !== 'doctor') {
        await assertRefused(process, /vigil serve/, 3);
      }
      assert.notEqual(process.status, 0);
    }
  });
  test('an empty tag list after the worst day: what was registered is still there', async t => {
    const server = await AppServer.start();
    t.after(() => server.stop());
    const vigil = await Vigil.start({ options: kManual });
    t.after(() => vigil.stop());
    await vigil.call('network', 'online');
    await vigil.call('install', server.url);
    await vigil.call('network', 'offline');
    await publish(vigil, server.url, 'x');
    await assertRefused(new Vigil({ data: vigil.data }).serve().ended, /./);
    assert.deepEqual(tagsOf(await vigil.syncs(server.url)), ['sync-post']);
  });
});
