// HTML §8.6: setTimeout, setInterval and their clear functions, on the native timer heap. The runtime's own timers share
// the heap but not the ids that scripts can guess.
import { defineFunctions } from "./global_members.ts";
import { native } from "./native.ts";
import { DOMString, long } from "./webidl.ts";

interface Timer {
  run(): void;
  repeatMs: number; // -1: once
  nesting: number;
  cleared: boolean;
}
const timers = new Map<number, Timer>();
let lastId = 0;
let nesting = 0; // of the timer task that runs now
let report: (error: unknown) => void = () => {};
let mayEvaluate = (): boolean => true;
export function setMayEvaluate(given: () => boolean): void {
  mayEvaluate = given;
}
const maxDelay = 2 ** 31 - 1;
const runtimeIds = 2 ** 31; // ids from here on belong to the runtime
let lastRuntimeId = runtimeIds;

function arm(id: number, timer: Timer, delayMs: number): void {
  timers.set(id, timer);
  native.setTimer(id, delayMs);
}
// HTML: from the sixth nested call on a timer waits at least 4 ms.
function clamp(delay: number, level: number): number {
  const atLeast = Math.max(0, delay);
  return level > 5 && atLeast < 4 ? 4 : atLeast;
}

export function runTimer(id: number): void {
  const timer = timers.get(id);
  if (!timer) return;
  if (timer.repeatMs < 0) timers.delete(id);
  nesting = timer.nesting;
  try {
    timer.run();
  } catch (error) {
    report(error);
  } finally {
    nesting = 0;
  }
  if (timer.repeatMs >= 0 && !timer.cleared) {
    timer.nesting = Math.min(timer.nesting + 1, 6);
    native.setTimer(id, clamp(timer.repeatMs, timer.nesting));
  }
}
export function setRuntimeTimer(run: () => void, delayMs: number): number {
  const id = ++lastRuntimeId;
  arm(id, { run, repeatMs: -1, nesting: 0, cleared: false }, Math.min(delayMs, Number.MAX_SAFE_INTEGER));
  return id;
}
// Runs as a task of its own, in the order of calls.
export function queueTask(run: () => void): void {
  setRuntimeTimer(run, 0);
}
export function clearRuntimeTimer(id: number): void {
  clear(id);
}
function clear(id: number): void {
  const timer = timers.get(id);
  if (!timer) return;
  timer.cleared = true;
  timers.delete(id);
  native.clearTimer(id);
}

type TimerHandler = ((...args: unknown[]) => unknown) | string;
function start(handler: unknown, delay: unknown, args: unknown[], repeat: boolean): number {
  const action: TimerHandler = typeof handler === "function"
    ? (handler as (...args: unknown[]) => unknown)
    : DOMString(handler);
  if (typeof action === "string" && !mayEvaluate()) return 0;
  const delayMs = Math.min(Math.max(long(delay), 0), maxDelay);
  const id = ++lastId;
  const level = Math.min(nesting + 1, 6);
  const run = typeof action === "function"
    ? () => void Reflect.apply(action, globalThis, args)
    : () => void native.runScript(action, "");
  arm(id, { run, repeatMs: repeat ? delayMs : -1, nesting: level, cleared: false }, clamp(delayMs, level));
  return id;
}

export function installTimers(global: object, scopeName: string, reportException: (error: unknown) => void): void {
  report = reportException;
  const require = (count: number, name: string, args: ArrayLike<unknown>) => {
    if (args.length < count) {
      throw new TypeError(
        `Failed to execute '${name}' on '${scopeName}': ${count} argument required, but only ${args.length} present.`,
      );
    }
  };
  const functions = {
    setTimeout(handler: unknown, timeout: unknown = 0, ...args: unknown[]): number {
      require(1, "setTimeout", arguments);
      return start(handler, timeout, args, false);
    },
    setInterval(handler: unknown, timeout: unknown = 0, ...args: unknown[]): number {
      require(1, "setInterval", arguments);
      return start(handler, timeout, args, true);
    },
    clearTimeout(id: unknown = 0): void {
      clearOwn(id);
    },
    clearInterval(id: unknown = 0): void {
      clearOwn(id);
    },
    queueMicrotask(action: unknown): void {
      require(1, "queueMicrotask", arguments);
      if (typeof action !== "function") {
        throw new TypeError(
          `Failed to execute 'queueMicrotask' on '${scopeName}': parameter 1 is not of type 'Function'.`,
        );
      }
      enqueueMicrotask(() => {
        try {
          Reflect.apply(action as () => void, undefined, []);
        } catch (error) {
          report(error);
        }
      });
    },
  };
  defineFunctions(global, functions);
}
function clearOwn(id: unknown): void {
  const number = long(id);
  if (number > 0) clear(number);
}
const resolved = Promise.resolve();
const then = Promise.prototype.then;
function enqueueMicrotask(run: () => void): void {
  Reflect.apply(then, resolved, [run]);
}
