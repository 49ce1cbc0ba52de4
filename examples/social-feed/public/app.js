// What the page does; ui.js connects it with the document. Runs without a document too (a window client of a host that
// has no screen): then showNotification() speaks on the console.
//
// publishPostOnConnected(), registerPeriodicFeedUpdate() and their feature detection are the samples of "30 Days of
// PWA", 2.6 "Synchronizing app in the background", unchanged but for one mend: the sample writes `} catch() {`, which
// is not JavaScript; here it is `} catch {`.
'use strict';

if ('serviceWorker' in navigator) {
  navigator.serviceWorker.register('sw.js').catch(error => {
    console.error(`The service worker could not be registered: ${error.message}`);
  });
}

async function publishPostOnConnected(post) {
  const registration = await navigator.serviceWorker.ready;
  try {
    // First, you should write a code to save to IndexedDB the data you want to send later. It's a good idea to have this function ready for multiple posts published while offline.
    await savePost(post);

    // Then, the sync registration itself. We give it a name because we can have multiple syncs for various parts of the app functionality:
    await registration.sync.register('sync-post');

    // Finally, you can inform the user about it:
    showNotification('Your post will be published automatically right after connection is restored. It is safe to close the app.');
  } catch {
    console.error('Background Sync registration failed');
  }
}

async function registerPeriodicFeedUpdate() {
  const registration = await navigator.serviceWorker.ready;

  // Query and check permission. See "Privacy and resource utilization considerations" section below.
  const status = await navigator.permissions.query({
    name: 'periodic-background-sync',
  });
  if (status.state !== 'granted') {
    console.log('Periodic Background Sync is not granted.');
    return;
  }

  try {
    await registration.periodicSync.register('update-feed-content', {
      minInterval: 24 * 60 * 60 * 1000, // We ask browser to run the sync no more than once a day
    });
    showNotification('Success! Feed will be updated in the background.');

  } catch {
    console.error('Periodic Background Sync registration failed');
  }
}

// The user pressed "Publish". Straight to the server if that works and nothing older waits; else through the outbox.
async function publish(text) {
  const post = createPost(text);
  if (await sendNow(post)) {
    showNotification('Your post is published.');
    return;
  }
  if ('serviceWorker' in navigator && 'SyncManager' in window) {
    publishPostOnConnected(post);
  } else {
    console.log('Background Sync is not supported');
  }
}

async function sendNow(post) {
  if (!navigator.onLine || (await nextSavedPost())) {
    return false;
  }
  try {
    const status = await sendPost(post);
    return status >= 200 && status < 300;
  } catch {
    return false;
  }
}

// The user switched "Update my feed in the background" on.
function enablePeriodicFeedUpdate() {
  if ('serviceWorker' in navigator && 'PeriodicSyncManager' in window) {
    registerPeriodicFeedUpdate();
  } else {
    console.log('Periodic Background Sync is not supported');
  }
}

async function disablePeriodicFeedUpdate() {
  const registration = await navigator.serviceWorker.ready;
  await registration.periodicSync.unregister('update-feed-content');
}

async function periodicFeedUpdateIsOn() {
  if (!('serviceWorker' in navigator && 'PeriodicSyncManager' in window)) {
    return false;
  }
  const registration = await navigator.serviceWorker.ready;
  return (await registration.periodicSync.getTags()).includes('update-feed-content');
}

// Tells the user, in the page while it is open.
function showNotification(text) {
  console.log(text);
  dispatchEvent(new CustomEvent('app-notification', { detail: text }));
}
