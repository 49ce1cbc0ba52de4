// Pages that their scripts, or their workers, lead to other documents.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimalApp } from './support/app-server.mjs';
import { kManual, startFiles, startVigil } from './support/fixture.mjs';
import { kTakeOver } from './support/library-app.mjs';
import { eventually } from './support/processes.mjs';

const html = script => `<!doctype html><title>Page</title><link rel="manifest" href="/manifest.webmanifest"><script>${script}</script>`;

async function open(t, files) {
  const vigil = await startVigil(t, kManual);
  const server = await startFiles(t, files);
  const { page } = await vigil.json('page', 'open', server.url, '--keep');
  const run = async code => (await vigil.json('page', 'eval', page.id, code)).value;
  const until = (what, code, wanted) => eventually(what, () => run(code).catch(() => undefined), value => value === wanted);
  return { vigil, server, page, run, until };
}

test('a page keeps its id wherever its script leads it', async t => {
  const { vigil, page, run, until } = await open(t, { '/': html(''), '/next': html('') });
  await run(`sessionStorage.setItem('tab', 'same'); location.href = '/next'; 0`);
  await until('the next page', 'location.pathname', '/next');
  assert.equal(await run('sessionStorage.getItem("tab")'), 'same');
  assert.equal((await vigil.json('page', 'list')).length, 1);
  await vigil.call('page', 'close', page.id);
  assert.equal((await vigil.json('page', 'list')).length, 0);
});

test('a navigation that fails leaves the page where it is', async t => {
  const { run, until } = await open(t, { '/': html(''), '/none': (request, response) => response.writeHead(204).end() });
  await run(`window.here = true; location.assign('/none'); 0`);
  await until('the page', 'window.here && location.pathname', '/');
});

test('a page that reloads itself when its worker takes over is opened as it is in the end', async t => {
  const script = `navigator.serviceWorker.addEventListener('controllerchange', () => location.reload());
    if (!navigator.serviceWorker.controller) navigator.serviceWorker.register('/sw.js');`;
  const { server, run, until } = await open(t, minimalApp(`${kTakeOver}
    const reloads = [];
    addEventListener('fetch', event => {
      if (event.request.mode === 'navigate') reloads.push(event.isReload);
      if (event.request.url.endsWith('/reloads')) event.respondWith(Response.json(reloads));
    });`, { '/': html(script) }));
  await until('a controlled page', 'navigator.serviceWorker.controller !== null', true);
  assert.deepEqual(await run(`fetch('/reloads').then(response => response.json())`), [true]);
  assert.equal(server.log.filter(({ path }) => path === '/').length, 2);
});

test('a waiting worker goes on waiting while its only page is reloaded', async t => {
  const files = minimalApp('// 1');
  const { run, until } = await open(t, { ...files, '/': html(`navigator.serviceWorker.register('/sw.js')`) });
  await until('an active worker', `navigator.serviceWorker.ready.then(() => 'ready')`, 'ready');
  await run(`location.reload(); 0`);
  await until('a controlled page', 'navigator.serviceWorker.controller !== null', true);
  await run(`navigator.serviceWorker.register('/sw.js?2').then(registration => new Promise(resolve => {
    registration.installing.onstatechange = resolve; }))`);
  await run(`window.old = true; location.reload(); 0`);
  await until('a new document', 'window.old === undefined && document.readyState', 'complete');
  assert.deepEqual(await run(`navigator.serviceWorker.ready.then(({ waiting, active }) => [waiting?.state, active.scriptURL.at(-1)])`),
    ['installed', 's']);
});

test('an app can be installed whose page is led elsewhere while it is opened', async t => {
  const vigil = await startVigil(t, kManual);
  const server = await startFiles(t, minimalApp(kTakeOver, {
    '/': html(`location.replace('/app')`),
    '/app': html(`navigator.serviceWorker.register('/sw.js')`),
  }));
  await vigil.call('install', server.url);
  assert.equal((await vigil.json('apps')).length, 1);
});

test('the history of a document goes back and forward', async t => {
  const { run } = await open(t, { '/': html('') });
  assert.deepEqual(await run(`(async () => {
    const log = [];
    const popped = () => new Promise(resolve => addEventListener('popstate', ({ state }) => resolve(state), { once: true }));
    history.pushState({ step: 1 }, '', '/one');
    history.pushState({ step: 2 }, '', '/two');
    for (const act of [() => history.back(), () => history.go(-1), () => history.forward()]) {
      const state = popped();
      act();
      log.push([await state, location.pathname]);
    }
    return log;
  })()`), [[{ step: 1 }, '/one'], [null, '/'], [{ step: 1 }, '/one']]);
});

test('document.cookie is read and written at once', async t => {
  const { server, run } = await open(t, { '/': html(''), '/seen': (request, response) => response.end(request.headers.cookie ?? '') });
  assert.equal(await run(`document.cookie = 'a=1'; document.cookie = 'b=2; path=/; max-age=100'; document.cookie = 'gone=1';
    document.cookie = 'gone=; expires=Thu, 01 Jan 1970 00:00:00 GMT'; document.cookie = 'hidden=1; HttpOnly'; document.cookie`), 'a=1; b=2');
  assert.equal(await run(`fetch('/seen').then(response => response.text())`), 'a=1; b=2');
  assert.ok(server.log.length > 0);
});

test('matchMedia() answers for a window that nobody sees', async t => {
  const { run } = await open(t, { '/': html('') });
  assert.deepEqual(await run(`['(display-mode: standalone)', '(display-mode: browser)', '(min-width: 600px) and (hover: hover)',
    'not screen', '(prefers-color-scheme: dark), print', 'screen'].map(query => matchMedia(query).matches)`),
  [false, true, true, false, false, true]);
});
