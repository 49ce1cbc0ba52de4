// d. workbox-background-sync from npm, unmodified, in a worker of its own.
import { eventually } from '../../tests/e2e/support/processes.mjs';
import { aloud } from './stage.mjs';

const kTag = 'workbox-background-sync:posts';

export async function workbox(stage, { vigil, server }) {
  const cli = aloud(stage, vigil);
  stage.chapter('d', 'Workbox, unmodified');

  stage.say('A second app leaves its failed POSTs to workbox-background-sync 7.4.1.');
  await cli.call('network', 'online');
  await cli.call('install', server.url);
  await cli.call('network', 'offline');
  const lines = await cli.call('page', 'open', server.url, '--eval', 'await post("First"); await post("Second")');
  stage.prove('both POSTs failed and are queued', lines.includes('queued: First') && lines.includes('queued: Second'), lines);
  stage.prove('Workbox registered its tag', (await vigil.syncs(server.url)).some(sync => sync.tag === kTag), await vigil.syncs());
  await cli.call('syncs');

  stage.say('The network is back.');
  await cli.call('network', 'online');
  const posts = await server.untilPosts(2);
  const left = await eventually('no sync is left', () => vigil.syncs(server.url), syncs => syncs.length === 0);
  stage.prove('Workbox replayed both, in order', JSON.stringify(posts.map(post => post.text)) === '["First","Second"]', posts);
  stage.prove('its tag is gone', left.length === 0, left);
}
