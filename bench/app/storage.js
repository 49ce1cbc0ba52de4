'use strict';
// What scripts store: the same work for both sides. Rates are per second, times in milliseconds.

const requestDone = request => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
const transactionDone = transaction => new Promise((resolve, reject) => {
  transaction.oncomplete = resolve;
  transaction.onabort = () => reject(transaction.error);
});
const perSecond = (count, started) => count / ((performance.now() - started) / 1000);
const record = number => ({ number, text: `record ${number}`, createdAt: '2026-01-01T00:00:00.000Z', done: false });

// A new database with one object store.
async function freshDatabase() {
  await requestDone(indexedDB.deleteDatabase('bench-storage'));
  const request = indexedDB.open('bench-storage', 1);
  request.onupgradeneeded = () => request.result.createObjectStore('records');
  return requestDone(request);
}
async function filledDatabase(count) {
  const database = await freshDatabase();
  const transaction = database.transaction('records', 'readwrite');
  for (let number = 0; number < count; number += 1) transaction.objectStore('records').put(record(number), number);
  await transactionDone(transaction);
  return database;
}

// One record per transaction, one after the other.
async function singlePuts(count, durability) {
  const database = await freshDatabase();
  const started = performance.now();
  for (let number = 0; number < count; number += 1) {
    const transaction = database.transaction('records', 'readwrite', { durability });
    transaction.objectStore('records').put(record(number), number);
    await transactionDone(transaction);
  }
  const rate = perSecond(count, started);
  database.close();
  return rate;
}
async function singleGets(count) {
  const database = await filledDatabase(1000);
  const started = performance.now();
  for (let number = 0; number < count; number += 1) {
    await requestDone(database.transaction('records').objectStore('records').get(number % 1000));
  }
  const rate = perSecond(count, started);
  database.close();
  return rate;
}
async function manyPuts(count) {
  const database = await freshDatabase();
  const started = performance.now();
  const transaction = database.transaction('records', 'readwrite');
  for (let number = 0; number < count; number += 1) transaction.objectStore('records').put(record(number), number);
  await transactionDone(transaction);
  const took = performance.now() - started;
  database.close();
  return took;
}
async function cursorWalk(count) {
  const database = await filledDatabase(count);
  const started = performance.now();
  const request = database.transaction('records').objectStore('records').openCursor();
  let seen = 0;
  await new Promise((resolve, reject) => {
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const cursor = request.result;
      if (!cursor) return resolve();
      seen += cursor.value.number === cursor.key ? 1 : 0;
      cursor.continue();
      return undefined;
    };
  });
  const took = performance.now() - started;
  database.close();
  if (seen !== count) throw new Error(`The cursor saw ${seen} records instead of ${count}`);
  return took;
}

const cached = number => new Request(`cached/${number}`);
const response = number => new Response(`response ${number}`, { headers: { 'Content-Type': 'text/plain' } });
async function freshCache() {
  await caches.delete('bench-storage');
  return caches.open('bench-storage');
}
async function cachePuts(count) {
  const cache = await freshCache();
  const started = performance.now();
  for (let number = 0; number < count; number += 1) await cache.put(cached(number), response(number));
  return perSecond(count, started);
}
async function cacheMatches(count) {
  const cache = await freshCache();
  for (let number = 0; number < 100; number += 1) await cache.put(cached(number), response(number));
  const started = performance.now();
  for (let number = 0; number < count; number += 1) {
    if (!(await cache.match(cached(number % 100)))) throw new Error('A stored response is missing');
  }
  return perSecond(count, started);
}
