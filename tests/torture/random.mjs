// Chance that a seed repeats (mulberry32: small, good enough to choose moments).
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed | 0;
  }

  // 0 ≤ value < 1
  next() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let value = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  }

  below(bound) {
    return Math.floor(this.next() * bound);
  }

  chance(probability) {
    return this.next() < probability;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  // A stream of its own, so that what one part draws does not shift what another draws.
  fork() {
    return new Random(this.below(2 ** 31));
  }
}
