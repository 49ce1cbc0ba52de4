// One daemon with its apps: boots it, plays with it, kills it, and checks at each boot and at each settling that
// everything is as it was promised.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AppServer } from '../e2e/support/app-server.mjs';
import { makeFolder } from '../e2e/support/processes.mjs';
import { Vigil } from '../e2e/support/vigil.mjs';
import { Acts, kNotStored } from './acts.mjs';
import { Api, Unanswered } from '../e2e/support/api.mjs';
import { startCountingApp } from '../e2e/support/counting-app.mjs';
import { Fact, Ledger } from './ledger.mjs';

// Time passes quickly: a retry after a moment, a period of a second, and nothing is ever given up.
const kOptions = ['--network', 'manual', ...[
  'first_retry_delay=50ms', 'retry_factor=1.2', 'max_attempts=40', 'max_attempts_with_notifications=40',
  'own_failure_delay=50ms', 'store_retry_delay=100ms', 'acknowledge_timeout=500ms',
  'min_periodic_gap=1s', 'min_periodic_gap_across_origins=0s',
].flatMap(setting => ['--set', setting])];

const kPeriodicTags = ['p0', 'p1', 'p2', 'p3'];

export class World {
  ledger = new Ledger();
  acknowledgedPosts = [];
  boots = 0;
  deaths = 0;
  faults = 0;
  degraded = 0;       // times the daemon was looked at while it could not store
  periodicRuns = 0;
  refusals = {};      // exception → how often
  facts = {
    periodic: new Map(kPeriodicTags.map(tag => [tag, new Fact(`periodic registration ${tag}`, false)])),
    permission: new Fact('permission of the second app', 'allow'),
    network: new Fact('network mode', 'online'),
    coming: new Fact('installation of the app that comes and goes', false),
  };
  unregisteredIn = new Map();  // periodic tag → boot of its last unregister()
  acts = new Acts(this);

  // patience: seconds after which what has not come to its end is stuck.
  constructor({ random, binary, spawn, name, patience = 60 }) {
    this.random = random;
    this.patience = patience;
    this.name = name;
    this.vigil = new Vigil({ data: join(makeFolder('torture'), 'state'), options: kOptions, binary, spawn });
  }

