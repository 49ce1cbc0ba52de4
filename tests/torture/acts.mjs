// What the users and scripts of a World do while it is tortured; each act notes what was promised.
import { Refused } from '../e2e/support/api.mjs';
import { outcomeOf } from '../e2e/support/counting-app.mjs';

// How a registration ends that could not be stored.
export const kNotStored = 'UnknownError';

export class Acts {
  lastTag;
  #posts = 0;
  #tags = 0;

  constructor(world) {
    this.world = world;
  }

  // Everybody does something, again and again, until the daemon dies or `until` says that it is enough.
  async play(until) {
    const play = async act => {
      while (!this.world.dead && !until()) await act.call(this);
    };
    const acts = await Promise.allSettled([play(this.#publish), play(this.#register), play(this.#change)]);
    const failed = acts.find(({ status }) => status === 'rejected');
    if (failed) throw failed.reason;
  }

  // Somebody publishes a post through the article's own function.
  async #publish() {
    const { api, pages, acknowledgedPosts } = this.world;
    const text = `post-${this.#posts += 1}`;
    const outcome = await api.evaluate(pages[0], `(async () => {
      let told = 'refused';
      const listen = event => { if (event.detail.includes('will be published')) told = 'ok'; };
      addEventListener('app-notification', listen);
      await publishPostOnConnected(createPost('${text}'));
      removeEventListener('app-notification', listen);
      return told;
    })()`);
    if (outcome === 'ok') acknowledgedPosts.push(text);
  }

  // A burst of registrations.
  async #register() {
    const count = 1 + this.world.random.below(4);
    await Promise.all(Array.from({ length: count }, () => this.registerOne('first', this.world.pages[1])));
  }

  async registerOne(app, page) {
    const { api, ledger, refusals } = this.world;
    const tag = `${app}-${this.#tags += 1}`;
    this.lastTag = tag;
    ledger.asks(tag);
    const outcome = await api.evaluate(page, outcomeOf(`sync.register('${tag}')`));
    if (outcome === 'ok') {
      ledger.acknowledges(tag);
    } else {
      ledger.refuses(tag);
      refusals[outcome] = (refusals[outcome] ?? 0) + 1;
    }
    return outcome;
  }

  async #change() {
    const what = this.world.random.next();
    if (what < 0.35) return this.#changePeriodic();
    if (what < 0.55) return this.#changePermission();
    if (what < 0.75) return this.#changeNetwork();
    if (what < 0.85) return this.#changeApp();
    await this.registerOne('second', this.world.pages[2]);
    return undefined;
  }

  async #changePeriodic() {
    const { api, pages, facts, random, refusals } = this.world;
    const tag = random.pick([...facts.periodic.keys()]);
    const fact = facts.periodic.get(tag);
    const wanted = !fact.value;
    const call = wanted ? `register('${tag}', { minInterval: 500 })` : `unregister('${tag}')`;
    const asked = fact.asks(wanted);
    const outcome = await api.evaluate(pages[1], outcomeOf(`periodicSync.${call}`));
    if (outcome !== 'ok') {
      refusals[outcome] = (refusals[outcome] ?? 0) + 1;
      // What could not be stored may take effect later, or may have arrived on the disk in spite of the error.
      if (outcome !== kNotStored) asked.fails();
      return undefined;
    }
    asked.keeps();
    if (!wanted) this.world.unregisteredIn.set(tag, this.world.boots);
    return undefined;
  }

  async #changePermission() {
    const { api, facts, ledger, second } = this.world;
    const setting = facts.permission.value === 'deny' ? 'allow' : 'deny';
    const asked = facts.permission.asks(setting);
    if (setting === 'deny') ledger.givesUp(tag => tag.startsWith('second-'));
    try {
      await api.post('/v1/permissions', { url: second.url, name: 'background-sync', setting });
      asked.keeps();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }

  // An app is installed or removed while everything else goes on.
  async #changeApp() {
    const { api, facts, coming } = this.world;
    const wanted = !facts.coming.value;
    const asked = facts.coming.asks(wanted);
    try {
      await (wanted ? api.post('/v1/apps', { url: coming.url })
        : api.call('DELETE', `/v1/apps?url=${encodeURIComponent(coming.url)}`));
      asked.keeps();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }

  // The network goes away for a moment; what was running may be cut off.
  async #changeNetwork() {
    const cut = this.world.ledger.cause('network', performance.now());
    try {
      await this.setNetwork('offline');
      await this.registerOne('first', this.world.pages[1]);
      await this.setNetwork('online');
    } finally {
      // A request that was cut off may have reached its server and not have been looked at there.
      await this.world.serversCaughtUp();
      cut.end = performance.now();
    }
  }

  async setNetwork(mode) {
    const { api, facts } = this.world;
    const asked = facts.network.asks(mode);
    try {
      await api.post('/v1/network', { mode });
      asked.keeps();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
    return facts.network.value === mode;
  }
}
