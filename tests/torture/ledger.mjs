// What the daemon promised, what happened, and whether the one fits the other. Knows no daemon.

// One fact that calls change: what the last answered call made it, and what unanswered ones may have made it.
export class Fact {
  #possible;

  constructor(name, value) {
    this.name = name;
    this.#possible = new Set([value]);
  }

  // The only value it can have, or undefined while that is not known.
  get value() {
    return this.#possible.size === 1 ? [...this.#possible][0] : undefined;
  }

  // Before the call. Afterwards call keeps(value) if it succeeded, fails() if it was refused, neither if nobody knows.
  asks(value) {
    const before = new Set(this.#possible);
    this.#possible.add(value);
    return {
      keeps: () => { this.#possible = new Set([value]); },
      fails: () => { this.#possible = before; },
    };
  }

  // What is there now. Returns what is wrong with it, if anything is.
  sees(value) {
    const right = this.#possible.has(value);
    const expected = [...this.#possible].join(' or ');
    this.#possible = new Set([value]);
    return right ? undefined : `${this.name} is ${value} and should be ${expected}`;
  }
}

// The one-shot registrations, each with a tag of its own, and their runs.
export class Ledger {
  #tags = new Map();     // tag → { acknowledged, refused, given up, closed, runs: [time] }
  #causes = [];          // { begin, end, what }: why something that ran may run again
  violations = [];
  acknowledged = 0;
  refused = 0;
  unanswered = 0;
  delivered = 0;
  runs = 0;
  reruns = 0;

  violation(text) {
    this.violations.push(text);
  }

  // From `begin` to `end` (performance.now(); open while undefined) runs may have been cut off, or their results not
  // have been stored. what: 'death' also excuses that something refused was stored after all.
  cause(what, begin, end) {
    const cause = { what, begin, end };
    this.#causes.push(cause);
    return cause;
  }

  asks(tag) {
    this.unanswered += 1;
    this.#tags.set(tag, { asked: performance.now(), runs: [] });
  }

  acknowledges(tag) {
    this.unanswered -= 1;
    this.acknowledged += 1;
    this.#tags.get(tag).acknowledged = true;
  }

  refuses(tag) {
    this.unanswered -= 1;
    this.refused += 1;
    this.#tags.get(tag).refused = performance.now();
  }

  // Somebody took it back (the permission): it may run or not, until the next settling.
  givesUp(accept) {
    for (const [tag, entry] of this.#tags) {
      if (!entry.closed && accept(tag)) entry.givenUp = true;
    }
  }

  ran(tag) {
    const now = performance.now();
    const entry = this.#tags.get(tag);
    this.runs += 1;
    if (!entry) return this.violation(`${tag} ran, and nobody registered it`);
    if (entry.closed) this.violation(`${tag} ran again after it was over and stored`);
    if (entry.runs.length > 0) {
      this.reruns += 1;
      if (!this.#hasCause(entry.runs.at(-1), now)) this.violation(`${tag} ran twice, and nothing had cut it off`);
    } else if (entry.refused && !this.#hasCause(entry.refused, now, 'death')) {
      this.violation(`${tag} ran, although its registration was refused`);
    }
    if (entry.runs.push(now) === 1) this.delivered += 1;
    return undefined;
  }

  #hasCause(from, until, what) {
    return this.#causes.some(cause => (!what || cause.what === what) && cause.begin <= until && (cause.end ?? until) >= from);
  }

  // Tags that were acknowledged and never ran.
  waiting() {
    return [...this.#tags].filter(([, entry]) => entry.acknowledged && !entry.givenUp && entry.runs.length === 0)
      .map(([tag]) => tag);
  }

  // All is over and durable, but for the end of `last`: what runs from now on was not asked for.
  settles(last) {
    for (const tag of this.waiting()) this.violation(`${tag} was acknowledged and is lost`);
    for (const [tag, entry] of this.#tags) entry.closed = tag !== last;
    this.#causes.length = 0;
  }
}
