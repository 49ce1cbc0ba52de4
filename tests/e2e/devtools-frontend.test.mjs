// Chrome's own front end on Vigil: the one inside Chromium, and the one that the daemon serves to any browser.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { minimalApp } from './support/app-server.mjs';
import { devtoolsAddress, list } from './support/cdp.mjs';
import { kChromium } from './support/chromium.mjs';
import { kManual, outcomeInPage, startFiles, startVigil } from './support/fixture.mjs';
import { keepScreenshot } from './support/screenshots.mjs';

const options = { skip: existsSync(kChromium) ? false : `${kChromium} is not installed`, timeout: 120_000 };

const kWorker = `
self.addEventListener('install', event => event.waitUntil(self.skipWaiting()));
for (const type of ['sync', 'periodicsync', 'push']) {
  self.addEventListener(type, event => event.waitUntil(fetch('ran?' + type + '=' + (event.tag ?? ''), { method: 'POST' })));
}
`;

async function start(t) {
  const vigil = await startVigil(t, [...kManual, '--devtools', '127.0.0.1:0']);
  const app = await startFiles(t, minimalApp(kWorker, { '/ran': { body: '', status: 200 } }));
  await vigil.call('install', app.url);
  return { vigil, app };
}

// hosts: who answered it.
async function open(t, url) {
  const browser = await chromium.launch({ executablePath: kChromium, headless: true,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'] });
  t.after(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
  page.setDefaultTimeout(60_000);
  const hosts = new Set();
  page.on('response', response => { if (/^https?:/.test(response.url())) hosts.add(new URL(response.url()).host); });
  page.on('websocket', socket => hosts.add(new URL(socket.url()).host));
  await page.goto(url);
  return { page, hosts };
}

const pane = (page, name) => page.getByText(name, { exact: true }).first().click();

// Press Record, run a sync, see what Chromium's own recording shows: these events, in this order.
async function recordsASync(page, vigil, app, picture) {
  await pane(page, 'Background sync');
  await page.getByRole('button', { name: 'Start recording events' }).first().click();
  await page.getByRole('button', { name: 'Stop recording events' }).first().waitFor();
  assert.equal(await outcomeInPage(vigil, app.url, "registration.sync.register('outbox')"), 'ok');
  await page.getByRole('cell', { name: 'Sync completed' }).waitFor();
  const events = await page.locator('td.event-name-column:visible').allInnerTexts();
  assert.deepEqual(events.filter(Boolean), ['Registered sync', 'Dispatched sync event', 'Sync completed']);
  await page.getByRole('cell', { name: 'Dispatched sync event' }).click();
  await page.getByText('Last Chance').waitFor();
  await keepScreenshot(page, picture);
}

async function sendsEvents(page, app, picture) {
  const before = app.log.filter(({ path }) => path === '/ran').length;
  await pane(page, 'Service workers');
  await page.getByText('activated and is running').waitFor();
  await keepScreenshot(page, picture);
  for (const [index, button] of ['Sync', 'Periodic sync', 'Push'].entries()) {
    await page.getByRole('button', { name: button, exact: true }).first().click();
    await app.requests('/ran', before + index + 1);
  }
  await page.getByRole('button', { name: 'Stop', exact: true }).first().click();
  await page.getByText('activated and is stopped').waitFor();
  await page.getByRole('button', { name: 'Start', exact: true }).first().click();
  await page.getByText('activated and is running').waitFor();
}

test("Chromium's bundled front end records a sync and sends events", options, async t => {
  const { vigil, app } = await start(t);
  const target = (await list(devtoolsAddress(vigil))).find(one => one.type === 'page');
  const { page } = await open(t, target.devtoolsFrontendUrl + '&panel=resources');
  await recordsASync(page, vigil, app, 'devtools-bundled-background-sync');
  await sendsEvents(page, app, 'devtools-bundled-service-workers');
  await pane(page, 'Manifest');
  await page.getByText('Minimal').first().waitFor();
});

test('the front end that the daemon serves does the same, and speaks with nobody else', options, async t => {
  const { vigil, app } = await start(t);
  const url = (await vigil.call('devtools', app.url)).trim();
  const { page, hosts } = await open(t, url);
  await recordsASync(page, vigil, app, 'devtools-served-background-sync');
  await sendsEvents(page, app, 'devtools-served-service-workers');
  assert.deepEqual([...hosts], [new URL(url).host]);
});

test('a sync waits while the Offline box is ticked, and runs when it is not', options, async t => {
  const { vigil, app } = await start(t);
  const { page } = await open(t, (await vigil.call('devtools', app.url)).trim());
  await pane(page, 'Service workers');
  const box = page.getByRole('checkbox', { name: 'Offline' }).first();
  await box.check();
  assert.equal(await outcomeInPage(vigil, app.url, "registration.sync.register('kept')"), 'ok');
  assert.match(await vigil.call('syncs'), /offline: developer tools keep this worker off the network/);
  await box.uncheck();
  await app.requests('/ran', 1);
});

test('stored records and responses are shown in their panes', options, async t => {
  const { vigil, app } = await start(t);
  assert.equal(await vigil.valueInPage(app.url, `(async () => {
    await new Promise((resolve, reject) => {
      const request = indexedDB.open('shop', 1);
      request.onupgradeneeded = () => request.result.createObjectStore('sales', { keyPath: 'id' }).put({ id: 4711, text: 'Darjeeling' });
      request.onsuccess = () => { request.result.close(); resolve(); };
      request.onerror = () => reject(request.error);
    });
    await (await caches.open('pages')).put('/offline-page', new Response('offline'));
    return 'filled';
  })()`), 'filled');
  const { page } = await open(t, (await vigil.call('devtools', app.url)).trim());
  // Opens what is in the tree under that name once there is something below it.
  const unfold = async (name, child) => {
    await page.getByText(name).first().click();
    await page.getByText(child).first().waitFor({ state: 'attached' });
    await page.keyboard.press('ArrowRight');
    await page.getByText(child).first().click();
  };
  await unfold('IndexedDB', 'shop');
  await unfold('shop', 'sales');
  await page.getByText('Darjeeling').first().waitFor();
  await page.getByText('4711').first().waitFor();
  await keepScreenshot(page, 'devtools-served-indexeddb');
  await unfold('Cache storage', /^pages/);
  await page.getByText('offline-page').first().waitFor();
  await keepScreenshot(page, 'devtools-served-cache-storage');
});
