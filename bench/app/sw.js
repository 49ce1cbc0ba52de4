'use strict';
importScripts('queue.js');

self.addEventListener('install', event => event.waitUntil((async () => {
  await (await caches.open('shell')).addAll(['./', 'page.js']);
  await self.skipWaiting();
})()));
self.addEventListener('activate', event => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', event => {
  if (event.request.method === 'GET') {
    event.respondWith(fetch(event.request).catch(() => caches.match(event.request)));
  }
});

self.addEventListener('sync', event => {
  const at = performance.timeOrigin + performance.now();  // the handler's first line
  if (event.tag === 'drain') {
    event.waitUntil(drain());
  } else if (event.tag === 'mark') {
    event.waitUntil(fetch(`mark?at=${at}`));
  }
});

// Reads all, posts one after the other, deletes each after its answer.
async function drain() {
  const database = await openQueue();
  const posts = await result(database.transaction('posts').objectStore('posts').getAll());
  for (const post of posts) {
    const response = await fetch('posts', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(post) });
    if (!response.ok) throw new Error(`The server answered ${response.status}`);
    const transaction = database.transaction('posts', 'readwrite');
    transaction.objectStore('posts').delete(post.number);
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
  }
  database.close();
  await fetch('drained');
}
