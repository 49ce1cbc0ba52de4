// HTML §8.1.8.1: event handler attributes (onX).
import { type Event, EventTarget, type Handler } from "./events.ts";

function handlerOf(target: EventTarget, type: string): Handler {
  const state = EventTarget.stateOf(target);
  state.handlers ??= new Map();
  let handler = state.handlers.get(type);
  if (!handler) state.handlers.set(type, handler = { value: null, listener: null });
  return handler;
}
export function getHandler(target: EventTarget, type: string): object | null {
  return EventTarget.stateOf(target).handlers?.get(type)?.value ?? null;
}
export function setHandler(target: EventTarget, type: string, value: unknown): void {
  const handler = handlerOf(target, type);
  handler.value = typeof value === "function" || (typeof value === "object" && value !== null)
    ? (value as object)
    : null;
  if (handler.value === null) {
    if (handler.listener) EventTarget.remove(target, type, handler.listener);
    handler.listener = null;
  } else if (!handler.listener) {
    // The place in the list is taken when the attribute is first set, and kept while it is not null.
    const callback = (event: Event) => runHandler(target, handler, event);
    target.addEventListener(type, callback);
    const list = EventTarget.stateOf(target).listeners!.get(type)!;
    handler.listener = list[list.length - 1]!;
  }
}
interface ErrorEventLike extends Event {
  message: string;
  filename: string;
  lineno: number;
  colno: number;
  error: unknown;
}
// HTML "the event handler processing algorithm".
function runHandler(target: EventTarget, handler: Handler, event: Event): void {
  if (typeof handler.value !== "function") return;
  if (event.type === "error" && (target as unknown) === globalThis && "lineno" in event) {
    const { message, filename, lineno, colno, error } = event as ErrorEventLike;
    const handled: unknown = handler.value.call(target, message, filename, lineno, colno, error);
    if (handled === true) event.preventDefault();
    return;
  }
  const result: unknown = handler.value.call(target, event);
  if (result === false) event.preventDefault();
}

// Adds onX accessors for each type to a prototype, or to the global object itself.
export function defineEventHandlers(
  holder: object,
  types: readonly string[],
  isInstance: (value: unknown) => boolean,
): void {
  for (const type of types) {
    const name = `on${type}`;
    const accessors = {
      get [name](): object | null {
        const self: unknown = this ?? globalThis;
        if (!isInstance(self)) throw new TypeError("Illegal invocation");
        return getHandler(self as EventTarget, type);
      },
      set [name](value: unknown) {
        const self: unknown = this ?? globalThis;
        if (!isInstance(self)) throw new TypeError("Illegal invocation");
        setHandler(self as EventTarget, type, value);
      },
    };
    const { get, set } = Object.getOwnPropertyDescriptor(accessors, name)!;
    Object.defineProperty(holder, name, { get, set, enumerable: true, configurable: true });
  }
}
