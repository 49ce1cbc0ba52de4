// The social feed under test with Playwright: a post that is written offline waits for a day and arrives once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { startFeed } from './feed.mjs';

test('a post that was written offline is published a day later, when the network returns', async t => {
  const { url, vigil, devtools, posts } = await startFeed(t);
  const browser = await chromium.connectOverCDP(devtools);
  t.after(() => browser.close());
  const [context] = browser.contexts();
  const worker = context.serviceWorkers()[0] ?? await context.waitForEvent('serviceworker');
  assert.equal(worker.url(), new URL('sw.js', url).href);
  assert.equal(await worker.evaluate(() => self.registration.scope), url);

  await vigil('network', 'offline');
  await vigil('page', 'open', url, '--eval', 'await publishPostOnConnected(createPost("Hello"))');
  await vigil('clock', 'advance', '24h');
  assert.deepEqual(await posts(), []);

  await vigil('network', 'online');
  await vigil('clock', 'advance', '1m');
  assert.deepEqual((await posts()).map(post => post.text), ['Hello']);
});

test('an event is sent by hand, and what the worker says is read', async t => {
  const { url, devtools } = await startFeed(t);
  const browser = await chromium.connectOverCDP(devtools);
  t.after(() => browser.close());
  const [context] = browser.contexts();
  const worker = context.serviceWorkers()[0] ?? await context.waitForEvent('serviceworker');
  await worker.evaluate(() => self.addEventListener('sync', event => { self.heard = [event.tag, event.lastChance]; }));

  const session = await context.newCDPSession(context.pages()[0]);
  const registered = new Promise(resolve => session.once('ServiceWorker.workerVersionUpdated', resolve));
  await session.send('ServiceWorker.enable');
  const { registrationId } = (await registered).versions[0];
  await session.send('ServiceWorker.dispatchSyncEvent', { origin: new URL(url).origin, registrationId, tag: 'by-hand', lastChance: true });
  assert.deepEqual(await worker.evaluate(async () => {
    while (!self.heard) await new Promise(resolve => setTimeout(resolve));
    return self.heard;
  }), ['by-hand', true]);
});
