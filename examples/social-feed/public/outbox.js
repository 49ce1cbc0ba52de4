// The outbox: posts that are written but not yet received by the server. Used by the page (a script element) and by
// the service worker (importScripts), so it touches nothing that only one of them has.
'use strict';

const kOutboxDatabase = 'social-feed';
const kOutboxStore = 'outbox';

// Settles with the result of an IDBRequest.
function requestResult(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

// Settles when everything that the transaction wrote is committed.
function transactionDone(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

function openOutbox() {
  const request = indexedDB.open(kOutboxDatabase, 1);
  request.onupgradeneeded = () => {
    // The generated key is the order of writing: posts are sent in that order.
    request.result.createObjectStore(kOutboxStore, { keyPath: 'number', autoIncrement: true });
  };
  return requestResult(request);
}

async function withOutbox(mode, work) {
  const database = await openOutbox();
  try {
    const transaction = database.transaction(kOutboxStore, mode, { durability: 'strict' });
    const done = transactionDone(transaction);
    done.catch(() => {});  // reported below; without this a failing work() would leave it unhandled
    const result = await work(transaction.objectStore(kOutboxStore));
    await done;
    return result;
  } finally {
    database.close();
  }
}

// A new post. The id is its idempotency key: however often it is sent, the server keeps it once.
function createPost(text) {
  return { id: crypto.randomUUID(), text, createdAt: new Date().toISOString() };
}

// Keeps the post until the server has it. Resolves when it is on the disk.
async function savePost(post) {
  await withOutbox('readwrite', outbox => requestResult(outbox.add(post)));
}

// All kept posts, oldest first.
function savedPosts() {
  return withOutbox('readonly', outbox => requestResult(outbox.getAll()));
}

// The oldest kept post that the server has not refused for good, or undefined.
async function nextSavedPost() {
  return (await savedPosts()).find(post => !post.refused);
}

function removePost(post) {
  return withOutbox('readwrite', outbox => requestResult(outbox.delete(post.number)));
}

// The server will never take this post: keep it for its author to see, but do not let it block those behind it.
function markRefused(post, status) {
  return withOutbox('readwrite', outbox => requestResult(outbox.put({ ...post, refused: status })));
}

// One POST. Resolves with the HTTP status of an answer that settles the matter (2xx, or a refusal for good), rejects
// when it is worth trying again: no connection, server trouble, time-out, too many requests.
async function sendPost(post) {
  const response = await fetch('api/posts', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': post.id },
    body: JSON.stringify({ id: post.id, text: post.text, createdAt: post.createdAt }),
  });
  const passing = response.status >= 500 || response.status === 408 || response.status === 429;
  if (passing) {
    throw new Error(`The server answered ${response.status}`);
  }
  return response.status;
}
