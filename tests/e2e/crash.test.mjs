// The daemon is killed a hundred times, at moments drawn by chance from the whole of the first story: while it starts,
// installs, registers, sends, or does nothing. What was acknowledged arrives, once, in order, and nothing gets stuck.
//
// VIGIL_CRASH_SEED repeats a run's moments; VIGIL_CRASH_ROUNDS makes it longer or shorter.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from './support/processes.mjs';
import { kManual, startServer } from './support/fixture.mjs';
import { Vigil } from './support/vigil.mjs';

const kRounds = Number(process.env.VIGIL_CRASH_ROUNDS ?? 100);
const kSeed = Number(process.env.VIGIL_CRASH_SEED ?? Date.now() % 1_000_000);

// mulberry32: small, seeded, good enough to choose moments.
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}

// The page names each post before it publishes it; the article's promise follows when the sync is acknowledged.
function pageCode(round) {
  return `
    for (const number of [1, 2, 3]) {
      const post = createPost('${round}.' + number);
      console.log('publishing ' + post.text);
      await publishPostOnConnected(post);
    }`;
}

function acknowledgedIn(lines) {
  const acknowledged = [];
  let current;
  for (const line of lines) {
    const named = /publishing (\d+\.\d+)/.exec(line);
    if (named) current = named[1];
    if (current && line.includes('Your post will be published')) {
      acknowledged.push(current);
      current = undefined;
    }
  }
  return acknowledged;
}

class Story {
  acknowledged = [];

  constructor(vigil, server) {
    this.vigil = vigil;
    this.server = server;
  }

  // All that was ever acknowledged is at the server and no sync is left.
  async settled() {
    await this.server.until('all acknowledged posts', posts => {
      const texts = new Set(posts.map(post => post.text));
      return this.acknowledged.every(text => texts.has(text));
    });
    await eventually('no sync is left', () => this.vigil.syncs(this.server.url), syncs => syncs.length === 0);
  }

  async play(round) {
    const { vigil, server } = this;
    await vigil.process.line(/^vigil: ready/);
    await vigil.call('install', server.url);
    await vigil.call('network', 'online');
    await this.settled();  // of the rounds before
    await vigil.call('network', 'offline');
    const page = vigil.begin('page', 'open', server.url, '--eval', pageCode(round));
    await page.ended;
    this.acknowledged.push(...acknowledgedIn(page.lines('stdout')));
    if (page.status !== 0) throw new Error(page.text());
    await vigil.call('network', 'online');
    await this.settled();
  }

  // Plays the story and kills the daemon `delay` ms after its start. What fails because of that is no failure.
  async playAndKill(round, delay) {
    this.vigil.serve();
    const daemon = this.vigil.process;
    const moment = new Promise(resolve => setTimeout(resolve, delay)).then(() => daemon.kill('SIGKILL'));
    let failure;
    await this.play(round).catch(error => { failure = error; });
    const died = daemon.status !== undefined;
    await moment;
    if (failure && !died && daemon.signal !== 'SIGKILL') throw failure;
    assert.equal(daemon.signal, 'SIGKILL', `round ${round}: the daemon ended by itself\n${daemon.text()}`);
    return failure === undefined;
  }
}

test(`${kRounds} × kill -9 at random moments (seed ${kSeed})`, { timeout: 900_000 }, async t => {
  const server = await startServer(t);
  const vigil = new Vigil({ options: kManual });
  const story = new Story(vigil, server);

  // How long is the story when nobody disturbs it? The moments are drawn from that time.
  vigil.serve();
  const started = performance.now();
  await story.play(0);
  const length = performance.now() - started;
  await vigil.kill();

  const random = randomFrom(kSeed);
  let whole = 0;
  for (let round = 1; round <= kRounds; round += 1) {
    if (await story.playAndKill(round, random() * length * 1.2)) whole += 1;
  }
  t.diagnostic(`the story takes ${Math.round(length)} ms; ${whole} of ${kRounds} rounds came to their end before the kill`);

  vigil.serve();
  t.after(() => vigil.stop());
  await story.play(kRounds + 1);

  const posts = await server.posts();
  const texts = posts.map(post => post.text);
  t.diagnostic(`${story.acknowledged.length} posts acknowledged, ${texts.length} at the server`);
  assert.deepEqual(story.acknowledged.filter(text => !texts.includes(text)), [], 'an acknowledged post is missing');
  assert.equal(new Set(texts).size, texts.length, 'a post is there twice');
  assert.deepEqual(texts.filter(text => story.acknowledged.includes(text)), story.acknowledged, 'the order is kept');
  assert.deepEqual(await vigil.syncs(), [], 'a sync is stuck');
  assert.deepEqual(await vigil.valueInPage(server.url, 'savedPosts()'), [], 'a post is stuck in the outbox');
  assert.equal((await vigil.json('apps')).length, 1);
});
