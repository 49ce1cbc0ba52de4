// DOM §3: AbortController and AbortSignal.
import { DOMException } from "./domexception.ts";
import { defineEventHandlers, Event, EventTarget, fire } from "./events.ts";
import { setRuntimeTimer } from "./timers.ts";
import { any, defineInterface, fail, sequence, unsignedLongLong } from "./webidl.ts";

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown = undefined;
  #algorithms = new Set<() => void>();
  #dependents: WeakRef<AbortSignal>[] = [];
  #sources: AbortSignal[] = []; // keeps them alive as long as somebody can see this signal

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
    const result = new AbortSignal();
    const aborted = signals.find((signal) => signal.#aborted);
    if (aborted) {
      result.#aborted = true;
      result.#reason = aborted.#reason;
      return result;
    }
    for (const signal of signals) {
      result.#sources.push(signal);
      signal.#dependents.push(new WeakRef(result));
    }
    return result;
  }

  static override isInstance(value: unknown): value is AbortSignal {
    return typeof value === "object" && value !== null && #algorithms in value;
  }
  static signalAbort(signal: AbortSignal, reason: unknown): void {
    if (signal.#aborted) return;
    signal.#aborted = true;
    signal.#reason = reason === undefined ? abortError() : reason;
    for (const algorithm of signal.#algorithms) algorithm();
    signal.#algorithms.clear();
    fire(signal, new Event("abort"));
    for (const reference of signal.#dependents) {
      const dependent = reference.deref();
      if (dependent) AbortSignal.signalAbort(dependent, signal.#reason);
    }
    signal.#dependents = [];
  }
  // Runs once when the signal aborts. Returns a function that takes it back.
  static addAlgorithm(signal: AbortSignal, algorithm: () => void): () => void {
    signal.#algorithms.add(algorithm);
    return () => void signal.#algorithms.delete(algorithm);
  }
}
function abortError(): DOMException {
  return new DOMException("signal is aborted without reason", "AbortError");
}
const toSignal = (value: unknown): AbortSignal => {
  if (!AbortSignal.isInstance(value)) fail("Failed to convert value to 'AbortSignal'.");
  return value;
};
defineEventHandlers(AbortSignal.prototype, ["abort"], AbortSignal.isInstance);
defineInterface(AbortSignal, {
  name: "AbortSignal",
  statics: { abort: [any.optional()], timeout: [unsignedLongLong.enforceRange], any: [sequence(toSignal)] },
});

export class AbortController {
  #signal = new AbortSignal();
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
