// c. The feed is fresh after three days with nobody looking; who is not installed or not permitted gets nothing.
import { AppServer } from '../../tests/e2e/support/app-server.mjs';
import { aloud } from './stage.mjs';

// Hours between two runs that a level of site engagement allows at the least.
const kGapHours = { max: 12, high: 12, medium: 24, low: 24, minimal: 36, none: Infinity };
const kIntervalHours = 24;
const kAdvancedHours = 72;

const feedRequests = server => server.requestsOfWorker('GET', '/api/feed').then(requests => requests.length);
const cachedFeed = 'caches.match("api/feed").then(response => response?.json())';

function expectedRuns(level) {
  const gap = kGapHours[level];
  return Number.isFinite(gap) ? Math.floor(kAdvancedHours / (Math.ceil(kIntervalHours / gap) * gap)) : 0;
}

async function write(server, text) {
  await fetch(new URL('api/posts', server.url), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() },
    body: JSON.stringify({ text }),
  });
}

async function freshFeed(stage, cli, vigil, server) {
  stage.say('The app is installed, so it may update its feed in the background.');
  await cli.call('network', 'online');
  await cli.call('install', server.url);
  const lines = await cli.call('page', 'open', server.url, '--eval', 'await registerPeriodicFeedUpdate()');
  stage.prove('the permission is granted and the sync is registered', lines.includes('Success! Feed will be updated in the background.'), lines);
  await cli.call('syncs');
  const { level } = await vigil.engagement(server.url);
  await cli.call('engagement', server.url);

  stage.say('Others write posts. Three days go by; nobody opens the app.');
  for (const text of ['News of Monday', 'News of Tuesday', 'News of Wednesday']) await write(server, text);
  const before = await feedRequests(server);
  await cli.call('clock', 'advance', `${kAdvancedHours}h`);
  const runs = (await feedRequests(server)) - before;
  const expected = expectedRuns(level);
  stage.prove(`the worker ran ${expected} times, as the engagement level "${level}" and minInterval 24 h allow`, runs === expected && runs > 0, { runs, expected, level });
  const feed = await vigil.valueInPage(server.url, cachedFeed);
  stage.prove('the feed in the Cache is fresh: it has all posts of the server', feed?.revision === (await server.posts()).length, feed);
}

async function notInstalled(stage, cli, vigil) {
  stage.say('The same app from another server, opened but not installed.');
  const server = await AppServer.start();
  const lines = await cli.call('page', 'open', server.url, '--eval', 'await registerPeriodicFeedUpdate()');
  stage.prove('it is told that the permission is not granted', lines.includes('Periodic Background Sync is not granted.'), lines);
  const refusal = await vigil.valueInPage(server.url,
    `navigator.serviceWorker.ready.then(registration => registration.periodicSync.register("x")).then(() => "registered", error => error.name)`);
  stage.prove('and registering all the same is refused', refusal === 'NotAllowedError', refusal);
  await server.stop();
}

async function permissionDenied(stage, cli, vigil, server) {
  stage.say('The user takes the permission away. A post waits at that moment.');
  await cli.call('network', 'offline');
  await cli.call('page', 'open', server.url, '--eval', 'await publishPostOnConnected(createPost("Never sent"))');
  const feeds = await feedRequests(server);
  const posts = (await server.requests('POST')).length;
  await cli.call('permission', server.url, 'background-sync', 'deny');
  await cli.call('network', 'online');
  await cli.call('clock', 'advance', '72h');
  await cli.call('syncs');
  stage.prove('periodic: no run in three more days', (await feedRequests(server)) === feeds, await server.requests());
  stage.prove('one-shot: the post was not sent', (await server.requests('POST')).length === posts, await server.requests());
  const refusal = await vigil.valueInPage(server.url,
    `navigator.serviceWorker.ready.then(registration => registration.sync.register("x")).then(() => "registered", error => error.name)`);
  stage.prove('and a new sync is refused', refusal === 'NotAllowedError', refusal);
}

export async function periodicFeed(stage, { vigil, server }) {
  const cli = aloud(stage, vigil);
  stage.chapter('c', 'A fresh feed, every morning (the clock is virtual)');
  await freshFeed(stage, cli, vigil, server);
  await notInstalled(stage, cli, vigil);
  await permissionDenied(stage, cli, vigil, server);
}
