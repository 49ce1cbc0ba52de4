// DOM §2: Event and EventTarget.
import { DOMException } from "./domexception.ts";
import { abortHooks, type EventListener, eventListener, flatten, flattenMore, type Listener } from "./event_listeners.ts";
import { native } from "./native.ts";
import { nowMs } from "./time.ts";
import { any, boolean, type Converter, defineInterface, type Dictionary, dictionary, DOMString, member } from "./webidl.ts";

// Set by errors.ts: HTML's "report an exception".
let reportException: (error: unknown) => void = () => {};
export function setReportException(report: (error: unknown) => void): void {
  reportException = report;
}

export interface EventInit {
  bubbles?: boolean;
  cancelable?: boolean;
  composed?: boolean;
}

export class Event {
  #type: string;
  #bubbles = false;
  #cancelable = false;
  #composed = false;
  #trusted = false;
  #timeStamp = nowMs();
  #target: EventTarget | null = null;
  #currentTarget: EventTarget | null = null;
  #dispatching = false;
  #stopped = false;
  #stoppedImmediately = false;
  #canceled = false;
  #inPassiveListener = false;
  #phase = 0;
  #path: EventTarget[] = [];
  #beforeFirst: (() => void) | undefined;
  #afterEach: (() => void) | undefined;
  // A listener threw during the last dispatch (IndexedDB aborts its transaction then).
  #threw = false;

