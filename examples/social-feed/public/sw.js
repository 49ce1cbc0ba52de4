// The service worker: the app's shell offline, saved posts on `sync`, a fresh feed on `periodicsync`.
//
// The listeners of `sync-post` and `update-feed-content` are the samples of "30 Days of PWA", 2.6 "Synchronizing app in the background". One
// mend: the samples end the argument of event.waitUntil( … ) with a semicolon, which is not JavaScript; it is left out.
'use strict';

importScripts('outbox.js');

const kShellCache = 'shell-1';
const kFeedCache = 'feed';
const kShell = ['./', 'index.html', 'style.css', 'outbox.js', 'app.js', 'ui.js', 'manifest.webmanifest', 'icons/icon.svg'];
const kFeedUrl = 'api/feed';
const kRoomForFeed = 5 * 1024 * 1024;  // bytes that must be free before the feed is fetched

self.addEventListener('install', event => {
  event.waitUntil((async () => {
    const cache = await caches.open(kShellCache);
    await cache.addAll(kShell);
    await self.skipWaiting();
  })());
});

self.addEventListener('activate', event => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith('shell-') && name !== kShellCache) {
        await caches.delete(name);
      }
    }
    await self.clients.claim();
  })());
});

self.addEventListener('fetch', event => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== self.location.origin) {
    return;  // the network's business
  }
  if (url.href === new URL(kFeedUrl, self.location.href).href) {
    event.respondWith(feedFromNetworkOrCache(event.request));
  } else if (event.request.mode === 'navigate') {
    event.respondWith(fetch(event.request).catch(() => caches.match('./')));
  } else if (kShell.some(path => new URL(path, self.location.href).href === url.href)) {
    event.respondWith(caches.match(event.request).then(cached => cached ?? fetch(event.request)));
  }
});

async function feedFromNetworkOrCache(request) {
  try {
    const response = await fetch(request);
    if (response.ok) {
      const cache = await caches.open(kFeedCache);
      await cache.put(kFeedUrl, response.clone());
    }
    return response;
  } catch (error) {
    const cached = await caches.match(kFeedUrl);
    if (cached) {
      return cached;
    }
    throw error;
  }
}

let publishing;  // the run of publishSavedPosts() that was started last

function publishSavedPosts() {
  publishing = sendAllInOrder();
  return publishing;
}

// Sends the saved posts one after the other, oldest first. A post leaves the outbox only when the server has it. The
// first failure ends the run: the order is kept, and the rejection asks for another sync.
async function sendAllInOrder() {
  try {
    for (let post; (post = await nextSavedPost()); ) {
      const status = await sendPost(post);
      if (status >= 200 && status < 300) {
        await removePost(post);
      } else {
        await markRefused(post, status);
      }
    }
  } finally {
    await tellPages({ type: 'outbox-changed' });
  }
}

// Fetches the feed for the next start of the app, unless that would cost the user money or room.
async function updateFeedContent() {
  const connection = navigator.connection;
  if (connection?.saveData || connection?.type === 'cellular') {
    console.log('The feed is not updated: the connection is metered.');
    return;
  }
  const { usage = 0, quota = Infinity } = await navigator.storage.estimate();
  if (quota - usage < kRoomForFeed) {
    console.log('The feed is not updated: there is not enough room.');
    return;
  }
  const response = await fetch(kFeedUrl, { cache: 'no-store' });
  if (!response.ok) {
    throw new Error(`The server answered ${response.status}`);
  }
  const cache = await caches.open(kFeedCache);
  await cache.put(kFeedUrl, response);
  await tellPages({ type: 'feed-updated' });
}

async function tellPages(message) {
  for (const client of await self.clients.matchAll({ type: 'window' })) {
    client.postMessage(message);
  }
}

self.addEventListener('sync', event => {
    if (event.tag === 'sync-post') {
      event.waitUntil(

        // You have to implement the function that iterates over the preserved posts and sends them:
        publishSavedPosts()
      );
    }
});

self.addEventListener('periodicsync', event => {
  if (event.tag === 'update-feed-content') {
      event.waitUntil(

        // You have to implement the function that fetches the latest posts and updates the storage:
        updateFeedContent()
      );
  }
});

// No attempt follows this one. If it fails the posts stay in the outbox, and the user should know.
self.addEventListener('sync', event => {
  if (event.tag === 'sync-post' && event.lastChance) {
    event.waitUntil(publishing.catch(askToOpenTheApp));
  }
});

async function askToOpenTheApp() {
  const permission = await navigator.permissions.query({ name: 'notifications' });
  if (permission.state === 'granted') {
    await self.registration.showNotification('Social Feed', {
      body: 'Your posts could not be sent. Open the app to try again.',
      tag: 'last-chance',
    });
  }
}
