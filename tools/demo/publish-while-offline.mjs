// a. Posts written offline arrive, although the page is closed and the daemon is killed in between.
import { eventually } from '../../tests/e2e/support/processes.mjs';
import { aloud } from './stage.mjs';

const kTexts = ['Written on the train', 'Still in the tunnel', 'Nearly there'];
const kPromise = 'Your post will be published automatically right after connection is restored.';

const kPageCode = `
  console.log('the page is open');
  await new Promise(resolve => addEventListener('offline', resolve, { once: true }));
  for (const text of ${JSON.stringify(kTexts)}) {
    await publishPostOnConnected(createPost(text));
  }`;

export async function publishWhileOffline(stage, { vigil, server }) {
  const cli = aloud(stage, vigil);
  stage.chapter('a', 'Three posts, no network, no page, no daemon');

  stage.say('The app is installed, and its page is opened.');
  await cli.call('network', 'online');
  await cli.call('install', server.url);
  const page = vigil.begin('page', 'open', server.url, '--eval', kPageCode);
  stage.command(`vigil page open ${server.url} --eval '… publishes three posts as soon as the network is gone …'`);
  await page.line('the page is open');

  stage.say('The network goes. The page publishes three posts, and is closed.');
  await cli.call('network', 'offline');
  await page.ended;
  stage.output(page.text());
  stage.prove('the page promised three times that the post will be published',
    page.status === 0 && page.lines().filter(line => line.includes(kPromise)).length === 3, page.text());
  stage.prove('nothing has reached the server', (await server.requests('POST')).length === 0, await server.requests());
  const waiting = (await vigil.syncs(server.url)).find(sync => sync.tag === 'sync-post');
  stage.prove('the sync "sync-post" waits, and Vigil can say why', Boolean(waiting?.reason), waiting);
  await cli.call('syncs');

  stage.say('The daemon is killed without warning, and started again.');
  stage.command(`kill -9 ${vigil.process.pid}`);
  await vigil.kill();
  stage.command('vigil serve --network manual &');
  await vigil.start();
  stage.output(vigil.process.lines('stdout').at(-1));
  stage.prove('the sync survived kill -9',
    (await vigil.syncs(server.url)).some(sync => sync.tag === 'sync-post'), await vigil.syncs());
  stage.prove('still nothing has reached the server', (await server.requests('POST')).length === 0, await server.requests());

  stage.say('The network is back.');
  const onlineUs = Number(process.hrtime.bigint() / 1000n);
  await cli.call('network', 'online');
  await server.untilPosts(kTexts.length);
  const left = await eventually('no sync is left', () => vigil.syncs(server.url), syncs => syncs.length === 0);

  const { posts } = await server.record();
  const requests = await server.requests('POST');
  stage.output(posts.map(post => `server: ${post.number}. ${post.text}`).join('\n'));
  stage.prove('the three posts are at the server, in order', JSON.stringify(posts.map(post => post.text)) === JSON.stringify(kTexts), posts);
  stage.prove('each was sent once', requests.length === kTexts.length && new Set(requests.map(request => request.key)).size === kTexts.length, requests);
  stage.prove('the tags are gone', left.length === 0, left);
  return { firstRequestMs: (requests[0].atUs - onlineUs) / 1000 };
}
