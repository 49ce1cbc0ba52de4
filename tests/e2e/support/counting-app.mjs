// An app whose server counts each run of each tag: `/ran?kind=sync&tag=…`.
import { minimalApp, serveFiles } from './app-server.mjs';

const kWorker = `
self.addEventListener('install', event => event.waitUntil(self.skipWaiting()));
self.addEventListener('activate', event => event.waitUntil(self.clients.claim()));
async function tell(kind, tag) {
  const response = await fetch('ran?kind=' + kind + '&tag=' + encodeURIComponent(tag), { method: 'POST' });
  if (!response.ok) throw new Error('the server answered ' + response.status);
}
self.addEventListener('sync', event => event.waitUntil(tell('sync', event.tag)));
self.addEventListener('periodicsync', event => event.waitUntil(tell('periodicsync', event.tag)));
`;

// onRun(kind, tag) is called for each run, when its request arrives; what it returns is the status of the answer (204).
export async function startCountingApp(onRun, options) {
  const files = minimalApp(kWorker);
  files['/ran'] = (request, response) => {
    const { searchParams } = new URL(request.url, 'http://server');
    response.writeHead(onRun(searchParams.get('kind'), searchParams.get('tag')) ?? 204).end();
  };
  return serveFiles(files, options);
}

// Code for a page of the app: 'ok', or the name of the exception.
export function outcomeOf(call) {
  return `navigator.serviceWorker.ready.then(registration => registration.${call}).then(() => 'ok', error => error.name)`;
}
