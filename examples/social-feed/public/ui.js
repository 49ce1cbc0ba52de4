// Connects app.js with the document. Does nothing where there is none.
'use strict';

function startUserInterface() {
  const element = id => document.getElementById(id);

  function showConnection() {
    element('connection').textContent = navigator.onLine ? 'online' : 'offline';
    element('connection').classList.toggle('offline', !navigator.onLine);
  }

  function postItem(post) {
    const item = document.createElement('li');
    item.textContent = post.text;
    const time = document.createElement('time');
    time.dateTime = post.createdAt;
    time.textContent = new Date(post.createdAt).toLocaleString()
      + (post.refused ? ` (refused by the server: ${post.refused})` : '');
    item.append(time);
    return item;
  }

  async function showOutbox() {
    const posts = await savedPosts();
    element('outbox').replaceChildren(...posts.map(postItem));
    element('outbox-section').hidden = posts.length === 0;
  }

  // The worker answers from the network, or from the cache that it keeps fresh in the background.
  async function showFeed() {
    try {
      const response = await fetch('api/feed');
      const feed = await response.json();
      element('feed').replaceChildren(...feed.posts.map(postItem));
      element('feed-age').textContent = `As of ${new Date(feed.generatedAt).toLocaleString()}`;
    } catch {
      element('feed-age').textContent = 'The feed is not here yet. It comes with the first connection.';
    }
  }

  async function showPeriodic() {
    element('periodic').checked = await periodicFeedUpdateIsOn();
  }

  element('composer').addEventListener('submit', async event => {
    event.preventDefault();
    const text = element('text').value.trim();
    if (text) {
      element('text').value = '';
      await publish(text);
      showOutbox();
      showFeed();
    }
  });
  element('periodic').addEventListener('change', async event => {
    await (event.target.checked ? enablePeriodicFeedUpdate() : disablePeriodicFeedUpdate());
    if (event.target.checked && (await navigator.permissions.query({ name: 'periodic-background-sync' })).state !== 'granted') {
      event.target.checked = false;
      element('status').textContent = 'Install the app first; then its feed can be updated in the background.';
    }
  });
  addEventListener('app-notification', event => {
    element('status').textContent = event.detail;
    showOutbox();
  });
  addEventListener('online', showConnection);
  addEventListener('offline', showConnection);
  navigator.serviceWorker?.addEventListener('message', () => {
    showOutbox();
    showFeed();
  });

  showConnection();
  showOutbox();
  showFeed();
  showPeriodic();
}

if (typeof document !== 'undefined' && typeof document.getElementById === 'function' && document.getElementById('composer')) {
  startUserInterface();
}
