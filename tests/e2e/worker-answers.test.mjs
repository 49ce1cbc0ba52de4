// What a page gets from its worker, and what the worker gets of the page's requests: as in Chromium.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimalApp } from './support/app-server.mjs';
import { kManual, startFiles, startVigil } from './support/fixture.mjs';
import { kTakeOver } from './support/library-app.mjs';

const kWorker = `${kTakeOver}
const answers = {
  '/made': () => new Response('made', { status: 202, headers: { 'X-Made': 'yes' } }),
  '/kept': async () => {
    const cache = await caches.open('kept');
    await cache.put('/elsewhere', new Response('kept'));
    return cache.match('/elsewhere');
  },
  '/moved': () => Response.redirect('/made', 302),
  '/offline': () => new Response('<p>you are offline', { status: 503, headers: { 'Content-Type': 'text/html' } }),
  '/moved-to-fetched': () => Response.redirect('/fetched', 302),
  '/fetched': event => fetch(event.request),
  '/moved-to-server': () => Response.redirect('/seen', 303),
  '/round': () => Response.redirect('/round', 302),
  '/headers': event => Response.json(Object.fromEntries(event.request.headers)),
  '/broken': () => new Response(new ReadableStream({ start: controller => controller.error(new Error('lost')) })),
  '/rejected': () => Promise.reject(new Error('refused')),
  '/nothing': async () => {},
};
const unhandled = [];
addEventListener('unhandledrejection', event => unhandled.push(String(event.reason)));
addEventListener('fetch', event => {
  const { pathname } = new URL(event.request.url);
  if (answers[pathname]) event.respondWith(Promise.resolve(event).then(answers[pathname]));
  if (pathname === '/unhandled') event.respondWith(Response.json(unhandled));
  if (pathname === '/twice') {
    event.respondWith(new Response('first'));
    try { event.respondWith(new Response('second')); } catch (error) { unhandled.push(error.message); }
  }
  if (pathname === '/') event.respondWith(fetch(event.request));
});`;
const kDescribe = `async response => ({ type: response.type, url: response.url.replace(location.origin, ''),
  status: response.status, redirected: response.redirected, text: await response.text().catch(String) })`;

async function openApp(t) {
  const vigil = await startVigil(t, kManual);
  const server = await startFiles(t, {
    ...minimalApp(kWorker),
    '/fetched': 'fetched',
    '/lost': (request, response) => response.writeHead(404, { 'Content-Type': 'text/html' }).end('<p>nothing here'),
    '/seen': (request, response) => response.end(request.method),
    '/navigated': (request, response) => response.end(request.headers['sec-fetch-mode']),
  });
  await vigil.call('install', server.url);
  const { page } = await vigil.json('page', 'open', server.url, '--keep');
  const run = async code => (await vigil.json('page', 'eval', page.id, code)).value;
  return { vigil, server, run, get: (path, init = '{}') => run(`fetch('${path}', ${init}).then(${kDescribe}, String)`) };
}

test('what a worker makes is a basic response of the URL that was asked for', async t => {
  const { get } = await openApp(t);
  assert.deepEqual(await get('/made'), { type: 'basic', url: '/made', status: 202, redirected: false, text: 'made' });
  assert.deepEqual(await get('/kept'), { type: 'basic', url: '/kept', status: 200, redirected: false, text: 'kept' });
});

test('a redirect that a worker answers with is followed, through the worker again', async t => {
  const { get } = await openApp(t);
  assert.deepEqual(await get('/moved'), { type: 'basic', url: '/made', status: 202, redirected: true, text: 'made' });
  const seen = await get('/moved-to-server', '{ method: "POST", body: "x" }');
  assert.deepEqual(seen, { type: 'basic', url: '/seen', status: 200, redirected: true, text: 'GET' });
  // A fetched response knows only the URLs of its own fetch.
  assert.deepEqual(await get('/moved-to-fetched'),
    { type: 'basic', url: '/fetched', status: 200, redirected: false, text: 'fetched' });
  assert.equal((await get('/moved', '{ redirect: "manual" }')).type, 'opaqueredirect');
  assert.equal(await get('/moved', '{ redirect: "error" }'), 'TypeError: Failed to fetch');
  assert.equal(await get('/round'), 'TypeError: Failed to fetch');
});

