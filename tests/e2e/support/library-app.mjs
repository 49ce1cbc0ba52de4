// An app whose worker and page are bundles of unmodified npm packages, and run what a test tells them to.
import { build } from 'esbuild';
import { minimalApp } from './app-server.mjs';
import { kVirtual, startFiles, startVigil } from './fixture.mjs';
import { kRoot, eventually } from './processes.mjs';

// Answers { run, id } with { answerTo: id, value } or { answerTo: id, error, message }.
const kAnswering = `
self.addEventListener('message', event => {
  if (!event.data?.run) return;
  const { run, id } = event.data;
  event.waitUntil(Promise.resolve().then(() => (0, eval)(run)).then(value => ({ value }), error => ({ error: error.name, message: error.message }))
    .then(answer => event.source.postMessage({ answerTo: id, ...answer })));
});`;
export const kTakeOver = `
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', event => event.waitUntil(self.clients.claim()));`;

// One classic script of code that imports packages.
export async function bundle(code, options) {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: kRoot },
    bundle: true, write: false, format: 'iife', legalComments: 'none', logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"' }, conditions: ['worker', 'browser'],
    ...options,
  });
  return outputFiles[0].text;
}

// The source of a worker; what it puts on `globalThis` can be used by run().
export const workerBundle = (code, options) => bundle(code + kAnswering, options);

export class LibraryApp {
  static async start(t, { worker, page = '', files = {}, otherwise, options = kVirtual }) {
    const app = new LibraryApp();
    app.vigil = await startVigil(t, options);
    app.server = await startFiles(t, {
      ...minimalApp(await workerBundle(worker)),
      '/': '<!doctype html><link rel="manifest" href="manifest.webmanifest"><title>Library</title><script src="page.js"></script>',
      '/page.js': await LibraryApp.pageBundle(page),
      ...files,
    }, { otherwise });
    app.url = app.server.url;
    await app.vigil.call('install', app.url);
    app.page = await app.open(app.url);
    return app;
  }

  static pageBundle(code) {
    return bundle(`${code}\nnavigator.serviceWorker.register('/sw.js').catch(error => console.error(error.message));`);
  }

  // Opens a page that stays open and resolves with its id.
  async open(url) {
    const { page } = await this.vigil.json('page', 'open', url, '--keep');
    return page.id;
  }

  // Runs the body of an async function in the page that stays open, or another one.
  async inPage(body, page = this.page) {
    const outcome = await this.vigil.json('page', 'eval', page, `(async () => { ${body} })()
      .then(value => ({ value }), error => ({ error: error.name, message: error.message }))`);
    return valueOf(outcome.value ?? { error: 'Error', message: outcome.text });
  }

  // The same in the active worker.
  async run(body, page) {
    return valueOf(await this.inPage(`
      const { active } = await navigator.serviceWorker.ready;
      const id = crypto.randomUUID();
      return new Promise(resolve => {
        navigator.serviceWorker.addEventListener('message', function take({ data }) {
          if (data?.answerTo !== id) return;
          navigator.serviceWorker.removeEventListener('message', take);
          resolve(data);
        });
        active.postMessage({ run: ${JSON.stringify(`(async () => { ${body} })()`)}, id });
      });`, page));
  }

  // What a page gets for a URL: { status, text }, or { error }.
  get(path, init = {}) {
    return this.inPage(`return fetch(${JSON.stringify(path)}, ${JSON.stringify(init)})
      .then(async response => ({ status: response.status, text: await response.text() }), error => ({ error: error.name }));`);
  }

  network(state) {
    return this.vigil.call('network', state);
  }
  advance(duration) {
    return this.vigil.call('clock', 'advance', duration);
  }
  syncs() {
    return this.vigil.syncs(this.url);
  }
  untilSyncs(what, accept) {
    return eventually(what, () => this.syncs(), accept);
  }

  // Serves another worker and resolves when it waits, or is active if it does not wait.
  async update(worker) {
    this.server.files['/sw.js'] = worker;
    await this.inPage(`
      const registration = await navigator.serviceWorker.ready;
      const before = registration.active;
      const found = new Promise(resolve => registration.addEventListener('updatefound', () => resolve(registration.installing), { once: true }));
      await registration.update();
      const next = await found;
      if (next.state === 'installing') await new Promise(resolve => next.addEventListener('statechange', resolve, { once: true }));
      if (next.state === 'redundant') throw new Error('the new worker was not installed');`);
  }

  paths(from = 0) {
    return this.server.log.slice(from).map(entry => entry.path);
  }
}

function valueOf(answer) {
  if (answer.error) throw new Error(`${answer.error}: ${answer.message}`);
  return answer.value;
}
