// The example app's code is the article's code. The samples below are the article's; two slips of it that are not
// JavaScript are mended in the app (examples/social-feed/README.md), and in the same way here.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { kRoot } from './support/processes.mjs';

const kPublish = `
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
}`;
const kPublishDetection = `
if ('serviceWorker' in navigator && 'SyncManager' in window) {
  publishPostOnConnected(post);
} else {
  console.log('Background Sync is not supported');
}`;
const kSyncListener = `
self.addEventListener('sync', event => {
    if (event.tag === 'sync-post') {
      event.waitUntil(

        // You have to implement the function that iterates over the preserved posts and sends them:
        publishSavedPosts();
      );
    }
});`;
const kPeriodic = `
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

  } catch() {
    console.error('Periodic Background Sync registration failed');
  }
}`;
const kPeriodicDetection = `
if ('serviceWorker' in navigator && 'PeriodicSyncManager' in window) {
  registerPeriodicFeedUpdate();
} else {
  console.log('Periodic Background Sync is not supported');
}`;
const kPeriodicListener = `
self.addEventListener('periodicsync', event => {
  if (event.tag === 'update-feed-content') {
      event.waitUntil(

        // You have to implement the function that fetches the latest posts and updates the storage:
        updateFeedContent();
      );
  }
});`;

// Indentation is the place's business.
const squeeze = text => text.split('\n').map(line => line.trim()).filter(line => line !== '').join('\n');
const mend = text => text.replace('} catch() {', '} catch {').replace(/(publishSavedPosts|updateFeedContent)\(\);/, '$1()');
const read = name => squeeze(readFileSync(join(kRoot, 'examples/social-feed/public', name), 'utf8'));

for (const [name, sample, file] of [
  ['publishPostOnConnected', kPublish, 'app.js'],
  ['its feature detection', kPublishDetection, 'app.js'],
  ['the sync listener', kSyncListener, 'sw.js'],
  ['registerPeriodicFeedUpdate', kPeriodic, 'app.js'],
  ['its feature detection', kPeriodicDetection, 'app.js'],
  ['the periodicsync listener', kPeriodicListener, 'sw.js'],
]) {
  test(`${file} has ${name} as the article has it`, () => {
    assert.ok(read(file).includes(squeeze(mend(sample))));
  });
}
