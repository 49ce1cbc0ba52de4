// The three kinds of torture, as many rounds as are wanted, over several daemons at once ("lanes").
import { dirname, join } from 'node:path';
import { kVigil } from '../e2e/support/processes.mjs';
import { Random } from './random.mjs';
import { World } from './world.mjs';

export const kFaulty = process.env.VIGIL_FAULTY_BIN ?? join(dirname(kVigil), 'vigil-faulty');

const kRoundsBetweenSettlings = 20;
// One death in four comes while the daemon starts, the others come within this time after it.
const kEarly = 0.25;
const kPlayMs = 250;

// One life: from the start to a death at a random moment. Resolves with how long the start took, if it came that far.
async function liveAndDie(world, usualStartMs) {
  const began = performance.now();
  const early = world.random.chance(kEarly);
  const delay = world.random.next() * (early ? usualStartMs : kPlayMs);
  let tookMs;
  let booted;
  const boot = new Promise(resolve => { booted = resolve; });
  const life = world.untilDeath(async () => {
    try {
      await world.boot();
      tookMs = performance.now() - began;
    } finally {
      booted();
    }
    await world.acts.play(() => false);
  });
  const death = early ? world.killAfter(delay) : boot.then(() => world.killAfter(delay));
  await Promise.all([life, death]);
  return tookMs;
}

// Ever new deaths at ever new moments, with a pause now and then in which everything must come to its end.
async function dieAgainAndAgain(world, rounds, { beforeStart = () => {}, progress }) {
  let usualStartMs = 300;
  for (let round = 1; round <= rounds; round += 1) {
    beforeStart();
    const tookMs = await liveAndDie(world, usualStartMs);
    if (tookMs) usualStartMs = 0.8 * usualStartMs + 0.2 * tookMs;
    progress();
    if (round % kRoundsBetweenSettlings === 0 || round === rounds) {
      beforeStart();
      await world.boot();
      await world.settle();
      await world.stop();
    }
  }
}

async function kills(world, rounds, progress) {
  await dieAgainAndAgain(world, rounds, { progress });
}

// A power cut is a kill of the daemon that keeps what is not synced in its own memory.
async function cuts(world, rounds, progress, { lies = false }) {
  const beforeStart = () => {
    world.vigil.spawn.env = {
      VIGIL_FAULTY_SEED: String(world.random.below(2 ** 31)),
      VIGIL_FAULTY_WRITE_THROUGH: String(world.random.pick([0, 0.1, 0.5, 0.9])),
      ...(lies ? { VIGIL_FAULTY_LIES: '1' } : {}),
    };
  };
  await dieAgainAndAgain(world, rounds, { beforeStart, progress });
}

// Says something to the bad disk and waits until it has heard.
async function tellDisk(world, line) {
  const { process } = world.vigil;
  const heard = process.lines('stdout').filter(text => text.startsWith('faulty:')).length;
  process.child.stdin.write(`${line}\n`);
  const answer = await process.line(/^faulty:/, { count: heard + 1 });
  if (!answer.startsWith('faulty: ok')) throw new Error(`${line}: ${answer}`);
  return Number(/faults=(\d+)/.exec(answer)[1]);
}

// What fails, and where: mostly the records, sometimes everything, the event log or what scripts store.
function drawFault(random) {
  const where = random.pick(['aim vigil.db', 'aim vigil.db', 'aim', 'aim log.db', 'aim .sqlite']);
  const what = random.pick([
    'writes once', 'writes on', 'syncs once', 'syncs on', `full ${random.below(60_000)} on`,
    `full ${random.below(20_000)} once`, `random ${(0.02 + 0.3 * random.next()).toFixed(3)}`,
  ]);
  return [where, what];
}

