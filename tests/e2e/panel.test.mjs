// The panel in a real Chromium: what it shows of a real daemon and app, and what its buttons do.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { minimalApp } from './support/app-server.mjs';
import { kChromium } from './support/chromium.mjs';
import { kManual, kVirtual, outcomeInPage, startFiles, startVigil } from './support/fixture.mjs';
import { keepScreenshot } from './support/screenshots.mjs';

const kAxe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const options = { skip: existsSync(kChromium) ? false : `${kChromium} is not installed` };

// Its page opens offline, too.
const kWorker = `
const page = new Response('<!doctype html><title>Minimal</title>', { headers: { 'Content-Type': 'text/html' } });
self.addEventListener('fetch', event => { if (event.request.mode === 'navigate') event.respondWith(page.clone()); });
self.addEventListener('install', event => event.waitUntil(self.skipWaiting()));
self.addEventListener('sync', event => event.waitUntil(fetch('ran?tag=' + event.tag + '&last=' + event.lastChance, { method: 'POST' })));
`;

async function startApp(t, more = {}) {
  return startFiles(t, minimalApp(kWorker, { '/ran': { body: '', status: 200 }, ...more }));
}

// A browser with the panel open. hosts: where its requests went; troubles: what its console complained about.
async function openPanel(t, vigil, context = {}) {
  const browser = await chromium.launch({ executablePath: kChromium, headless: true, args: ['--no-sandbox'] });
  t.after(() => browser.close());
  const page = await browser.newPage(context);
  page.setDefaultTimeout(15_000);
  const hosts = new Set();
  const troubles = [];
  page.on('request', request => hosts.add(new URL(request.url()).host));
  page.on('websocket', socket => hosts.add(new URL(socket.url()).host));
  page.on('pageerror', error => troubles.push(String(error)));
  page.on('console', line => { if (['error', 'warning'].includes(line.type())) troubles.push(line.text()); });
  const url = (await vigil.call('panel')).trim();
  await page.goto(url);
  await page.getByText('Live', { exact: true }).waitFor();
  return { browser, page, hosts, troubles, url, host: new URL(url).host };
}

const register = (vigil, app, tag) => outcomeInPage(vigil, app.url, `registration.sync.register(${JSON.stringify(tag)})`);

test('a sync that waits is shown with its reason and is gone once it ran, without a reload', options, async t => {
  const vigil = await startVigil(t);
  const app = await startApp(t);
  const { page, hosts, troubles, host } = await openPanel(t, vigil);
  await page.getByRole('heading', { name: 'Everything is synced' }).waitFor();
  await page.getByText('No app is known yet.').waitFor();

  await vigil.call('install', app.url);
  await page.getByRole('button', { name: 'Offline' }).click();
  await page.getByText('Network: offline').waitFor();
  assert.equal(await register(vigil, app, 'post'), 'ok');
  await page.getByRole('heading', { name: '1 sync is waiting' }).waitFor();
  await page.getByRole('cell', { name: 'offline: waiting for the network' }).waitFor();

  await page.getByRole('button', { name: 'Online' }).click();
  await page.getByRole('heading', { name: 'Everything is synced' }).waitFor();
  await page.getByRole('listitem').filter({ hasText: 'sync “post”: succeeded' }).first().waitFor();
  assert.equal((await app.requests('/ran', 1)).length, 1);
  assert.deepEqual([...hosts], [host], 'nothing was asked of another host');
  assert.deepEqual(troubles, []);
});

test('the token leaves the address bar at once, and another tab does not have it', options, async t => {
  const vigil = await startVigil(t);
  const { page, browser, url } = await openPanel(t, vigil);
  assert.ok(!page.url().includes('token'), page.url());
  await page.reload();
  await page.getByText('Live', { exact: true }).waitFor();

  const stranger = await browser.newPage();
  await stranger.goto(new URL('/', url).href);
  await stranger.getByText('does not know the token').waitFor();
});

