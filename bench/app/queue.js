// The queue that is drained: posts in IndexedDB, one transaction for each change, as an app would do it.
'use strict';

function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function openQueue() {
  const request = indexedDB.open('bench', 1);
  request.onupgradeneeded = () => request.result.createObjectStore('posts', { keyPath: 'number', autoIncrement: true });
  return result(request);
}
