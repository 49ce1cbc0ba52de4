// A page of another origin, in a real browser, tries everything that a daemon listens to: it is refused in every case.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { minimalApp } from './support/app-server.mjs';
import { devtoolsAddress, list } from './support/cdp.mjs';
import { kChromium } from './support/chromium.mjs';
import { kManual, startFiles, startVigil } from './support/fixture.mjs';

const options = { skip: existsSync(kChromium) ? false : `${kChromium} is not installed`, timeout: 120_000 };

async function start(t) {
  const vigil = await startVigil(t, [...kManual, '--devtools', '127.0.0.1:0']);
  const app = await startFiles(t, minimalApp("self.addEventListener('sync', () => {});"));
  await vigil.call('install', app.url);
  const panel = new URL((await vigil.call('panel')).trim());
  const devtools = devtoolsAddress(vigil);
  const targets = await list(devtools);
  const foreign = await startFiles(t, { '/': '<!doctype html><title>Foreign</title>' });
  const browser = await chromium.launch({ executablePath: kChromium, headless: true, args: ['--no-sandbox',
    '--disable-background-networking', '--host-resolver-rules=MAP rebound.example 127.0.0.1'] });
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(foreign.url);
  return { vigil, app, panel, devtools, targets, page, token: panel.hash.slice('#token='.length) };
}

// What a page sees of a request: 'refused', or what it could read.
const asked = (page, url, init) => page.evaluate(async ([address, how]) => {
  try {
    const answer = await fetch(address, how);
    return answer.type === 'opaque' ? 'opaque' : `${answer.status} ${await answer.text()}`;
  } catch {
    return 'refused';
  }
}, [url, init]);
// 'refused', or that it came to a conversation.
const talked = (page, url) => page.evaluate(address => new Promise(resolve => {
  const socket = new WebSocket(address);
  socket.onopen = () => resolve('open');
  socket.onerror = () => resolve('refused');
}), url);

test('requests of a foreign page are not answered', options, async t => {
  const { app, vigil, panel, devtools, page, token } = await start(t);
  for (const path of ['/v1/status', '/v1/apps', '/json/list', '/json/version', '/']) {
    for (const host of [panel.host, devtools]) {
      assert.equal(await asked(page, `http://${host}${path}`), 'refused', path);
      assert.equal(await asked(page, `http://${host}${path}`, { headers: { Authorization: `Bearer ${token}` } }), 'refused', path);
    }
  }
  // What a browser sends without asking first has no effect, not even with the token in it.
  const order = { method: 'POST', mode: 'no-cors', headers: { 'Content-Type': 'text/plain' }, body: JSON.stringify({ mode: 'offline' }) };
  await asked(page, `http://${panel.host}/v1/network?token=${token}`, order);
  await asked(page, `http://${devtools}/v1/network`, order);
  await asked(page, `http://${devtools}/json/close/x`, order);
  await page.evaluate(address => new Promise(resolve => {
    const form = document.createElement('form');
    const frame = document.createElement('iframe');
    frame.name = 'target';
    frame.onload = resolve;
    Object.assign(form, { method: 'POST', action: address, enctype: 'text/plain', target: 'target' });
    document.body.append(frame, form);
    form.submit();
  }), `http://${panel.host}/v1/workers/stop`);
  assert.equal((await vigil.json('network')).online, true);
  assert.equal((await vigil.json('apps'))[0].start_url, app.url);
});

test('WebSockets of a foreign page are not opened, whatever it knows', options, async t => {
  const { panel, devtools, targets, page, token } = await start(t);
  for (const path of ['/v1/live', ...targets.map(target => new URL(target.webSocketDebuggerUrl).pathname)]) {
    assert.equal(await talked(page, `ws://${panel.host}${path}`), 'refused', path);
    assert.equal(await talked(page, `ws://${panel.host}${path}?token=${token}`), 'refused', path);
    assert.equal(await talked(page, `ws://${devtools}${path}`), 'refused', path);
  }
});

test('the panel and the front end cannot be framed, nor be read as pictures or scripts', options, async t => {
  const { vigil, panel, devtools, page } = await start(t);
  const front = new URL((await vigil.call('devtools')).trim());
  for (const url of [panel.href, front.href, `http://${devtools}/json/list`]) {
    const framed = await page.evaluate(address => new Promise(resolve => {
      const frame = document.createElement('iframe');
      frame.onload = () => {
        try {
          resolve(frame.contentDocument ? frame.contentDocument.title : 'refused');
        } catch {
          resolve('refused');
        }
      };
      frame.src = address;
      document.body.append(frame);
    }), url);
    assert.equal(framed, 'refused', url);
    const frame = page.frames().at(-1);
    assert.doesNotMatch(await frame.content(), /id="(app|-blink-dev-tools)"/, url);
    assert.equal(await page.evaluate(address => new Promise(resolve => {
      const script = document.createElement('script');
      script.onload = () => resolve('loaded');
      script.onerror = () => resolve('refused');
      script.src = address;
      document.body.append(script);
    }), url), 'refused', url);
  }
});

test('a name that was rebound to this machine is not served', options, async t => {
  const { panel, devtools, targets, page } = await start(t);
  const id = targets[0].id;
  for (const host of [panel.host, devtools]) {
    const rebound = `rebound.example:${host.split(':')[1]}`;
    const answer = await page.goto(`http://${rebound}/`);
    assert.equal(answer.status(), 403);
    // From here on the page is of the same origin as what it asks for.
    assert.match(await asked(page, `http://${rebound}/json/list`), /^403 .*refused: the Host header/);
    assert.equal(await talked(page, `ws://${rebound}/devtools/page/${id}`), 'refused');
    assert.equal(await talked(page, `ws://${rebound}/v1/live`), 'refused');
  }
});
