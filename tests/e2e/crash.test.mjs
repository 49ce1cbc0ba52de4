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

class Killed extends Error {}

class Story {
  acknowledged = [];

  constructor(vigil, server) {
    this.vigil = vigil;
    this.server = server;
  }

  // All that was ever acknowledged is at the server and no sync is left.
  async settled(signal) {
    await this.server.until('all acknowledged posts', posts => {
      const texts = new Set(posts.map(post => post.text));
      return this.acknowledged.every(text => texts.has(text));
    }, { signal });
    await eventually('no sync is left', () => this.vigil.syncs(this.server.url), syncs => syncs.length === 0, { signal });
  }

  async publish(round, step) {
    const page = this.vigil.begin('page', 'open', this.server.url, '--eval', pageCode(round));
    try {
      await step(page.ended);
      if (page.status !== 0) throw new Error(`round ${round}: ${page.text()}`);
    } finally {
      await page.ended;  // it ends with the daemon
      this.acknowledged.push(...acknowledgedIn(page.lines('stdout')));
    }
  }

  // Plays the whole story. Gives up as soon as the daemon is dead.
  async play(round) {
    const { vigil, server } = this;
    const dead = new AbortController();
    const death = vigil.process.ended.then(daemon => {
      dead.abort();
      throw new Killed(`round ${round}: the daemon ended: ${daemon.signal ?? daemon.text()}`);
    });
    death.catch(() => {});
    const step = work => Promise.race([work, death]);
    await step(vigil.process.line(/^vigil: ready/));
    await step(vigil.call('network', 'online'));
    await step(vigil.call('install', server.url));
    await step(this.settled(dead.signal));  // what the rounds before have left
    await step(vigil.call('network', 'offline'));
    await this.publish(round, step);
    await step(vigil.call('network', 'online'));
    await step(this.settled(dead.signal));
  }

  // Plays the story and kills the daemon `delay` ms after its start. Resolves with whether the story was over by then.
  async playAndKill(round, delay) {
    this.vigil.serve();
    const daemon = this.vigil.process;
    let killed = false;
    const moment = new Promise(resolve => setTimeout(resolve, delay)).then(() => {
      killed = true;
      return daemon.kill('SIGKILL');
    });
    let whole = true;
    try {
      await this.play(round);
    } catch (error) {
      if (!killed) throw error;
      whole = false;
    }
    await moment;
    assert.equal(daemon.signal, 'SIGKILL', `round ${round}: the daemon ended by itself\n${daemon.text()}`);
    return whole;
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
