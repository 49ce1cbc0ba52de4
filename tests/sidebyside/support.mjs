// One app in Chromium and in Vigil, on servers of the same port: what was observed comes out as plain values.
import { readFileSync } from 'node:fs';
import { serveFiles } from '../e2e/support/app-server.mjs';
import { openChromium } from '../e2e/support/chromium.mjs';
import { eventually } from '../e2e/support/processes.mjs';
import { Vigil } from '../e2e/support/vigil.mjs';

const kPage = readFileSync(new URL('page.js', import.meta.url), 'utf8');
const kMute = ['user-agent', 'accept-language', 'accept-encoding', 'connection', 'host', 'upgrade-insecure-requests', 'sec-fetch-user', 'content-length', 'cookie'];

export const html = (body = '') => `<!doctype html><meta charset="utf-8"><title>App</title><script src="/page.js"></script>${body}`;

// Serves the app and notes its requests; those for the worker's own scripts come when the browser likes.
class AppServer {
  static async start(app, port) {
    const server = new AppServer();
    server.seen = [];
    server.broken = false;
    const files = { '/': html(), '/page.js': kPage, '/favicon.ico': { status: 404 }, ...app.files };
    const noted = Object.fromEntries(Object.entries(files).map(([path, file]) => [path, (request, response) => server.#answer(path, file, request, response)]));
    server.http = await serveFiles(noted, { port, otherwise: (request, response) => server.#answer(request.url, { status: 404, body: 'not found' }, request, response) });
    return server;
  }

  #answer(path, file, request, response) {
    if (this.broken) return request.socket.destroy();
    if (!['/page.js', '/favicon.ico', '/sw.js'].includes(path)) {
      const headers = Object.entries(request.headers).filter(([name]) => !kMute.includes(name) && !name.startsWith('sec-ch'));
      this.seen.push([request.method, request.url, request.text, headers.map(entry => entry.join(': ')).sort()]);
    }
    if (typeof file === 'function') return file(request, response);
    const { body = '', status = 200, headers = {} } = typeof file === 'string' ? { body: file } : file;
    const type = path.endsWith('.js') ? 'text/javascript' : path.includes('.') ? 'text/plain' : 'text/html';
    response.writeHead(status, { 'Content-Type': type, ...headers });
    return response.end(body);
  }
}

export class ChromiumSide {
  static async start() {
    const side = new ChromiumSide();
    side.browser = await openChromium();
    return side;
  }
  stop() {
    return this.browser.close();
  }
  async open(url) {
    const page = await this.browser.context.newPage();
    await page.goto(url);
    return {
      run: code => page.evaluate(code),
      sync: tag => this.browser.dispatchSync(page, url, tag),
      close: () => page.close(),
    };
  }
}

export class VigilSide {
  static async start() {
    const side = new VigilSide();
    side.vigil = await Vigil.start({ options: ['--network', 'manual'] });
    await side.vigil.call('network', 'online');
    return side;
  }
  stop() {
    return this.vigil.stop();
  }
  async open(url) {
    const { vigil } = this;
    const { page: { id } } = await vigil.json('page', 'open', url, '--keep');
    return {
      async run(code) {
        const outcome = await vigil.json('page', 'eval', id, code);
        return outcome.value;
      },
      sync: tag => vigil.run('fire', url, 'sync', tag, '--any-tag'),
      close: () => vigil.call('page', 'close', id),
    };
  }
}

// Runs the app's steps and resolves with all that was observed.
export async function observe(side, app, port) {
  const server = await AppServer.start(app, port);
  const page = await side.open(server.http.url);
  const run = code => page.run(`(async () => { ${code} })().then(page.shown, page.shown)`);
  const observed = [];
  try {
    for (const step of app.steps) {
      if (step.run) observed.push([step.run, await run(step.run)]);
      if (step.broken !== undefined) server.broken = step.broken;
      if (step.sync !== undefined) await page.sync(step.sync);
      if (step.until) await eventually(step.until, () => run(`return ${step.until}`), Boolean);
    }
    observed.push(['log', await run('return page.log')], ['registrations', await run('return page.registrations()')]);
    observed.push(['caches', await run('return page.caches()')], ['databases', await run('return page.databases()')]);
    const origin = new URL(server.http.url).origin;
    observed.push(['requests', JSON.parse(JSON.stringify(server.seen).replaceAll(origin, 'ORIGIN'))]);
  } finally {
    await page.close();
    await server.http.close();
  }
  return { observed, port: server.http.port };
}
