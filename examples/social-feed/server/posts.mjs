// The posts that the server has received, each once: a repeated idempotency key is answered with the first post.
import { Journal } from './journal.mjs';

export class Posts {
  #journal;
  #posts = [];
  #byKey = new Map();      // key → Promise of the post once it is durable
  #listeners = new Set();

  static async open(path) {
    const { journal, entries } = await Journal.open(path);
    const posts = new Posts();
    posts.#journal = journal;
    for (const post of entries) {
      posts.#posts.push(post);
      posts.#byKey.set(post.key, Promise.resolve(post));
    }
    return posts;
  }

  get all() {
    return this.#posts;
  }

  // Resolves with { post, repeated } when the post is durable.
  async add(key, { text, createdAt }) {
    const known = this.#byKey.get(key);
    if (known) {
      return { post: await known, repeated: true };
    }
    const post = {
      number: this.#byKey.size + 1,
      key,
      text,
      createdAt,
      receivedAt: new Date().toISOString(),
      receivedAtUs: Number(process.hrtime.bigint() / 1000n),  // CLOCK_MONOTONIC
    };
    const durable = this.#journal.append(post).then(() => post);
    this.#byKey.set(key, durable);
    try {
      await durable;
    } catch (error) {
      this.#byKey.delete(key);
      throw error;
    }
    this.#posts.push(post);
    this.#listeners.forEach(listener => listener(post));
    return { post, repeated: false };
  }

  // Calls listener(post) for every post from now on. Returns the function that ends it.
  onPost(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close() {
    return this.#journal.close();
  }
}
