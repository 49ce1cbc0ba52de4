// A worker whose queue is Workbox's, unmodified.
'use strict';
importScripts('workbox-core.prod.js', 'workbox-background-sync.prod.js');

self.addEventListener('install', event => event.waitUntil((async () => {
  await (await caches.open('shell')).addAll(['workbox.html']);
  await self.skipWaiting();
})()));
self.addEventListener('activate', event => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', event => {
  if (event.request.mode === 'navigate') event.respondWith(caches.match('workbox.html'));
});

const queue = new workbox.backgroundSync.Queue('bench', {
  async onSync() {
    await queue.replayRequests();
    await fetch('drained');
  },
});

async function fill(count, page) {
  for (let number = 0; number < count; number += 1) {
    const body = JSON.stringify({ text: `post ${number}`, createdAt: new Date().toISOString() });
    await queue.pushRequest({ request: new Request('posts', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body }) });
  }
  page.postMessage(count);
}
self.addEventListener('message', event => event.waitUntil(fill(event.data, event.source)));

self.addEventListener('sync', event => {
  const at = performance.timeOrigin + performance.now();  // the handler's first line
  if (event.tag === 'mark') event.waitUntil(fetch(`mark?at=${at}`));
});
