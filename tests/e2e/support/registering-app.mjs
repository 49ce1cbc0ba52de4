// An app whose worker does what a page tells it to, and whose events last as long as the test wants.
import { minimalApp } from './app-server.mjs';
import { startFiles, startVigil } from './fixture.mjs';

// Events ask the server for /event?TAG; what it answers ends them: 'ok', or a status that is an error.
const kWorker = `
const attend = event => event.waitUntil(fetch('event?' + encodeURIComponent(event.tag)).then(response => {
  if (!response.ok) throw new Error('the server said ' + response.status);
}));
self.addEventListener('sync', attend);
self.addEventListener('periodicsync', attend);
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', event => event.waitUntil(self.clients.claim()));
const answer = code => Promise.resolve().then(() => (0, eval)(code)).then(
  value => ({ value }), error => ({ error: error.name, message: error.message }));
self.addEventListener('message', event => event.waitUntil(
  answer(event.data).then(message => event.source.postMessage(message))));
`;
const kRegistration = "navigator.serviceWorker.getRegistration('/app/')";
const pages = new WeakMap();  // daemon → URL → id of a page that stays open

// The app lives below /app/; /outside.html is a page of the origin that no worker controls. One page of each stays open,
// so that there is one when the network is not.
export async function startRegisteringApp(t, options) {
  const vigil = await startVigil(t, options);
  const app = Object.fromEntries(Object.entries(minimalApp(kWorker)).map(([path, file]) => ['/app' + path, file]));
  const held = [];
  const server = await startFiles(t, {
    ...app,
    '/outside.html': '<!doctype html><title>Outside</title>',
    '/app/event': (request, response) => {
      held.push(response);
      if (!server.holding) release();
    },
  });
  const release = (status = 200) => {
    for (const response of held.splice(0)) response.writeHead(status).end();
  };
  server.holding = false;  // true: events last until release()
  server.release = release;
  server.app = server.url + 'app/';
  server.outside = server.url + 'outside.html';
  server.events = () => server.log.filter(entry => entry.path === '/app/event').length;
  await vigil.call('install', server.app);
  for (const url of [server.app, server.outside]) await keepPage(vigil, url);
  return { vigil, server };
}

export async function keepPage(vigil, url) {
  const { page } = await vigil.json('page', 'open', url, '--keep');
  if (!pages.has(vigil)) pages.set(vigil, new Map());
  pages.get(vigil).set(url, page.id);
}

export async function closePages(vigil) {
  for (const id of pages.get(vigil).values()) await vigil.call('page', 'close', id);
  pages.delete(vigil);
}

// The value of code in the page of that URL that stays open.
export async function evaluateIn(vigil, url, code) {
  const outcome = await vigil.json('page', 'eval', pages.get(vigil).get(url), code);
  return outcome.value;
}

// What an expression with `registration` comes to in that page: { value } or { error, message }; {} is undefined.
export function inPageOf(vigil, url, expression) {
  return evaluateIn(vigil, url, `${kRegistration}.then(registration => ${expression})
    .then(value => ({ value }), error => ({ error: error.name, message: error.message }))`);
}

// The same in the worker, asked by that page.
export function inWorkerOf(vigil, url, expression) {
  return evaluateIn(vigil, url, `${kRegistration}.then(found => {
    const answer = new Promise(resolve => { navigator.serviceWorker.onmessage = event => resolve(event.data); });
    found.active.postMessage(${JSON.stringify(expression)});
    return answer;
  })`);
}
