// Site engagement, fed by what users do, and what it does to periodic sync: suspended when it is gone, revived by use.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimalApp } from './support/app-server.mjs';
import { kVirtual, startFiles, startVigil } from './support/fixture.mjs';
import { eventually } from './support/processes.mjs';

const kApp = minimalApp(
  `self.addEventListener('periodicsync', event => event.waitUntil(fetch('news')));
   self.addEventListener('notificationclick', event => event.waitUntil(clients.openWindow('./?clicked')));
   self.addEventListener('message', event => event.waitUntil((async () => {
     const [page] = await clients.matchAll({ includeUncontrolled: true });
     await page.navigate('./?navigated');
   })()));`,
  { '/news': 'ok' });

async function installedApp(t, vigil) {
  const server = await startFiles(t, { ...kApp });
  await vigil.call('install', server.url);
  return server;
}

// In hundredths of a point, the smallest that is ever earned.
const score = async (vigil, url) => Math.round((await vigil.engagement(url)).score * 100);
const news = server => server.log.filter(entry => entry.path === '/news').length;
const register = (vigil, url, hours) => vigil.inPage(url,
  `await (await navigator.serviceWorker.ready).periodicSync.register('news', { minInterval: ${hours} * 3600000 })`);

test('without use the score decays to none in two weeks and the periodic sync is suspended; a visit revives it', async t => {
  const vigil = await startVigil(t, kVirtual);
  const server = await installedApp(t, vigil);
  await vigil.call('record', 'on');
  await register(vigil, server.url, 24);
  assert.equal((await vigil.engagement(server.url)).level, 'low');
  await vigil.call('clock', 'advance', '240h');
  assert.equal(news(server), 10);
  await vigil.call('record', 'on'); // three more days
  await vigil.call('clock', 'advance', '60h');
  const ran = news(server);
  assert.ok(ran === 11 || ran === 12, `it ran ${ran} times`);
  assert.equal((await vigil.engagement(server.url)).level, 'none');
  const [suspended] = await vigil.syncs(server.url);
  assert.deepEqual([suspended.state, suspended.reason, suspended.next_time], ['suspended', 'suspended-no-engagement', null]);
  assert.match(suspended.explanation, /engagement|used/);
  const last = (await vigil.log()).filter(line => line.type === 'event').at(-1);
  assert.deepEqual([last.event, last.metadata], ['Suspended periodicsync', { Reason: 'no engagement' }]);
  await vigil.call('clock', 'advance', '480h');
  assert.equal(news(server), ran);
  await vigil.restart();
  await vigil.call('network', 'online');
  assert.equal((await vigil.syncs(server.url))[0].state, 'suspended');

  await vigil.call('page', 'open', server.url, '--link');
  assert.equal((await vigil.syncs(server.url))[0].state, 'suspended', 'a followed link is no engagement');
  await vigil.call('page', 'open', server.url, '--eval', '0');
  const [revived] = await eventually('it is stored', () => vigil.syncs(server.url), ([sync]) => sync.reason !== 'storing');
  assert.deepEqual([revived.state, revived.reason], ['pending', 'waiting-for-period']);
  await vigil.call('clock', 'advance', '24h');
  assert.equal(news(server), ran + 1);
});

test('a pause of all apps costs at most eight hours: using one of them revives the others', async t => {
  const vigil = await startVigil(t, kVirtual);
  const one = await installedApp(t, vigil);
  const other = await installedApp(t, vigil);
  await register(vigil, other.url, 24);
  await vigil.call('clock', 'advance', '720h');
  assert.equal((await vigil.syncs(other.url))[0].state, 'suspended');
  await vigil.call('page', 'open', one.url, '--eval', '0');
  assert.equal((await vigil.engagement(other.url)).level, 'low');
  assert.equal((await vigil.syncs(other.url))[0].state, 'pending');
});

test('every act of a user earns its points', async t => {
  const vigil = await startVigil(t, kVirtual);
  const server = await startFiles(t, { ...kApp });
  const { url } = server;
  await vigil.call('page', 'open', url, '--link');
  assert.equal(await score(vigil, url), 0, 'a link');
  const id = (await vigil.call('page', 'open', url, '--keep')).trim();
  assert.equal(await score(vigil, url), 300, 'the navigation and the first of the day');
  await vigil.call('page', 'eval', id, `globalThis.heard = []; for (const type of ['keydown', 'mousedown', 'touchstart', 'scroll', 'visibilitychange'])
    addEventListener(type, event => heard.push(event.type + ' ' + event.isTrusted + ' ' + document.visibilityState))`);
  const act = kind => vigil.json('page', 'input', id, ...kind ? [kind] : []);
  assert.deepEqual(await act('key'), { earned: false });
  for (const kind of [undefined, 'mouse', 'touch', 'scroll']) {
    await vigil.call('clock', 'advance', '10s');
    assert.deepEqual(await act(kind), { earned: true }, kind);
  }
  assert.equal(await score(vigil, url), 300 + 4 * 60);
  await act('hide');
  await act('media');
  await vigil.call('clock', 'advance', '10s');
  assert.deepEqual(await act('media'), { earned: true });
  assert.equal(await score(vigil, url), 540 + 1, 'hidden');
  await act('show');
  await vigil.call('clock', 'advance', '10s');
  assert.deepEqual(await act('media'), { earned: true });
  assert.equal(await score(vigil, url), 541 + 6, 'visible');
  assert.equal(await vigil.call('page', 'eval', id, 'heard.join()').then(text => text.trim()),
    ['keydown', 'keydown', 'mousedown', 'touchstart', 'scroll'].map(type => `${type} true visible`)
      .concat('visibilitychange true hidden', 'visibilitychange true visible').join());
  const refused = await vigil.run('page', 'input', id, 'stare');
  assert.equal(refused.status, 2);

  await vigil.call('permission', url, 'notifications', 'allow');
  await vigil.call('page', 'eval', id, "(await navigator.serviceWorker.ready).showNotification('hello')");
  const before = await score(vigil, url);
  const [shown] = await vigil.json('notifications');
  await vigil.call('notifications', '--click', shown.id);
  assert.equal(await score(vigil, url), before + 100 + 150, 'the click, and the window that it opened');
  await vigil.call('page', 'eval', id, '(await navigator.serviceWorker.ready).active.postMessage(0)');
  assert.equal(await score(vigil, url), before + 250, 'a script that navigates is not a user');

  await vigil.call('page', 'open', url, '--launch');
  assert.equal(await score(vigil, url), before + 250 + 150 + 500, 'a launch');
  assert.ok((await vigil.engagement(url)).last_launch);
});
