// One of the example servers as a process of its own.
import { join } from 'node:path';
import { Process, kNode, kRoot, makeFolder } from './processes.mjs';

export class AppServer {
  // name: the folder below examples/.
  static async start(name = 'social-feed', { data = makeFolder('server'), port = 0 } = {}) {
    const server = new AppServer();
    server.name = name;
    server.data = data;
    await server.start(port);
    return server;
  }

  async start(port = this.port) {
    this.process = new Process(kNode, [join(kRoot, 'examples', this.name, 'server.mjs'), '--port', String(port), '--data', this.data]);
    const line = await this.process.line(/ready on http:/);
    this.url = /http:\S+/.exec(line)[0];
    this.port = Number(new URL(this.url).port);
  }

  stop() {
    return this.process.kill('SIGTERM');
  }

  async #get(path) {
    const response = await fetch(new URL(path, this.url));
    return response.json();
  }

  // What the server has seen: { mode, posts, requests }.
  record() {
    return this.#get('record');
  }

  async posts() {
    return (await this.record()).posts;
  }

  // The requests to the app's API, optionally only those of a method and path: requests('POST', '/api/posts').
  async requests(method, path) {
    const { requests } = await this.record();
    return requests.filter(request => (!method || request.method === method) && (!path || request.path === path));
  }

  // Those of them that the service worker made on its own, not for a page.
  async requestsOfWorker(method, path) {
    return (await this.requests(method, path)).filter(({ referrer }) => referrer.endsWith('/sw.js'));
  }

  // ok | unavailable | refuse | drop | drop-after | hang
  async fail(mode) {
    const response = await fetch(new URL('control/mode', this.url), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ mode }),
    });
    if (!response.ok) throw new Error(`control/mode ${mode}: ${response.status}`);
  }

  // Resolves with the server's posts as soon as accept(posts) is true; follows the server's own stream.
  async until(what, accept, { seconds = 60, signal } = {}) {
    const timeout = AbortSignal.timeout(seconds * 1000);
    const limit = signal ? AbortSignal.any([timeout, signal]) : timeout;
    const posts = [];
    if (accept(posts)) return posts;
    try {
      const response = await fetch(new URL('record/stream', this.url), { signal: limit });
      let rest = '';
      for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + part).split('\n');
        rest = lines.pop();
        for (const line of lines) posts.push(JSON.parse(line));
        if (accept(posts)) return posts;
      }
    } catch (error) {
      if (!limit.aborted) throw error;
    }
    throw new Error(`the server did not see ${signal?.aborted ? 'in time' : `within ${seconds} s`}: ${what}; it has ${JSON.stringify(posts.map(post => post.text))}`);
  }

  untilPosts(count, options) {
    return this.until(`${count} posts`, posts => posts.length >= count, options);
  }
}

// A server of the given files for tests: { '/sw.js': 'source' } or { '/sw.js': { body, type, status, headers } }.
// Lives in this process; files can be changed while it runs. log lists what was asked for. A function answers by itself:
// (request, response), with the body in request.text; otherwise is one for all that is no file.
export async function serveFiles(files, { host = '127.0.0.1', port = 0, otherwise } = {}) {
  const { createServer, get } = await import('node:http');
  const types = { html: 'text/html', js: 'text/javascript', json: 'application/json', webmanifest: 'application/manifest+json' };
  const log = [];
  const waiting = new Set();
  const sockets = new Set();
  const server = createServer((request, response) => {
    const path = new URL(request.url, 'http://server').pathname;
    const parts = [];
    request.on('data', part => parts.push(part));
    request.on('end', () => {
      request.text = Buffer.concat(parts).toString();
      log.push({ method: request.method, path, body: request.text });
      waiting.forEach(look => look());
      const found = files[path] ?? otherwise;
      const file = typeof found === 'string' ? { body: found } : found;
      if (typeof found === 'function') return found(request, response);
      const type = file?.type ?? types[path.split('.').at(-1)] ?? 'text/html';
      response.writeHead(file ? file.status ?? 200 : 404, { 'Content-Type': type, 'Cache-Control': 'no-cache', ...file?.headers });
      return response.end(file?.body ?? 'no such file');
    });
  });
  server.on('connection', socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  // Resolves when what had arrived until now has been handled: behind a request of our own nobody waits any more.
  const caughtUp = () => new Promise(resolve => {
    get({ host, port: server.address().port, agent: false }, response => response.resume().on('close', resolve));
  });
  return {
    files,
    log,
    port: server.address().port,
    url: `http://${host}:${server.address().port}/`,
    // Resolves with the requests to that path as soon as there are so many of them.
    requests(path, count, seconds = 60) {
      return new Promise((resolve, reject) => {
        const limit = setTimeout(() => reject(new Error(`no ${count} requests for ${path} within ${seconds} s, only ${JSON.stringify(log)}`)), seconds * 1000);
        const look = () => {
          const found = log.filter(entry => entry.path === path);
          if (found.length < count) return;
          waiting.delete(look);
          clearTimeout(limit);
          resolve(found);
        };
        waiting.add(look);
        look();
      });
    },
    caughtUp,
    // Resolves when every connection that was made until now has ended: nothing is to come from a client that died.
    drained: async () => {
      await caughtUp();
      await Promise.all([...sockets].map(socket => new Promise(resolve => socket.once('close', resolve))));
    },
    close: () => new Promise(resolve => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}

// The smallest app: a page that registers sw.js, a manifest, and the given worker.
export function minimalApp(worker, more = {}) {
  return {
    '/': '<!doctype html><link rel="manifest" href="manifest.webmanifest"><title>Minimal</title><script src="page.js"></script>',
    '/page.js': 'navigator.serviceWorker.register("sw.js").catch(() => {});',
    '/manifest.webmanifest': JSON.stringify({ name: 'Minimal', start_url: './', scope: './', display: 'standalone', icons: [{ src: 'icon.svg', sizes: 'any', type: 'image/svg+xml' }] }),
    '/icon.svg': { body: '<svg xmlns="http://www.w3.org/2000/svg"/>', type: 'image/svg+xml' },
    '/sw.js': worker,
    ...more,
  };
}