async function faults(world, rounds, progress) {
  world.vigil.spawn = { stdio: ['pipe', 'pipe', 'pipe'] };
  let alive = false;
  for (let round = 1; round <= rounds; round += 1) {
    if (!alive) {
      await world.boot();
      alive = true;
    }
    const fault = world.ledger.cause('fault', performance.now());
    if (world.random.chance(0.3)) {
      await tellDisk(world, 'aim');
      await world.looksWhileItFails(() => tellDisk(world, world.random.pick(['writes on', 'syncs on', 'full 0 on'])));
    }
    for (const line of drawFault(world.random)) await tellDisk(world, line);
    const end = performance.now() + 60 + world.random.below(250);
    if (world.random.chance(0.2)) {
      // The power goes while the disk fails.
      await Promise.all([world.untilDeath(() => world.acts.play(() => false)), world.killAfter(end - performance.now())]);
      alive = false;
    } else {
      await world.acts.play(() => performance.now() > end);
      world.faults += await tellDisk(world, 'heal');
      await world.recovers();
    }
    fault.end = performance.now();
    progress();
    if (round % kRoundsBetweenSettlings === 0 || round === rounds) {
      if (!alive) await world.boot();
      await world.settle();
      await world.stop();
      alive = false;
    }
  }
}

const kCampaigns = {
  kills: { run: kills, binary: kVigil, unit: 'kill -9' },
  cuts: { run: cuts, binary: kFaulty, unit: 'power cuts' },
  faults: { run: faults, binary: kFaulty, unit: 'failing disks' },
};

// Runs one campaign over `lanes` daemons and resolves with its figures. lies: the disk only pretends to sync, which must
// show in the figures.
export async function campaign(name, { rounds, seed, lanes = 1, lies = false, progress = () => {} }) {
  const { run, binary } = kCampaigns[name];
  const began = performance.now();
  let done = 0;
  const worlds = Array.from({ length: lanes }, (_, lane) => new World({
    random: new Random(seed * 1009 + lane), binary, spawn: {}, name: `${name}, lane ${lane}`,
    ...(lies ? { patience: 2 } : {}),
  }));
  await Promise.all(worlds.map(async (world, lane) => {
    const share = Math.floor(rounds / lanes) + (lane < rounds % lanes ? 1 : 0);
    try {
      await world.setUp();
      await world.stop();
      await run(world, share, () => progress(done += 1), { lies });
    } catch (error) {
      const daemon = world.vigil.process;
      const end = daemon?.status === undefined ? 'is alive' : `ended with ${daemon.signal ?? daemon.status}`;
      world.ledger.violation(`${world.name}: ${error.stack}\nthe daemon ${end}\n${daemon?.text() ?? ''}`);
    } finally {
      await world.tearDown();
    }
  }));
  return figuresOf(name, rounds, done, worlds, began);
}

function merged(counts) {
  const all = {};
  for (const one of counts) for (const [name, count] of Object.entries(one)) all[name] = (all[name] ?? 0) + count;
  return all;
}

function figuresOf(name, rounds, done, worlds, began) {
  const sum = pick => worlds.reduce((total, world) => total + pick(world), 0);
  const violations = worlds.flatMap(world => world.ledger.violations);
  if (done < rounds) violations.push(`only ${done} of ${rounds} rounds were played`);
  return {
    name,
    rounds: done,
    deaths: sum(world => world.deaths),
    faults: sum(world => world.faults),
    starts: sum(world => world.boots),
    acknowledged: sum(world => world.ledger.acknowledged),
    refused: sum(world => world.ledger.refused),
    unanswered: sum(world => world.ledger.unanswered),
    delivered: sum(world => world.ledger.delivered),
    runs: sum(world => world.ledger.runs),
    reruns: sum(world => world.ledger.reruns),
    posts: sum(world => world.acknowledgedPosts.length),
    periodic_runs: sum(world => world.periodicRuns),
    degraded: sum(world => world.degraded),
    refusals: merged(worlds.map(world => world.refusals)),
    lost: violations.filter(text => text.includes('lost')).length,
    stuck: violations.filter(text => text.includes('stuck')).length,
    seconds: Math.round((performance.now() - began) / 100) / 10,
    violations,
  };
}

