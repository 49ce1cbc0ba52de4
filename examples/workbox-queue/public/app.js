// The page only posts. What happens to a POST that fails is the worker's business (sw.js).
'use strict';

navigator.serviceWorker.register('sw.js').catch(error => {
  console.error(`The service worker could not be registered: ${error.message}`);
});

// Resolves with 'sent', or 'queued' when the worker keeps the request for a sync.
async function post(text) {
  await navigator.serviceWorker.ready;
  const response = await fetch('api/posts', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() },
    body: JSON.stringify({ text, createdAt: new Date().toISOString() }),
  });
  if (!response.ok) {
    throw new Error(`The server answered ${response.status}`);
  }
  const outcome = response.status === 202 ? 'queued' : 'sent';
  console.log(`${outcome}: ${text}`);
  return outcome;
}

if (typeof document !== 'undefined' && typeof document.getElementById === 'function' && document.getElementById('form')) {
  document.getElementById('form').addEventListener('submit', async event => {
    event.preventDefault();
    const field = document.getElementById('text');
    const text = field.value;
    field.value = '';
    const outcome = await post(text).catch(error => error.message);
    document.getElementById('log').append(`${outcome}: ${text}\n`);
  });
}
