// b. A server that is not well: three attempts, 5 and 15 minutes apart; and a second run that succeeds before the cap.
import { eventually } from '../../tests/e2e/support/processes.mjs';
import { aloud } from './stage.mjs';

const attempts = server => server.requests('POST').then(requests => requests.length);

export async function retries(stage, { vigil, server }) {
  const cli = aloud(stage, vigil);
  const publish = text => cli.call('page', 'open', server.url, '--eval', `await publishPostOnConnected(createPost("${text}"))`);
  const attempted = count => eventually(`attempt ${count} has failed`, () => vigil.syncs(server.url),
    syncs => syncs.some(sync => sync.tag === 'sync-post' && sync.attempts === count));

  stage.chapter('b', 'A server that answers 503 (the clock is virtual)');
  await cli.call('network', 'online');
  await cli.call('install', server.url);
  await cli.call('record', 'on');

  stage.say('The server fails. A post is written.');
  await server.fail('unavailable');
  await publish('Is anybody there?');
  await attempted(1);
  stage.prove('the first attempt comes at once', (await attempts(server)) === 1, await server.requests());
  await cli.call('syncs');

  stage.say('The second attempt: 5 minutes later, not earlier.');
  await cli.call('clock', 'advance', '299s');
  stage.prove('4 min 59 s later: nothing', (await attempts(server)) === 1, await server.requests());
  await cli.call('clock', 'advance', '1s');
  stage.prove('5 min: the second attempt', (await attempts(server)) === 2, await server.requests());

  stage.say('The third: 15 minutes after the second. It is the last.');
  await cli.call('clock', 'advance', '899s');
  stage.prove('14 min 59 s later: nothing', (await attempts(server)) === 2, await server.requests());
  await cli.call('clock', 'advance', '1s');
  stage.prove('15 min: the third attempt', (await attempts(server)) === 3, await server.requests());

  const dispatched = (await vigil.log()).filter(entry => entry.event === 'Dispatched sync event' && entry.tag === 'sync-post');
  const lastChances = dispatched.map(entry => entry.metadata['Last Chance']);
  stage.prove('lastChance was false, false, true', JSON.stringify(lastChances) === '["No","No","Yes"]', dispatched);
  stage.prove('after the third failure the tag is gone', (await vigil.syncs(server.url)).length === 0, await vigil.syncs());
  await cli.call('clock', 'advance', '24h');
  stage.prove('and no fourth attempt is made, not in a day', (await attempts(server)) === 3, await server.requests());
  stage.prove('the post is still in the app’s outbox', (await vigil.valueInPage(server.url, 'savedPosts()')).length === 1);

  stage.say('A second post, a second run; this time the server recovers before the cap.');
  await publish('Once more');
  await attempted(1);
  await server.fail('ok');
  await cli.call('clock', 'advance', '5min');
  const texts = (await server.posts()).map(post => post.text);
  stage.prove('the second attempt delivers both posts, in order', JSON.stringify(texts) === '["Is anybody there?","Once more"]', texts);
  stage.prove('the tag is gone', (await vigil.syncs(server.url)).length === 0, await vigil.syncs());
  stage.prove('the outbox is empty', (await vigil.valueInPage(server.url, 'savedPosts()')).length === 0);
}
