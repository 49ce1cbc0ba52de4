// Keeps POSTs that fail for want of a network in a Workbox queue; Workbox replays them on its sync event.
'use strict';

importScripts('lib/workbox-core.js', 'lib/workbox-background-sync.js');

const kShellCache = 'shell-1';
const queue = new workbox.backgroundSync.Queue('posts', { maxRetentionTime: 7 * 24 * 60 });  // minutes

self.addEventListener('install', event => {
  event.waitUntil((async () => {
    const cache = await caches.open(kShellCache);
    await cache.addAll(['./', 'app.js']);
    await self.skipWaiting();
  })());
});
self.addEventListener('activate', event => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', event => {
  if (event.request.method === 'POST') {
    event.respondWith(sendOrQueue(event.request));
  } else if (event.request.method === 'GET') {
    event.respondWith(fetch(event.request).catch(async error => {
      const cached = await caches.match(event.request);
      if (cached) return cached;
      throw error;
    }));
  }
});

async function sendOrQueue(request) {
  try {
    return await fetch(request.clone());
  } catch {
    await queue.pushRequest({ request });
    return new Response(null, { status: 202 });
  }
}
