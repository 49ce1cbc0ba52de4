// DOM §2.7: event listeners, and what addEventListener() takes.
import type { Event } from "./events.ts";
import { boolean, converter, type Dictionary, fail, member } from "./webidl.ts";

export type EventListener = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };
export interface Listener {
  callback: EventListener;
  capture: boolean;
  once: boolean;
  passive: boolean;
  removed: boolean;
}

// What abort.ts knows of signals; it registers itself, since it needs events.ts.
export interface AbortHooks {
  isSignal(value: unknown): boolean;
  isAborted(signal: object): boolean;
  addAlgorithm(signal: object, algorithm: () => void): () => void;
}
export let abortHooks: AbortHooks;
export function setAbortHooks(hooks: AbortHooks): void {
  abortHooks = hooks;
}

// DOM "flatten" and "flatten more": options, or only whether to capture.
export function flatten(options: unknown): boolean {
  if (options === undefined || options === null) return false;
  return typeof options === "object" || typeof options === "function"
    ? Boolean((options as Dictionary)["capture"])
    : Boolean(options);
}
export function flattenMore(options: unknown): { capture: boolean; once: boolean; passive: boolean; signal: object | null } {
  const capture = flatten(options);
  if ((typeof options !== "object" && typeof options !== "function") || options === null) {
    return { capture, once: false, passive: false, signal: null };
  }
  const given = options as Dictionary;
  const dict = "AddEventListenerOptions";
  const once = member(given, dict, "once", boolean, false);
  const passive = member(given, dict, "passive", boolean, false);
  return { capture, once, passive, signal: member(given, dict, "signal", toSignal, null) };
}
const toSignal = (value: unknown): object => {
  if (!abortHooks.isSignal(value)) fail("Failed to convert value to 'AbortSignal'.");
  return value as object;
};
export const eventListener = converter((value): EventListener | null => {
  if (value === null || value === undefined) return null;
  if (typeof value !== "function" && typeof value !== "object") fail("parameter 1 is not of type 'Object'.");
  return value as EventListener;
});
