// The social feed under test with Puppeteer: a post that is written offline waits for a day and arrives once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { startFeed } from './feed.mjs';

test('a post that was written offline is published a day later, when the network returns', async t => {
  const { url, vigil, devtools, posts } = await startFeed(t);
  const browser = await puppeteer.connect({ browserURL: devtools });
  t.after(() => browser.disconnect());

  const target = await browser.waitForTarget(one => one.type() === 'service_worker');
  const worker = await target.worker();
  assert.equal(await worker.evaluate(() => self.registration.scope), url);

  await vigil('network', 'offline');
  await vigil('page', 'open', url, '--eval', 'await publishPostOnConnected(createPost("Hello"))');
  await vigil('clock', 'advance', '24h');
  assert.deepEqual(await posts(), []);

  await vigil('network', 'online');
  await vigil('clock', 'advance', '1m');
  const arrived = await posts();
  assert.deepEqual(arrived.map(post => post.text), ['Hello']);
});

test('an event is sent by hand, and what the worker says is read', async t => {
  const { devtools, vigil, url } = await startFeed(t);
  const browser = await puppeteer.connect({ browserURL: devtools });
  t.after(() => browser.disconnect());
  const worker = await (await browser.waitForTarget(one => one.type() === 'service_worker')).worker();
  const said = new Promise(resolve => worker.on('console', line => resolve(line.text())));
  await worker.evaluate(() => self.addEventListener('sync', event => console.log('sync', event.tag, event.lastChance)));

  const page = await browser.waitForTarget(one => one.type() === 'page');
  const session = await page.createCDPSession();
  const registered = new Promise(resolve => session.once('ServiceWorker.workerVersionUpdated', resolve));
  await session.send('ServiceWorker.enable');
  const { registrationId } = (await registered).versions[0];
  await session.send('ServiceWorker.dispatchSyncEvent', { origin: new URL(url).origin, registrationId, tag: 'by-hand', lastChance: true });
  assert.equal(await said, 'sync by-hand true');
  assert.match(await vigil('syncs'), /nothing is registered/);
});