test('a page opens whatever status it has', async t => {
  const { vigil, server } = await openApp(t);
  const textOf = async path => {
    const { page } = await vigil.json('page', 'open', server.url + path, '--keep');
    return (await vigil.json('page', 'eval', page.id, 'document.body.textContent')).value;
  };
  assert.equal(await textOf('offline'), 'you are offline');
  assert.equal(await textOf('lost'), 'nothing here');
});

test('a worker sees what a request accepts', async t => {
  const { run } = await openApp(t);
  const headersOf = init => run(`fetch('/headers', ${init}).then(response => response.json())`);
  assert.equal((await headersOf('{}')).accept, '*/*');
  assert.equal((await headersOf('{ headers: { Accept: "text/x" } }')).accept, 'text/x');
});

test('a stream that a worker breaks off fails who consumes it', async t => {
  const { get } = await openApp(t);
  assert.equal((await get('/broken')).text, 'TypeError: Failed to fetch');
});

test('what respondWith() was given and nobody handles is told to the worker', async t => {
  const { get, run } = await openApp(t);
  for (const path of ['/rejected', '/nothing']) assert.equal(await get(path), 'TypeError: Failed to fetch');
  assert.equal((await get('/twice')).text, 'first');
  assert.deepEqual((await run(`fetch('/unhandled').then(response => response.json())`)).sort(), [
    'Error: refused',
    "Failed to execute 'respondWith' on 'FetchEvent': respondWith() was already called.",
    "TypeError: Failed to convert value to 'Response'.",
  ]);
});

test('a worker whose script is moved is kept, and update() says TypeError', async t => {
  const { run, server } = await openApp(t);
  server.files['/moved.js'] = server.files['/sw.js'];
  server.files['/sw.js'] = { status: 302, headers: { Location: '/moved.js' } };
  assert.deepEqual(
    await run(`navigator.serviceWorker.ready.then(async registration => [
      await registration.update().then(() => 'updated', error => error.name), registration.active.state])`),
    ['TypeError', 'activated'],
  );
});

test('a redirect of a navigation that a worker passes on is followed without asking again', async t => {
  const { vigil, server } = await openApp(t);
  server.files['/'] = { status: 302, headers: { Location: '/arrived' } };
  server.files['/arrived'] = '<!doctype html><title>Arrived</title>';
  const before = server.log.length;
  assert.equal(await vigil.valueInPage(server.url, 'location.pathname'), '/arrived');
  assert.deepEqual(server.log.slice(before).map(({ path }) => path).filter(path => path !== '/sw.js'), ['/', '/arrived']);
});

test('servers see that a worker passes a navigation on, and who asks for the worker', async t => {
  const vigil = await startVigil(t, kManual);
  const seen = [];
  const files = minimalApp(kWorker);
  const note = body => (request, response) => {
    seen.push([request.url, request.headers['sec-fetch-mode'], request.headers.referer]);
    response.writeHead(200, { 'Content-Type': request.url === '/' ? 'text/html' : 'text/javascript' });
    response.end(body);
  };
  const server = await startFiles(t, { ...files, '/': note(files['/']), '/sw.js': note(files['/sw.js']) });
  await vigil.call('install', server.url);
  await vigil.call('page', 'open', server.url);
  assert.deepEqual(seen.find(([url]) => url === '/sw.js'), ['/sw.js', 'same-origin', server.url]);
  assert.ok(seen.filter(([url, mode]) => url === '/' && mode === 'navigate').length >= 2);
});
