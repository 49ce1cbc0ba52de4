// Keeps POSTs that fail for want of a network in a Workbox queue; Workbox replays them on its sync event.
'use strict';

importScripts('lib/workbox-core.js', 'lib/workbox-background-sync.js');

const queue = new workbox.backgroundSync.Queue('posts', { maxRetentionTime: 7 * 24 * 60 });  // minutes

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', event => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', event => {
  if (event.request.method === 'POST') {
    event.respondWith(sendOrQueue(event.request));
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