  async setUp() {
    this.feed = await AppServer.start('social-feed');
    this.counting = await startCountingApp((kind, tag) => { this.#ran(kind, tag); });
    this.second = await startCountingApp((kind, tag) => { this.#ran(kind, tag); });
    this.coming = await startCountingApp((kind, tag) => { this.#ran(kind, tag); });
    await this.#start();
    await this.api.post('/v1/network', { mode: 'online' });
    for (const { url } of [this.feed, this.counting, this.second]) await this.api.post('/v1/apps', { url });
  }

  async tearDown() {
    this.api?.close();
    await this.vigil.process?.kill();
    await Promise.all([this.feed?.stop(), this.counting?.close(), this.second?.close(), this.coming?.close()]);
  }

  // ---- life and death

  async #start() {
    this.boots += 1;
    this.dead = false;
    this.vigil.serve();
    this.api = new Api(this.vigil.data);
    await this.vigil.process.line(/^vigil: ready/);
  }

  // Starts the daemon, compares its records with what they must be, and opens the apps' pages.
  async boot() {
    await this.#start();
    await this.#look();
    await this.acts.setNetwork('online');
    const open = [this.feed, this.counting, this.second].map(({ url }) => this.api.openPage(url));
    this.pages = await Promise.all(open);
  }

  // Kills the daemon `delay` ms from now. Resolves when nothing more comes from it.
  async killAfter(delay) {
    await new Promise(resolve => setTimeout(resolve, delay));
    const daemon = this.vigil.process;
    const death = this.ledger.cause('death', performance.now());
    this.dead = true;
    await daemon.kill('SIGKILL');
    this.api.close();
    await this.#drained();
    death.end = performance.now();
    this.deaths += 1;
    if (daemon.signal !== 'SIGKILL') this.ledger.violation(`the daemon ended by itself: ${daemon.text()}`);
  }

  async stop() {
    const death = this.ledger.cause('death', performance.now());
    await this.vigil.stop();
    this.api.close();
    await this.#drained();
    death.end = performance.now();
  }

  serversCaughtUp() {
    return Promise.all([this.counting, this.second, this.coming].map(server => server.caughtUp()));
  }

  #drained() {
    return Promise.all([this.counting, this.second, this.coming].map(server => server.drained()));
  }

  // Runs `work` until the daemon is dead. Everything but its death is an error.
  async untilDeath(work) {
    try {
      await work();
    } catch (error) {
      if (!this.dead && this.vigil.process.status === undefined && error instanceof Unanswered) {
        await this.vigil.process.ended;  // a call was cut off before its process was seen to end
      }
      if (!this.dead) throw error;
    }
  }

  // ---- what is checked

  #ran(kind, tag) {
    if (kind === 'sync') {
      this.ledger.ran(tag);
      return;
    }
    this.periodicRuns += 1;
    const fact = this.facts.periodic.get(tag);
    if (fact.value === false && this.unregisteredIn.get(tag) < this.boots) {
      this.ledger.violation(`periodic ${tag} ran, although it had been unregistered before the last start`);
    }
  }

  async #look() {
    const { ledger, api } = this;
    const damaged = readdirSync(this.vigil.data, { recursive: true }).filter(name => name.includes('.damaged-'));
    if (damaged.length > 0) ledger.violation(`set aside as damaged: ${damaged.join(', ')}`);
    this.note(this.facts.network.sees((await api.get('/v1/network')).mode));
    const apps = await api.get('/v1/apps');
    for (const { url } of [this.feed, this.counting, this.second]) {
      if (!apps.some(({ start_url: start }) => start.startsWith(url))) this.note(`the app ${url} is not installed any more`);
    }
    this.note(this.facts.coming.sees(apps.some(({ start_url: start }) => start.startsWith(this.coming.url))));
    const permissions = await api.get(`/v1/permissions?url=${encodeURIComponent(this.second.url)}`);
    const { setting } = permissions.find(({ name }) => name === 'background-sync');
    this.note(this.facts.permission.sees(setting === 'deny' ? 'deny' : 'allow'));
    const syncs = await api.syncs();
    for (const [tag, fact] of this.facts.periodic) {
      this.note(fact.sees(syncs.some(sync => sync.kind !== 'one-shot' && sync.tag === tag)));
    }
    for (const sync of syncs) this.#lookAt(sync);
  }

  #lookAt(sync) {
    const periodic = this.facts.periodic.has(sync.tag);
    if (periodic && !sync.next_time && !['firing', 'ready', 'running', 'queued', 'offline', 'storing'].includes(sync.reason)) {
      this.note(`periodic ${sync.tag} has no next time: ${sync.explanation}`);
    }
    if (sync.reason === undefined || sync.explanation === '') this.note(`${sync.tag} does not say why it waits`);
    if (sync.tag.startsWith('second-') && this.facts.permission.value === 'deny') {
      this.note(`${sync.tag} is still there, although its permission was denied`);
    }
  }

  note(problem) {
    if (problem) this.ledger.violation(`${this.name}, boot ${this.boots}: ${problem}`);
  }

  // The records cannot be written: registrations are refused, reading goes on, and everybody is told why.
  async looksWhileItFails(breakDisk) {
    const { api } = this;
    if (!await this.acts.setNetwork('offline')) return;  // not even that can be stored
    const kept = await this.acts.registerOne('first', this.pages[1]);
    await breakDisk();
    const outcome = await this.acts.registerOne('first', this.pages[1]);
    const { store } = await api.get('/v1/status');
    if (outcome === 'ok' && store.ok) return;  // the disk fails elsewhere
    if (outcome !== kNotStored) this.note(`a registration that cannot be stored ended with ${outcome}`);
    if (store.ok || store.message === '') this.note('the status does not say that the records cannot be stored');
    const syncs = await api.syncs();
    const unexplained = syncs.filter(({ reason, explanation }) => reason === 'store-failed' && explanation === '');
    if (unexplained.length > 0) this.note('a registration does not say that the records cannot be stored');
    if (kept === 'ok' && !syncs.some(({ reason }) => reason === 'store-failed')) this.note('no registration says that the records cannot be stored');
    const tags = await api.evaluate(this.pages[1], 'navigator.serviceWorker.ready.then(registration => registration.sync.getTags())');
    if (kept === 'ok' && tags.length === 0) this.note('the tags cannot be read');
    this.degraded += 1;
    await this.acts.setNetwork('online');
  }

  // By itself, once the disk works again.
  async recovers() {
    await this.acts.setNetwork('online');
    await this.#becomes('the records can be stored again', async () => {
      const { store } = await this.api.get('/v1/status');
      return store.ok ? undefined : store.message;
    });
    const outcome = await this.acts.registerOne('first', this.pages[1]);
    if (outcome !== 'ok') this.note(`a registration after the recovery ended with ${outcome}`);
  }

  // With the network up everything ends that can end. Afterwards all of it is stored, and nothing may run again.
  async settle() {
    const { api, ledger } = this;
    await this.acts.setNetwork('online');
    await this.#becomes('every one-shot registration ends', async () => {
      const left = (await api.syncs()).filter(sync => !this.facts.periodic.has(sync.tag));
      return left.length === 0 && ledger.waiting().length === 0 ? undefined : [...left.map(sync => `${sync.tag}: ${sync.explanation}`), ...ledger.waiting()];
    });
    // What is acknowledged now was stored after all that ended before.
    await this.acts.registerOne('first', this.pages[1]);
    await this.#becomes('the last one ends', async () => (ledger.waiting().length === 0 ? undefined : ledger.waiting()));
    for (const sync of await api.syncs()) this.#lookAt(sync);
    const posts = (await this.feed.posts()).map(post => post.text);
    const missing = this.acknowledgedPosts.filter(text => !posts.includes(text));
    if (missing.length > 0) ledger.violation(`acknowledged posts are lost: ${missing.join(', ')}`);
    const inOrder = posts.filter(text => this.acknowledgedPosts.includes(text));
    if (missing.length === 0 && inOrder.join() !== this.acknowledgedPosts.join()) ledger.violation('the posts are not in the order of their writing');
    if (new Set(posts).size !== posts.length) ledger.violation('a post is at the server twice');
    // A page that died between saving and registering leaves its post there, for the next one.
    const outbox = (await api.evaluate(this.pages[0], 'savedPosts()')).filter(({ text }) => this.acknowledgedPosts.includes(text));
    if (outbox.length > 0) ledger.violation(`stuck in the outbox: ${JSON.stringify(outbox)}`);
    await this.#becomes('nothing runs', async () => ((await api.get('/v1/status')).firing === 0 ? undefined : 'something does'));
    ledger.settles(this.acts.lastTag);
  }

  async #becomes(what, problem) {
    const deadline = performance.now() + this.patience * 1000;
    for (;;) {
      const found = await problem();
      if (found === undefined) return;
      if (performance.now() > deadline) {
        this.ledger.violation(`stuck: not within ${this.patience} s: ${what}: ${JSON.stringify(found).slice(0, 2000)}`);
        return;
      }
      await new Promise(resolve => setTimeout(resolve, 2));
    }
  }
}