test('the buttons of an app do what they say', options, async t => {
  const vigil = await startVigil(t, kVirtual);
  const app = await startApp(t);
  await vigil.call('install', app.url);
  await vigil.call('network', 'offline');
  await register(vigil, app, 'post');
  const { page, troubles } = await openPanel(t, vigil);
  await page.getByRole('link', { name: 'Minimal' }).click();
  await page.getByRole('heading', { name: 'Minimal', level: 1 }).waitFor();

  // Sent offline it fails as DevTools' button does; online it runs, with lastChance where that was asked for.
  await page.getByRole('button', { name: 'Send sync post now' }).click();
  await page.getByRole('status').getByText('sync “post”:').waitFor();
  await vigil.call('permission', app.url, 'notifications', 'deny');
  await page.getByRole('group', { name: /^notifications: denied/ }).waitFor();
  await page.getByRole('button', { name: 'Online' }).click();
  await app.requests('/ran', 1);
  await page.getByLabel('Tag', { exact: true }).fill('by-hand');
  await page.getByRole('checkbox', { name: 'last chance' }).check();
  await page.getByRole('button', { name: 'Send any tag' }).click();
  await page.getByRole('status').getByText('sync “by-hand”: succeeded').waitFor();
  assert.equal((await app.requests('/ran', 2)).length, 2);

  await page.getByRole('group', { name: /^background-sync:/ }).getByRole('button', { name: 'deny' }).click();
  await page.getByRole('group', { name: /^background-sync: denied/ }).waitFor();
  const permissions = await vigil.json('permission', app.url);
  assert.equal(permissions.find(({ name }) => name === 'background-sync').setting, 'deny');

  const before = (await vigil.json('clock', 'now')).now_us;
  await page.getByLabel('Advance by').fill('2h');
  await page.getByRole('button', { name: 'Advance' }).click();
  await page.getByText('Clock advanced by 2h: done').waitFor();
  assert.equal((await vigil.json('clock', 'now')).now_us - before, 2 * 3600e6);

  await page.getByRole('button', { name: 'Unregister…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  assert.equal((await vigil.json('worker', 'list')).length, 1, 'nothing is done without the confirmation');
  await page.getByRole('button', { name: 'Unregister…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Unregister', exact: true }).click();
  await page.getByText('It has no service worker').waitFor();
  assert.equal((await vigil.json('worker', 'list')).length, 0);
  assert.deepEqual(troubles, []);
});

test('what an app calls itself and its tags is shown as text', options, async t => {
  const hostile = '<img src=x onerror="document.title=\'taken\'">\u202e';
  const manifest = { name: hostile, start_url: './', scope: './', display: 'standalone', icons: [{ src: 'icon.svg', sizes: 'any', type: 'image/svg+xml' }] };
  const vigil = await startVigil(t);
  const app = await startApp(t, { '/manifest.webmanifest': JSON.stringify(manifest) });
  await vigil.call('install', app.url);
  await vigil.call('network', 'offline');
  await register(vigil, app, hostile);
  const { page, troubles } = await openPanel(t, vigil);
  await page.getByRole('rowheader', { name: '<img src=x' }).waitFor();
  assert.equal(await page.title(), 'Vigil');
  assert.equal(await page.locator('main img').count(), 0);
  assert.match(await page.getByRole('rowheader', { name: '<img src=x' }).innerText(), /\\u\{202e\}/);
  assert.deepEqual(troubles, []);
});

for (const [name, context] of [
  ['light, 1400 px', { colorScheme: 'light', viewport: { width: 1400, height: 900 } }],
  ['dark, 1400 px', { colorScheme: 'dark', viewport: { width: 1400, height: 900 } }],
  ['light, 360 px', { colorScheme: 'light', viewport: { width: 360, height: 740 } }],
  ['dark, 360 px', { colorScheme: 'dark', viewport: { width: 360, height: 740 } }],
]) {
  test(`every page is accessible and fits: ${name}`, options, async t => {
    const vigil = await startVigil(t, kManual);
    const app = await startApp(t);
    await vigil.call('install', app.url);
    await vigil.call('record', 'on');
    await register(vigil, app, 'early');
    await vigil.call('network', 'offline');
    await register(vigil, app, 'post');
    const { page } = await openPanel(t, vigil, context);
    for (const [path, picture] of [['/', 'home'], [`/app/${encodeURIComponent(app.url)}`, 'app'], ['/log', 'log'], ['/engagement', 'engagement']]) {
      await page.evaluate(to => { location.hash = to; }, path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.evaluate(`document.title; ${kAxe}; undefined`).catch(error => { throw new Error(`axe-core did not load: ${error}`); });
      const found = await page.evaluate(async () => {
        const { violations } = await globalThis.axe.run(document);
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.target.join(' ')).join(', ')}`);
      });
      assert.deepEqual(found, [], path);
      const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= screen, `${path} is ${wide} px wide on a screen of ${screen}`);
      await keepScreenshot(page, `panel-chromium-${picture}-${name.replace(', ', '-').replace(' ', '')}`);
    }
  });
}

test('everything can be reached and pressed with the keyboard alone', options, async t => {
  const vigil = await startVigil(t);
  const { page } = await openPanel(t, vigil);
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Skip to content');
  const walked = [];
  while (walked.at(-1) !== 'Offline' && walked.length < 20) {
    await page.keyboard.press('Tab');
    walked.push(await focused());
  }
  assert.deepEqual(walked, ['Vigil', 'Home', 'Log', 'Engagement', 'Auto', 'Online', 'Offline']);
  await page.keyboard.press('Enter');
  await page.getByText('Network: offline').waitFor();
  assert.equal((await vigil.json('network')).online, false);
});

test('a panel without its daemon says so', options, async t => {
  const vigil = await startVigil(t, [...kManual, '--listen', '127.0.0.1:0']);
  const { page } = await openPanel(t, vigil);
  await vigil.stop();
  await page.getByRole('alert').getByText('Disconnected from the daemon').waitFor();
});
