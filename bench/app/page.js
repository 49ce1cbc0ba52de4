'use strict';
const registered = navigator.serviceWorker.register('sw.js');

// Registers `count` tags with so many calls under way at a time. Resolves with the rate per second.
async function registerMany(count, callers, prefix) {
  const registration = await navigator.serviceWorker.ready;
  let next = 0;
  const started = performance.now();
  await Promise.all(Array.from({ length: callers }, async () => {
    while (next < count) {
      const number = next;
      next += 1;
      await registration.sync.register(prefix + number);
    }
  }));
  return count / ((performance.now() - started) / 1000);
}

// Puts `count` posts into the queue.
async function fillQueue(count) {
  const request = indexedDB.open('bench', 1);
  request.onupgradeneeded = () => request.result.createObjectStore('posts', { keyPath: 'number', autoIncrement: true });
  const database = await new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const transaction = database.transaction('posts', 'readwrite');
  for (let number = 0; number < count; number += 1) {
    transaction.objectStore('posts').add({ text: `post ${number}`, createdAt: new Date().toISOString() });
  }
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  database.close();
  return count;
}
