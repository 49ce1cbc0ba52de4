// The command line as the documentation has it: every command has --help and --json, and its JSON is valid.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publish, startServer, startVigil, kVirtual } from './support/fixture.mjs';
import { eventually, kVigil, run } from './support/processes.mjs';
import { Vigil } from './support/vigil.mjs';

const kCommands = [
  ['serve'], ['install'], ['remove'], ['apps'], ['page'], ['page', 'open'], ['page', 'list'], ['page', 'close'], ['syncs'], ['fire'],
  ['worker'], ['worker', 'start'], ['worker', 'stop'], ['worker', 'update'], ['log'], ['record'], ['network'], ['clock'], ['clock', 'now'],
  ['clock', 'advance'], ['permission'], ['engagement'], ['doctor'],
];

test('--help of vigil and of every command says how it is used', async () => {
  for (const command of [[], ...kCommands]) {
    const process = await run(kVigil, [...command, '--help']);
    assert.equal(process.status, 0, process.text());
    assert.match(process.text('stdout'), /usage/i, process.name);
  }
});

test('misuse is answered with status 2 and a hint', async () => {
  for (const command of [['no-such-command'], ['install'], ['fire'], ['apps', '--no-such-option'], ['page']]) {
    const process = await run(kVigil, command);
    assert.equal(process.status, 2, `${process.name}\n${process.text()}`);
    assert.match(process.text('stderr'), /help/);
  }
});

test('every command’s --json is one valid document', async t => {
  const vigil = await startVigil(t, kVirtual);
  const server = await startServer(t);
  const { url } = server;
  await vigil.json('install', url);
  await vigil.json('record', 'on');
  await vigil.json('network', 'offline');
  await publish(vigil, url, 'one');
  const syncs = await vigil.json('syncs');
  assert.equal(syncs.length, 1);
  for (const field of ['tag', 'kind', 'state', 'attempts', 'reason']) {
    assert.ok(field in syncs[0], `syncs has ${field}: ${JSON.stringify(syncs[0])}`);
  }
  await vigil.json('network', 'online');
  await server.untilPosts(1);
  for (const command of [
    ['apps'], ['syncs'], ['syncs', url], ['page', 'list'], ['log'], ['engagement'], ['engagement', url], ['doctor'], ['clock', 'now'],
    ['clock', 'advance', '1min'], ['network', 'auto'], ['network', 'online'], ['worker', 'start', url], ['worker', 'stop', url],
    ['worker', 'update', url], ['permission', url, 'notifications', 'allow'], ['permission', url, 'background-sync', 'allow'],
    ['record', 'off'], ['notifications'], ['storage', url],
  ]) {
    await vigil.json(...command);
  }
  const kept = await vigil.json('page', 'open', url, '--keep');
  const pages = await vigil.json('page', 'list');
  assert.deepEqual(pages.map(page => page.id), [kept.page.id]);
  await vigil.json('page', 'close', kept.page.id);
  assert.deepEqual(await vigil.json('page', 'list'), []);
  await vigil.json('remove', url);
});

test('an error under --json is one valid document too, and the exit status tells', async t => {
  const vigil = await startVigil(t);
  const process = await vigil.run('remove', 'http://127.0.0.1:9/', '--json');
  assert.equal(process.status, 1);
  const said = process.text('stdout') || process.text('stderr');
  assert.ok(JSON.parse(said).error, said);
});

test('fire dispatches to the worker and says how it ended, with times', async t => {
  const vigil = await startVigil(t, kVirtual);
  const server = await startServer(t);
  await vigil.call('install', server.url);
  await server.fail('unavailable');
  await publish(vigil, server.url, 'by hand');
  await eventually('the first attempt has failed', () => vigil.syncs(server.url), syncs => syncs[0]?.attempts === 1);
  const failing = await vigil.run('fire', server.url, 'sync', 'sync-post', '--json');
  assert.equal(failing.status, 1, 'the exit status tells how the event ended');
  const failed = JSON.parse(failing.text('stdout'));
  assert.equal(failed.outcome, 'rejected');
  assert.match(failed.text, /503/);
  await server.fail('ok');
  const fired = await vigil.json('fire', server.url, 'sync', 'sync-post', '--last-chance');
  assert.equal(fired.outcome, 'succeeded');
  assert.ok(fired.dispatched_at_us <= fired.handler_started_at_us);
  assert.ok(fired.handler_started_at_us <= fired.finished_at_us);
  assert.deepEqual((await server.posts()).map(post => post.text), ['by hand']);
  assert.equal((await vigil.syncs(server.url))[0].attempts, 1, 'firing by hand is not an attempt');
});

test('log --follow tells what happens as it happens, one document a line', async t => {
  const vigil = await startVigil(t);
  const server = await startServer(t);
  await vigil.call('install', server.url);
  await vigil.call('record', 'on');
  const follow = vigil.begin('log', '--follow', '--json');
  t.after(() => follow.kill());
  await vigil.call('network', 'offline');
  await publish(vigil, server.url, 'followed');
  await follow.line(/Registered sync/);
  await vigil.call('network', 'online');
  await follow.line(/Sync completed/);
  for (const line of follow.lines('stdout')) JSON.parse(line);
});

test('VIGIL_DATA names the data directory', async t => {
  const vigil = await startVigil(t);
  const process = await run(kVigil, ['apps', '--json'], { env: { PATH: '/usr/bin:/bin', VIGIL_DATA: vigil.data } });
  assert.equal(process.status, 0, process.text());
  assert.deepEqual(JSON.parse(process.text('stdout')), []);
});

test('everything is as it was after a restart', async t => {
  const vigil = await startVigil(t);
  const server = await startServer(t);
  await vigil.call('install', server.url);
  await vigil.call('record', 'on');
  await vigil.inPage(server.url, 'await registerPeriodicFeedUpdate()');
  await vigil.call('permission', server.url, 'notifications', 'allow');
  await vigil.call('network', 'offline');
  await publish(vigil, server.url, 'kept');
  const look = async () => ({
    apps: await vigil.json('apps'),
    syncs: (await vigil.syncs()).map(({ tag, kind, attempts }) => ({ tag, kind, attempts })),
    engagement: (await vigil.engagement(server.url)).level,
    events: (await vigil.log()).map(entry => entry.event),
    posts: await vigil.valueInPage(server.url, 'savedPosts()'),
    notifications: await vigil.valueInPage(server.url, "navigator.permissions.query({ name: 'notifications' }).then(status => status.state)"),
  });
  const before = await look();
  assert.equal(before.syncs.length, 2);
  await vigil.restart();
  await vigil.call('network', 'offline');
  assert.deepEqual(await look(), before);
});

test('SIGTERM ends the daemon cleanly and quickly, with status 0', async () => {
  const vigil = await Vigil.start({ options: kVirtual });
  const process = await vigil.stop();
  assert.equal(process.status, 0, process.text());
  assert.equal(process.signal, null);
});