  constructor(type: string, init: EventInit | null = null) {
    this.#type = type;
    if (init) {
      const given = init as Dictionary;
      this.#bubbles = member(given, "EventInit", "bubbles", boolean, false);
      this.#cancelable = member(given, "EventInit", "cancelable", boolean, false);
      this.#composed = member(given, "EventInit", "composed", boolean, false);
    }
    // [LegacyUnforgeable]
    Object.defineProperty(this, "isTrusted", isTrusted);
  }
  get type(): string {
    return this.#type;
  }
  get target(): EventTarget | null {
    return this.#target;
  }
  get srcElement(): EventTarget | null {
    return this.#target;
  }
  get currentTarget(): EventTarget | null {
    return this.#currentTarget;
  }
  composedPath(): EventTarget[] {
    return this.#path.slice();
  }
  get eventPhase(): number {
    return this.#phase;
  }
  stopPropagation(): void {
    this.#stopped = true;
  }
  get cancelBubble(): boolean {
    return this.#stopped;
  }
  set cancelBubble(value: boolean) {
    if (value) this.#stopped = true;
  }
  stopImmediatePropagation(): void {
    this.#stopped = true;
    this.#stoppedImmediately = true;
  }
  get bubbles(): boolean {
    return this.#bubbles;
  }
  get cancelable(): boolean {
    return this.#cancelable;
  }
  get returnValue(): boolean {
    return !this.#canceled;
  }
  set returnValue(value: boolean) {
    if (!value) this.preventDefault();
  }
  preventDefault(): void {
    if (this.#cancelable && !this.#inPassiveListener) this.#canceled = true;
  }
  get defaultPrevented(): boolean {
    return this.#canceled;
  }
  get composed(): boolean {
    return this.#composed;
  }
  get timeStamp(): number {
    return this.#timeStamp;
  }
  initEvent(type: string, bubbles = false, cancelable = false): void {
    if (this.#dispatching) return;
    this.#type = type;
    this.#bubbles = bubbles;
    this.#cancelable = cancelable;
    this.#canceled =
      this.#stopped =
      this.#stoppedImmediately =
      this.#trusted =
        false;
  }

  static isInstance(value: unknown): value is Event {
    return typeof value === "object" && value !== null && #type in value;
  }
  static isTrusted(event: Event): boolean {
    return event.#trusted;
  }
  static isDispatching(event: Event): boolean {
    return event.#dispatching;
  }
  static markTrusted(event: Event): void {
    event.#trusted = true;
  }
  // DOM §2.9 "dispatch". Returns false when the event was canceled. beforeFirst runs just before the first listener,
  // afterEach after each.
  static dispatch(event: Event, target: EventTarget, beforeFirst?: () => void, afterEach?: () => void): boolean {
    event.#dispatching = true;
    event.#target = target;
    event.#path = [target];
    for (let parent = EventTarget.stateOf(target).parent; parent; parent = EventTarget.stateOf(parent).parent) {
      event.#path.push(parent);
    }
    event.#beforeFirst = beforeFirst;
    event.#afterEach = afterEach;
    for (let i = event.#path.length - 1; i > 0; --i) Event.#invokeAll(event, event.#path[i]!, 1);
    Event.#invokeAll(event, target, 2);
    if (event.#bubbles) {
      for (let i = 1; i < event.#path.length; ++i) Event.#invokeAll(event, event.#path[i]!, 3);
    }
    event.#dispatching = event.#stopped = event.#stoppedImmediately = false;
    event.#currentTarget = null;
    event.#phase = 0;
    event.#path = [];
    return !event.#canceled;
  }
  static #invokeAll(event: Event, current: EventTarget, phase: number): void {
    if (event.#stopped) return;
    const list = EventTarget.stateOf(current).listeners?.get(event.#type);
    if (!list) return;
    event.#currentTarget = current;
    event.#phase = phase;
    if (phase !== 3) Event.#invokeList(event, current, list, true);
    if (phase !== 1 && !event.#stopped) Event.#invokeList(event, current, list, false);
  }
  static #invokeList(event: Event, current: EventTarget, list: Listener[], capture: boolean): void {
    // Listeners come and go meanwhile.
    const present = list.length === 1 ? list : list.slice();
    for (let i = 0, count = present.length; i < count; ++i) {
      const listener = present[i]!;
      if (listener.removed || listener.capture !== capture) continue;
      if (event.#stoppedImmediately) return;
      if (listener.once) EventTarget.remove(current, event.#type, listener);
      event.#beforeFirst?.();
      event.#beforeFirst = undefined;
      event.#inPassiveListener = listener.passive;
      Event.#invoke(event, current, listener);
      event.#inPassiveListener = false;
      event.#afterEach?.();
    }
  }
  static #invoke(event: Event, target: EventTarget, listener: Listener): void {
    const { callback } = listener;
    try {
      if (typeof callback === "function") {
        callback.call(target, event);
      } else {
        const handle = callback.handleEvent;
        if (typeof handle !== "function") {
          throw new TypeError(
            "Failed to execute 'dispatchEvent' on 'EventTarget': The provided callback is not callable.",
          );
        }
        handle.call(callback, event);
      }
    } catch (error) {
      event.#threw = true;
      reportException(error);
    }
  }
  static listenerThrew(event: Event): boolean {
    return event.#threw;
  }
}
const isTrusted = {
  __proto__: null,
  ...Object.getOwnPropertyDescriptor(
    {
      get isTrusted() {
        return Event.isTrusted(this as unknown as Event);
      },
    },
    "isTrusted",
  )!,
  configurable: false,
};

export const eventInit = (type: string): Converter<Dictionary> => dictionary(type).optional({});
defineInterface(Event, {
  name: "Event",
  constructorArguments: [DOMString, eventInit("EventInit")],
  operations: { initEvent: [DOMString, boolean.optional(false), boolean.optional(false)] },
  setters: { cancelBubble: boolean, returnValue: boolean },
  constants: { NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 },
});

// ------------------------------------------------------------------------------------------------- EventTarget
// What event_handlers.ts keeps here.
export interface Handler {
  value: object | null;
  listener: Listener | null;
}
interface TargetState {
  listeners: Map<string, Listener[]> | null;
  handlers: Map<string, Handler> | null;
  parent: EventTarget | null; // DOM "get the parent"
  listening: ((type: string) => void) | null; // told about each new listener
}

// The global object is an EventTarget, too, but cannot be constructed by this class.
const newState = (): TargetState => ({ listeners: null, handlers: null, parent: null, listening: null });
const globalState = newState();

export class EventTarget {
  #state = newState();

  addEventListener(type: string, callback: EventListener | null, options: unknown = undefined): void {
    const { capture, once, passive, signal } = flattenMore(options);
    if (!callback || (signal && abortHooks.isAborted(signal))) return;
    const state = EventTarget.stateOf(this);
    state.listeners ??= new Map();
    let list = state.listeners.get(type);
    if (!list) state.listeners.set(type, list = []);
    if (list.some((listener) => listener.callback === callback && listener.capture === capture)) return;
    const listener = { callback, capture, once, passive, removed: false };
    list.push(listener);
    if (signal) abortHooks.addAlgorithm(signal, () => EventTarget.remove(this, type, listener));
    state.listening?.(type);
  }
  removeEventListener(type: string, callback: EventListener | null, options: unknown = undefined): void {
    const capture = flatten(options);
    const list = EventTarget.stateOf(this).listeners?.get(type);
    const found = list?.find((listener) => listener.callback === callback && listener.capture === capture);
    if (found) EventTarget.remove(this, type, found);
  }
  dispatchEvent(event: Event): boolean {
    if (!Event.isInstance(event)) {
      throw new TypeError("Failed to execute 'dispatchEvent' on 'EventTarget': parameter 1 is not of type 'Event'.");
    }
    if (Event.isDispatching(event)) {
      throw new DOMException(
        "Failed to execute 'dispatchEvent' on 'EventTarget': The event is already being dispatched.",
        "InvalidStateError",
      );
    }
    return Event.dispatch(event, this);
  }

  static isInstance(value: unknown): value is EventTarget {
    return typeof value === "object" && value !== null && (#state in value || value === globalThis);
  }
  static stateOf(target: EventTarget): TargetState {
    return #state in target ? target.#state : globalState;
  }
  static remove(target: EventTarget, type: string, listener: Listener): void {
    const state = EventTarget.stateOf(target);
    const list = state.listeners?.get(type);
    const index = list ? list.indexOf(listener) : -1;
    if (index < 0) return;
    listener.removed = true;
    list!.splice(index, 1);
    if (list!.length === 0) state.listeners!.delete(type);
  }
}
// The prototypes of the global object are all made by the embedder, which can make them immutable: that of the scope's
// own interface, of what it inherits from, and of EventTarget.
const above = (object: object): object => Object.getPrototypeOf(object) as object;
defineInterface(EventTarget, {
  name: "EventTarget",
  prototype: above(above(above(globalThis))),
  constructorArguments: [],
  operations: {
    addEventListener: [DOMString, eventListener, any.optional()],
    removeEventListener: [DOMString, eventListener, any.optional()],
  },
});

function hasListeners(target: EventTarget, type: string): boolean {
  return EventTarget.stateOf(target).listeners?.has(type) ?? false;
}
// Somebody would hear of an event of this type: here, or at one of those above.
export function isHeard(target: EventTarget, type: string): boolean {
  for (let at: EventTarget | null = target; at; at = EventTarget.stateOf(at).parent) {
    if (hasListeners(at, type)) return true;
  }
  return false;
}
export function listenerTypes(target: EventTarget): string[] {
  return [...(EventTarget.stateOf(target).listeners?.keys() ?? [])];
}

// Tells about each listener that is added from here on.
export function watchListeners(target: EventTarget, listening: (type: string) => void): void {
  EventTarget.stateOf(target).listening = listening;
}

export function setEventParent(target: EventTarget, parent: EventTarget | null): void {
  EventTarget.stateOf(target).parent = parent;
}

// Dispatches an event of ours: isTrusted is true. Returns false when it was canceled.
export function fire(target: EventTarget, event: Event, beforeFirst?: () => void): boolean {
  Event.markTrusted(event);
  return Event.dispatch(event, target, beforeFirst);
}
// The same from a task in which no script runs: microtasks run after each listener (HTML §8.1.4.4, "clean up after
// running script").
export function fireInTask(target: EventTarget, event: Event): boolean {
  Event.markTrusted(event);
  return Event.dispatch(event, target, undefined, checkpoint);
}
const checkpoint = () => native.checkpoint();
export function fireSimple(target: EventTarget, type: string, init?: EventInit): boolean {
  return fire(target, new Event(type, init));
}
