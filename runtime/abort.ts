// DOM §3: AbortController and AbortSignal.
import { DOMException } from "./domexception.ts";
import { defineEventHandlers } from "./event_handlers.ts";
import { setAbortHooks } from "./event_listeners.ts";
import { Event, EventTarget, fire, watchListeners } from "./events.ts";
import { setRuntimeTimer } from "./timers.ts";
import { any, defineInterface, fail, sequence, unsignedLongLong } from "./webidl.ts";

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown = undefined;
  #algorithms = new Set<() => void>();
  // Signals that follow this one. A signal that any() made follows only signals that nobody made so, in any depth.
  #dependents = new Set<WeakRef<AbortSignal>>();
  #pruneAt = 16; // that many dependents: time to forget the ones that are gone
  #heard = new Set<AbortSignal>(); // of these, the ones that would be missed
  #sources: AbortSignal[] | null = null; // of a signal that any() made

  get aborted(): boolean {
    return this.#aborted;
  }
  get reason(): unknown {
    return this.#reason;
  }
  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  static abort(reason: unknown = undefined): AbortSignal {
    const signal = new AbortSignal();
    signal.#aborted = true;
    signal.#reason = reason === undefined ? abortError() : reason;
    return signal;
  }
  static timeout(milliseconds: number): AbortSignal {
    const signal = new AbortSignal();
    setRuntimeTimer(
      () => AbortSignal.signalAbort(signal, new DOMException("signal timed out", "TimeoutError")),
      milliseconds,
    );
    return signal;
  }
  static any(signals: AbortSignal[]): AbortSignal {
    return AbortSignal.follow(new AbortSignal(), signals);
  }

  static override isInstance(value: unknown): value is AbortSignal {
    return typeof value === "object" && value !== null && #algorithms in value;
  }
  // DOM "create a dependent abort signal", of a signal that is new.
  static follow<T extends AbortSignal>(result: T, signals: AbortSignal[]): T {
    const aborted = signals.find((signal) => signal.#aborted);
    if (aborted) {
      result.#aborted = true;
      result.#reason = aborted.#reason;
      return result;
    }
    const sources = new Set(signals.flatMap((signal) => signal.#sources ?? [signal]));
    const reference = new WeakRef<AbortSignal>(result);
    result.#sources = [...sources];
    for (const source of sources) source.#addDependent(reference);
    watchListeners(result, (type) => {
      if (type === "abort") result.#keep();
    });
    return result;
  }
  #addDependent(reference: WeakRef<AbortSignal>): void {
    if (this.#dependents.size >= this.#pruneAt) {
      for (const each of this.#dependents) if (!each.deref()) this.#dependents.delete(each);
      this.#pruneAt = 2 * this.#dependents.size + 16;
    }
    this.#dependents.add(reference);
  }
  // Who listens to a signal need not hold it, too.
  #keep(): void {
    for (const source of this.#sources ?? []) source.#heard.add(this);
  }
  static signalAbort(signal: AbortSignal, reason: unknown): void {
    if (signal.#aborted) return;
    signal.#abort(reason === undefined ? abortError() : reason);
    // All of them are aborted before anybody hears of it.
    const following: AbortSignal[] = [];
    for (const reference of signal.#dependents) {
      const dependent = reference.deref();
      if (!dependent || dependent.#aborted) continue;
      dependent.#abort(signal.#reason);
      following.push(dependent);
    }
    signal.#dependents.clear();
    signal.#heard.clear();
    signal.#runAbortSteps();
    for (const dependent of following) dependent.#runAbortSteps();
  }
  #abort(reason: unknown): void {
    this.#aborted = true;
    this.#reason = reason;
  }
  #runAbortSteps(): void {
    for (const algorithm of this.#algorithms) algorithm();
    this.#algorithms.clear();
    fire(this, new Event("abort"));
  }
  // Runs once when the signal aborts. Returns a function that takes it back.
  static addAlgorithm(signal: AbortSignal, algorithm: () => void): () => void {
    if (!signal.#aborted) {
      signal.#algorithms.add(algorithm);
      signal.#keep();
    }
    return () => void signal.#algorithms.delete(algorithm);
  }
}
setAbortHooks({
  isSignal: AbortSignal.isInstance,
  isAborted: (signal) => (signal as AbortSignal).aborted,
  addAlgorithm: (signal, algorithm) => AbortSignal.addAlgorithm(signal as AbortSignal, algorithm),
});
function abortError(): DOMException {
  return new DOMException("signal is aborted without reason", "AbortError");
}
export const toSignal = (value: unknown): AbortSignal => {
  if (!AbortSignal.isInstance(value)) fail("Failed to convert value to 'AbortSignal'.");
  return value;
};
defineEventHandlers(AbortSignal.prototype, ["abort"], AbortSignal.isInstance);
defineInterface(AbortSignal, {
  name: "AbortSignal",
  statics: { abort: [any.optional()], timeout: [unsignedLongLong.enforceRange], any: [sequence(toSignal)] },
});

export class AbortController {
  #signal: AbortSignal;
  constructor(signal = new AbortSignal()) {
    this.#signal = signal;
  }
  get signal(): AbortSignal {
    return this.#signal;
  }
  abort(reason: unknown = undefined): void {
    AbortSignal.signalAbort(this.#signal, reason);
  }
  static isInstance(value: unknown): value is AbortController {
    return typeof value === "object" && value !== null && #signal in value;
  }
}
defineInterface(AbortController, {
  name: "AbortController",
  constructorArguments: [],
  operations: { abort: [any.optional()] },
});
