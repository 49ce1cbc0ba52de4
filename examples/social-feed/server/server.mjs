// The app's server: serves the app, takes posts, gives the feed, and can be told to fail.
//
//   GET  /api/feed            { generatedAt, revision, posts }  newest first; revision is the number of posts
//   POST /api/posts           { text, createdAt } with the header Idempotency-Key; 201, or 200 for a key it has already
//   GET  /record              what the server has seen: { mode, posts, requests }, for proofs
//   GET  /record/stream       the same posts as lines of JSON: those received so far, then each as it comes
//   POST /control/mode        { "mode": "ok" | "unavailable" | "refuse" | "drop" | "hang" }, from this machine only
//
// Failure modes of /api/: unavailable answers 503, refuse 422, drop closes the connection without an answer, drop-after
// stores the post and then closes the connection (the lost answer), hang never answers.
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Posts } from './posts.mjs';
import { serveFile } from './static.mjs';

const kModes = ['ok', 'unavailable', 'refuse', 'drop', 'drop-after', 'hang'];
const kMaxBodyBytes = 64 * 1024;
const kMaxRequestsKept = 100_000;

const isLoopback = address => /^(::ffff:)?127\.|^::1$/.test(address ?? '');

function readBody(request) {
  return new Promise((resolve, reject) => {
    const parts = [];
    let size = 0;
    request.on('data', part => {
      size += part.length;
      if (size > kMaxBodyBytes) {
        reject(Object.assign(new Error('the body is too large'), { status: 413 }));
        request.destroy();
      } else {
        parts.push(part);
      }
    });
    request.on('end', () => resolve(Buffer.concat(parts).toString('utf8')));
    request.on('error', reject);
  });
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw Object.assign(new Error('the body is not JSON'), { status: 400 });
  }
}

export class FeedServer {
  #posts;
  #mounts;
  #mode = 'ok';
  #requests = [];
  #requestCount = 0;
  #http;

  // options: dataDir, mounts (static.mjs), host = 127.0.0.1, port = 0 (any free one). Resolves when it accepts calls.
  static async start({ dataDir, mounts, host = '127.0.0.1', port = 0 }) {
    const server = new FeedServer();
    server.#posts = await Posts.open(join(dataDir, 'posts.jsonl'));
    server.#mounts = mounts;
    server.#http = createServer((request, response) => server.#handle(request, response));
    await new Promise((resolve, reject) => {
      server.#http.once('error', reject);
      server.#http.listen(port, host, resolve);
    });
    return server;
  }

  get port() {
    return this.#http.address().port;
  }

  async close() {
    await new Promise(resolve => {
      this.#http.close(resolve);
      this.#http.closeAllConnections();
    });
    await this.#posts.close();
  }

  async #handle(request, response) {
    const path = new URL(request.url, 'http://server').pathname;
    try {
      if (path.startsWith('/api/')) {
        await this.#api(path, request, response);
      } else if (path === '/record') {
        this.#json(response, 200, { mode: this.#mode, posts: this.#posts.all, requests: this.#requests });
      } else if (path === '/record/stream') {
        this.#stream(response);
      } else if (path === '/control/mode') {
        await this.#control(request, response);
      } else {
        await this.#file(path, request, response);
      }
    } catch (error) {
      this.#fail(response, error);
    }
  }

  #fail(response, error) {
    if (response.headersSent) {
      response.destroy();
    } else {
      this.#json(response, error.status ?? 500, { error: error.message });
    }
  }

  #json(response, status, value, headers = {}) {
    const body = Buffer.from(`${JSON.stringify(value)}\n`);
    response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length, 'Cache-Control': 'no-store', ...headers });
    response.end(body);
  }

  async #api(path, request, response) {
    const entry = {
      number: ++this.#requestCount,
      atUs: Number(process.hrtime.bigint() / 1000n),
      method: request.method,
      referrer: request.headers.referer ?? '',
      path,
      key: request.headers['idempotency-key'],
    };
    this.#requests.push(entry);
    if (this.#requests.length > kMaxRequestsKept) this.#requests.shift();
    response.on('finish', () => { entry.status = response.statusCode; });
    response.on('close', () => { entry.status ??= 0; });

    switch (this.#mode) {
      case 'unavailable':
        request.resume();
        return this.#json(response, 503, { error: 'not available just now' }, { 'Retry-After': '60' });
      case 'refuse':
        request.resume();
        return this.#json(response, 422, { error: 'refused' });
      case 'drop':
        return request.socket.destroy();
      case 'hang':
        return request.resume();
    }
    if (path === '/api/feed' && request.method === 'GET') {
      return this.#feed(response);
    }
    if (path === '/api/posts' && request.method === 'POST') {
      return this.#receive(entry, request, response);
    }
    return this.#json(response, 404, { error: 'no such call' });
  }

  #feed(response) {
    const posts = this.#posts.all;
    this.#json(response, 200, {
      generatedAt: new Date().toISOString(),
      revision: posts.length,
      posts: posts.slice(-50).reverse(),
    });
  }

  async #receive(entry, request, response) {
    const body = parseJson(await readBody(request));
    const key = entry.key;
    if (!key || key.length > 100) {
      return this.#json(response, 400, { error: 'the header Idempotency-Key is missing or too long' });
    }
    if (typeof body.text !== 'string' || body.text === '' || body.text.length > 10_000) {
      return this.#json(response, 422, { error: 'a post has a text of 1 to 10000 characters' });
    }
    const createdAt = typeof body.createdAt === 'string' ? body.createdAt : new Date().toISOString();
    const { post, repeated } = await this.#posts.add(key, { text: body.text, createdAt });
    if (this.#mode === 'drop-after') {
      return request.socket.destroy();
    }
    return this.#json(response, repeated ? 200 : 201, post);
  }

  #stream(response) {
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store' });
    response.flushHeaders();
    const send = post => response.write(`${JSON.stringify(post)}\n`);
    this.#posts.all.forEach(send);
    response.on('close', this.#posts.onPost(send));
  }

  // A page elsewhere cannot reach this: application/json needs a CORS preflight, which is never granted.
  async #control(request, response) {
    if (!isLoopback(request.socket.remoteAddress)) {
      return this.#json(response, 403, { error: 'from this machine only' });
    }
    if (request.method !== 'POST' || request.headers['content-type'] !== 'application/json') {
      return this.#json(response, 400, { error: 'send a POST with Content-Type: application/json' });
    }
    const { mode } = parseJson(await readBody(request));
    if (!kModes.includes(mode)) {
      return this.#json(response, 400, { error: `mode is one of ${kModes.join(', ')}` });
    }
    this.#mode = mode;
    return this.#json(response, 200, { mode });
  }

  async #file(path, request, response) {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return this.#json(response, 405, { error: 'only GET' });
    }
    const file = await serveFile(this.#mounts, path);
    if (!file) {
      return this.#json(response, 404, { error: 'no such file' });
    }
    response.writeHead(200, { 'Content-Type': file.type, 'Content-Length': file.body.length, 'Cache-Control': 'no-cache' });
    return response.end(request.method === 'HEAD' ? undefined : file.body);
  }
}
