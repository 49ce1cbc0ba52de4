// The example apps in a real browser: what Vigil runs is a web app like any other.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AppServer } from './support/app-server.mjs';
import { openChromium, whyNoChromium } from './support/chromium.mjs';

describe('in Chromium', { skip: whyNoChromium() ?? false }, () => {
  let browser, feed, queue;
  before(async () => {
    [browser, feed, queue] = await Promise.all([openChromium(), AppServer.start(), AppServer.start('workbox-queue')]);
  });
  after(() => Promise.all([browser.close(), feed.stop(), queue.stop()]));

  test('posts wait in the outbox while the server is away, and a sync sends them in order', async () => {
    const page = await browser.openApp(feed.url);
    await page.fill('#text', 'first');
    await page.click('button');
    await page.waitForSelector('#feed li');
    await feed.fail('drop');
    for (const text of ['second', 'third']) {
      await page.fill('#text', text);
      await page.click('button');
      await page.waitForSelector(`#outbox li:has-text("${text}")`);
    }
    assert.match(await page.textContent('#status'), /^Your post will be published automatically/);
    await feed.fail('ok');
    await browser.dispatchSync(page, feed.url, 'sync-post');
    await page.waitForFunction(() => document.querySelectorAll('#feed li').length === 3);
    assert.deepEqual((await feed.posts()).map(post => post.text), ['first', 'second', 'third']);
    assert.equal(await page.isHidden('#outbox-section'), true);
  });

  test('the feed is updated in the background once it is permitted', async () => {
    const page = await browser.openApp(feed.url);
    await page.click('#periodic');
    await page.waitForFunction(() => document.getElementById('status').textContent.startsWith('Install the app first'));
    assert.equal(await page.isChecked('#periodic'), false);
    await browser.allowPeriodicSync(page, feed.url);
    await page.click('#periodic');
    await page.waitForFunction(() => document.getElementById('status').textContent.startsWith('Success!'));
    const before = (await feed.requests('GET', '/api/feed')).length;
    await browser.dispatchPeriodicSync(page, feed.url, 'update-feed-content');
    await feed.until('a request for the feed', () => true);
    await page.waitForFunction(async () => (await caches.match('api/feed')) !== undefined);
    assert.ok((await feed.requests('GET', '/api/feed')).length >= before);
  });

  test('Workbox queues a failed POST and replays it', async () => {
    const page = await browser.openApp(queue.url);
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    assert.equal(await page.evaluate(() => post('now')), 'sent');
    await queue.fail('drop');
    assert.equal(await page.evaluate(() => post('later')), 'queued');
    await queue.fail('ok');
    await browser.dispatchSync(page, queue.url, 'workbox-background-sync:posts');
    assert.deepEqual((await queue.untilPosts(2)).map(post => post.text), ['now', 'later']);
  });
});
