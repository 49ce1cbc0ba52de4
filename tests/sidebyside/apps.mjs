// Service workers as people write them. Each has files, and steps: code that is run in its page, a sync that is fired,
// a server that breaks off all connections.
const kTakeOver = `addEventListener('install', () => skipWaiting()); addEventListener('activate', event => event.waitUntil(clients.claim()));`;
const kStart = { run: 'return page.takeOver()' };
const get = (...urls) => ({ run: `return [${urls.map(url => `await page.get(${url})`).join(', ')}]` });
const echo = (request, response) => response.end(`${request.method} ${request.url} ${request.text}`);

export const apps = {
  'an offline page and a cache that is renewed behind the scenes': {
    files: {
      '/offline.txt': 'offline', '/style.css': 'body {}', '/news.txt': 'news',
      '/sw.js': `
        addEventListener('install', event => event.waitUntil((async () => {
          await (await caches.open('v2')).addAll(['/offline.txt', '/style.css'].map(url => new Request(url, { cache: 'reload' })));
          await skipWaiting();
        })()));
        addEventListener('activate', event => event.waitUntil((async () => {
          for (const name of await caches.keys()) if (name !== 'v2') await caches.delete(name);
          await clients.claim();
        })()));
        addEventListener('fetch', event => {
          if (event.request.method !== 'GET') return;
          event.respondWith((async () => {
            const cache = await caches.open('run');
            const fresh = fetch(event.request).then(async response => {
              if (response.ok) await cache.put(event.request, response.clone());
              return response;
            });
            const known = await cache.match(event.request) ?? await caches.match(event.request);
            if (!known) return fresh.catch(() => caches.match('/offline.txt'));
            event.waitUntil(fresh.catch(() => {}));
            return known;
          })());
        });`,
    },
    steps: [
      { run: `await (await caches.open('v1')).put('/old', new Response('old'))` }, kStart,
      get("'/style.css'", "'/news.txt'", "'/news.txt'", "'/missing'"), { until: `caches.match('/news.txt')` },
      { broken: true }, get("'/news.txt'", "'/else'"), { broken: false },
    ],
  },
  'posts that wait in a database for a sync': {
    files: {
      '/posts': echo,
      '/sw.js': `${kTakeOver}
        const database = () => new Promise((resolve, reject) => {
          const request = indexedDB.open('outbox', 3);
          request.onupgradeneeded = () => request.result.createObjectStore('posts', { keyPath: 'id', autoIncrement: true }).createIndex('url', 'url');
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
        const posts = async (mode, act) => {
          const open = await database();
          const transaction = open.transaction('posts', mode);
          const request = act(transaction.objectStore('posts'));
          await new Promise((resolve, reject) => { transaction.oncomplete = resolve; transaction.onabort = () => reject(transaction.error); });
          open.close();
          return request.result;
        };
        addEventListener('fetch', event => {
          if (event.request.method !== 'POST') return;
          event.respondWith(fetch(event.request.clone()).catch(async error => {
            const { url } = event.request;
            const id = await posts('readwrite', store => store.add({ url, body: '', type: event.request.headers.get('content-type') }));
            const body = await event.request.text();
            await posts('readwrite', store => store.put({ id, url, body, type: event.request.headers.get('content-type') }));
            return Response.json({ id, why: String(error) }, { status: 202, statusText: 'Kept' });
          }));
        });
        addEventListener('sync', event => event.waitUntil((async () => {
          for (const { id, url, body, type } of await posts('readonly', store => store.getAll())) {
            const response = await fetch(url, { method: 'POST', body, headers: { 'Content-Type': type } });
            if (response.ok) await posts('readwrite', store => store.delete(id));
          }
          for (const client of await clients.matchAll()) client.postMessage({ tag: event.tag, lastChance: event.lastChance });
        })()));`,
    },
    steps: [
      kStart, get(`'/posts', { method: 'POST', body: 'now' }`), { broken: true },
      get(`'/posts', { method: 'POST', body: 'later' }`, `'/posts', { method: 'POST', body: new URLSearchParams({ a: 1 }) }`),
      { run: 'return page.databases()' }, { broken: false }, { sync: 'send' }, { until: `page.log.some(([what]) => what === 'message')` },
    ],
  },
  'answers of every kind': {
    files: {
      '/server.txt': { body: 'server', headers: { 'X-Server': '1' } },
      '/moved': { status: 302, headers: { Location: '/server.txt' } },
      '/echo': echo,
      '/sw.js': `${kTakeOver}
        const text = new TextEncoder();
        const parts = (...chunks) => new ReadableStream({ start(controller) { chunks.forEach(chunk => controller.enqueue(chunk)); controller.close(); } });
        const answers = {
          made: () => new Response('made', { status: 202, statusText: 'Made', headers: { 'X-A': 'b', 'Set-Cookie': 'c=1' } }),
          empty: () => new Response(null, { status: 204 }), json: () => Response.json({ a: [1] }), blob: () => new Response(new Blob(['b'], { type: 'x/y' })),
          fetched: () => fetch('/server.txt'), followed: () => fetch('/moved'), manual: () => fetch('/moved', { redirect: 'manual' }),
          copied: async () => { const response = await fetch('/server.txt'); return new Response(response.body, response); },
          kept: async () => { const cache = await caches.open('kept'); await cache.put('/a', new Response('kept')); return cache.match('/a'); },
          redirect: () => Response.redirect('/made'), stream: () => new Response(parts(text.encode('a'), text.encode('b'))),
          strings: () => new Response(parts('no bytes')), error: () => Response.error(), thrown: () => { throw new Error('no'); }, none: () => {},
          used: async () => { const response = new Response('u'); await response.text(); return response; },
          request: async event => new Response([event.request.method, event.request.mode, event.request.destination, event.request.headers.get('accept'), await event.request.text()].join()),
          passed: event => fetch(event.request),
        };
        addEventListener('fetch', event => {
          const answer = answers[new URL(event.request.url).pathname.slice(1)];
          if (answer) event.respondWith(Promise.resolve(event).then(answer));
        });`,
    },
    steps: [
      kStart, get(...['made', 'empty', 'json', 'blob', 'fetched', 'followed', 'copied', 'kept', 'redirect', 'stream'].map(name => `'/${name}'`)),
      get(...['manual', 'strings', 'error', 'thrown', 'none', 'used', 'request'].map(name => `'/${name}'`)),
      get(`'/redirect', { redirect: 'manual' }`, `'/redirect', { redirect: 'error' }`, `'/manual', { redirect: 'manual' }`),
      get(`'/request', { method: 'POST', body: 'x', headers: { Accept: 'a/b' } }`, `'/passed', { method: 'PUT' }`, `'/made', { mode: 'no-cors' }`),
      get(`new URL('/made', 'http://localhost:9/')`, `new URL('/kept', 'http://localhost:9/'), { mode: 'no-cors' }`),
    ],
  },
  'ranges, transformed streams and compression': {
    files: {
      '/part': 'part',
      '/sw.js': `${kTakeOver}
        addEventListener('fetch', event => {
          const { pathname } = new URL(event.request.url);
          if (pathname === '/sound') {
            const [, from, to] = /bytes=(\\d+)-(\\d*)/.exec(event.request.headers.get('range') ?? '') ?? [];
            const sound = '0123456789';
            event.respondWith(from === undefined ? new Response(sound) : new Response(sound.slice(from, to ? Number(to) + 1 : undefined),
              { status: 206, statusText: 'Partial Content', headers: { 'Content-Range': 'bytes ' + from + '-' + (to || 9) + '/10' } }));
          }
          if (pathname === '/joined') {
            const { readable, writable } = new TransformStream();
            event.respondWith(new Response(readable, { headers: { 'Content-Type': 'text/html' } }));
            event.waitUntil((async () => {
              for (let i = 0; i < 2; ++i) await (await fetch('/part')).body.pipeTo(writable, { preventClose: true });
              await writable.close();
            })());
          }
          if (pathname === '/loud') {
            event.respondWith(fetch('/part').then(({ body }) => {
              const [mine, theirs] = body.tee();
              event.waitUntil(caches.open('loud').then(cache => cache.put('/quiet', new Response(mine))));
              const loud = new TransformStream({ transform: (chunk, controller) => controller.enqueue(chunk.toUpperCase()) });
              return new Response(theirs.pipeThrough(new TextDecoderStream()).pipeThrough(loud).pipeThrough(new TextEncoderStream())
                .pipeThrough(new CompressionStream('gzip')).pipeThrough(new DecompressionStream('gzip')));
            }));
          }
        });`,
    },
    steps: [kStart, get("'/sound'", "'/sound', { headers: { Range: 'bytes=2-5' } }", "'/sound', { headers: { Range: 'bytes=7-' } }", "'/joined'", "'/loud'"), { until: `caches.match('/quiet')` }],
  },
  'calls over message channels': {
    files: {
      '/sw.js': `${kTakeOver}
        const calls = {
          add: ([a, b]) => a + b, fail: () => { throw new RangeError('far'); }, map: () => new Map([[1, new Set([2])]]).get(1).size,
          cyclic: () => { const it = { a: 1 }; it.it = it; return it.it.it.a; }, date: () => new Date(5), buffer: bytes => bytes.byteLength,
          clients: async () => (await clients.matchAll({ includeUncontrolled: true })).map(({ url, type, frameType, visibilityState }) => [url, type, frameType, visibilityState]),
          clone: () => { try { structuredClone(() => {}); } catch (error) { return error.message; } },
        };
        addEventListener('message', async event => {
          const { call, given } = event.data;
          try { event.ports[0].postMessage({ value: await calls[call](given), from: event.source.url, origin: event.origin }); }
          catch (error) { event.ports[0].postMessage({ error, name: error.name, message: error.message }); }
        });`,
    },
    steps: [kStart, ...['add', 'fail', 'map', 'cyclic', 'date', 'clients', 'clone', 'unknown'].map(call => ({ run: `return page.ask({ call: '${call}', given: [1, 2] })` })),
      { run: `return page.ask({ call: 'buffer', given: new ArrayBuffer(8) })` },
      { run: `try { navigator.serviceWorker.controller.postMessage(() => {}); } catch (error) { return error; }` }],
  },
  'registrations that fail': {
    files: {
      '/throws.js': 'throw new Error("no")', '/syntax.js': 'let a = ;', '/text.txt': 'x', '/moved.js': { status: 302, headers: { Location: '/sw.js' } },
      '/imports.js': `importScripts('/missing.js')`, '/deep/sw.js': '', '/sw.js': '', '/module.js': `import 'bare'`,
    },
    steps: [`'/missing.js'`, `'/throws.js'`, `'/syntax.js'`, `'/text.txt'`, `'/moved.js'`, `'/imports.js'`, `'/deep/sw.js', { scope: '/' }`, `'/module.js', { type: 'module' }`,
      `'/sw.js', { scope: '/a%2fb' }`, `'http://other.example/sw.js'`, `'data:text/javascript,'`, `'/sw.js', { type: 'wrong' }`, ``]
      .map(given => ({ run: `return navigator.serviceWorker.register(${given}).catch(error => error)` })),
  },
};
