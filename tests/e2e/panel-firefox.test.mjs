// The panel in a real Firefox: each button does what it says, and every page is accessible and fits.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { minimalApp } from './support/app-server.mjs';
import { kWithFirefox, openFirefox } from './support/firefox.mjs';
import { kManual, kVirtual, outcomeInPage, startFiles, startVigil } from './support/fixture.mjs';
import { keepScreenshot } from './support/screenshots.mjs';

const kAxe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const kWorker = `
const page = new Response('<!doctype html><title>Minimal</title>', { headers: { 'Content-Type': 'text/html' } });
self.addEventListener('fetch', event => { if (event.request.mode === 'navigate') event.respondWith(page.clone()); });
self.addEventListener('install', event => event.waitUntil(self.skipWaiting()));
self.addEventListener('sync', event => event.waitUntil(fetch('ran?tag=' + event.tag + '&last=' + event.lastChance, { method: 'POST' })));
self.addEventListener('notificationclick', event => event.waitUntil(fetch('ran?clicked', { method: 'POST' })));
`;

async function start(t, options) {
  const vigil = await startVigil(t, options);
  const app = await startFiles(t, minimalApp(kWorker, { '/ran': { body: '', status: 200 } }));
  await vigil.call('install', app.url);
  return { vigil, app };
}

// What people see and press, by its text. Within a dialog while one is open.
class Panel {
  constructor(page) {
    this.page = page;
  }
  static async open(t, vigil, how) {
    const page = await openFirefox(t, how);
    await page.goto((await vigil.call('panel')).trim());
    const panel = new Panel(page);
    await panel.sees('Live');
    return panel;
  }
  sees(text) {
    return this.page.waitForFunction(wanted => document.body.innerText.includes(wanted), { polling: 50 }, text);
  }
  async press(name, kind = 'button, a, [role=button]') {
    const find = (wanted, selector) => {
      const within = document.querySelector('dialog[open]') ?? document;
      const called = one => (one.ariaLabel ?? one.textContent).trim();
      // A link to an app has its address beside its name.
      return [...within.querySelectorAll(selector)].find(one => !one.disabled
        && (called(one) === wanted || (one.matches('main a') && called(one).startsWith(wanted))));
    };
    const handle = await this.page.waitForFunction(find, { polling: 50 }, name, kind);
    await handle.asElement().click();
  }
  async type(label, text) {
    const handle = await this.page.waitForFunction(wanted => [...document.querySelectorAll('input')]
      .find(one => (one.ariaLabel ?? one.labels?.[0]?.textContent ?? '').trim().startsWith(wanted)), { polling: 50 }, label);
    const input = handle.asElement();
    await input.click({ count: 3 });
    await input.type(text);
  }
}

const register = (vigil, app, tag) => outcomeInPage(vigil, app.url, `registration.sync.register(${JSON.stringify(tag)})`);

test('the buttons do what they say in Firefox', kWithFirefox, async t => {
  const { vigil, app } = await start(t, kVirtual);
  const panel = await Panel.open(t, vigil);
  await panel.sees('Everything is synced');
  await panel.press('Offline');
  await panel.sees('Network: offline');
  assert.equal(await register(vigil, app, 'post'), 'ok');
  await panel.sees('1 sync is waiting');
  await panel.press('Online');
  await app.requests('/ran', 1);
  await panel.sees('Everything is synced');

  await panel.press('Minimal');
  await panel.sees('What cannot be undone');
  await panel.type('Tag', 'by-hand');
  await panel.press('Send any tag');
  await panel.sees('sync “by-hand”: succeeded');
  await app.requests('/ran', 2);

  const running = async () => (await vigil.json('worker', 'list'))[0].active.running;
  await panel.press('Stop');
  await panel.sees('Worker stopped');
  assert.equal(await running(), 'stopped');
  await panel.press('Start');
  await panel.sees('Worker started');
  assert.equal(await running(), 'running');
  await panel.press('Update');
  await panel.sees('Script looked for');

  const group = 'section[aria-labelledby=permissions] button';
  await panel.press('deny', group);
  await panel.page.waitForFunction(() => document.querySelector('section[aria-labelledby=permissions] [aria-pressed=true]')?.textContent === 'deny', { polling: 50 });
  assert.ok((await vigil.json('permission', app.url)).some(({ setting }) => setting === 'deny'));

  const before = (await vigil.json('clock', 'now')).now_us;
  await panel.type('Advance by', '2h');
  await panel.press('Advance');
  await panel.sees('Clock advanced by 2h: done');
  assert.equal((await vigil.json('clock', 'now')).now_us - before, 2 * 3600e6);

  await panel.press('Clear data…');
  await panel.press('Cancel');
  assert.equal((await vigil.json('worker', 'list')).length, 1, 'nothing is done without the confirmation');
  await panel.press('Unregister…');
  await panel.press('Unregister');
  await panel.sees('It has no service worker');
  assert.equal((await vigil.json('worker', 'list')).length, 0);
  await panel.press('Remove app…');
  await panel.press('Remove');
  await panel.sees('This app is not there any more.');
  assert.deepEqual(await vigil.json('apps'), []);
});

for (const how of [
  { dark: false, width: 1400, height: 900 },
  { dark: true, width: 1400, height: 900 },
  { dark: false, width: 360, height: 740 },
  { dark: true, width: 360, height: 740 },
]) {
  const name = `${how.dark ? 'dark' : 'light'}, ${how.width} px`;
  test(`every page is accessible and fits in Firefox: ${name}`, kWithFirefox, async t => {
    const { vigil, app } = await start(t, kManual);
    await vigil.call('record', 'on');
    await register(vigil, app, 'early');
    await vigil.call('network', 'offline');
    await register(vigil, app, 'post');
    const { page } = await Panel.open(t, vigil, how);
    for (const [path, picture] of [['/', 'home'], [`/app/${encodeURIComponent(app.url)}`, 'app'], ['/log', 'log'], ['/engagement', 'engagement']]) {
      await page.evaluate(to => { location.hash = to; }, path);
      await page.waitForSelector('h1');
      await page.evaluate(kAxe);
      const found = await page.evaluate(async () => {
        const { violations } = await globalThis.axe.run(document);
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.target.join(' ')).join(', ')}`);
      });
      assert.deepEqual(found, [], path);
      const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= screen, `${path} is ${wide} px wide on a screen of ${screen}`);
      assert.equal(await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches), how.dark);
      await keepScreenshot(page, `panel-firefox-${picture}-${name.replace(', ', '-').replace(' ', '')}`);
    }
  });
}
