// DOM §2: Event and EventTarget.
import { DOMException } from "./domexception.ts";
import { abortHooks, type EventListener, eventListener, flatten, flattenMore, type Listener } from "./event_listeners.ts";
import { EventState, noPath } from "./event_state.ts";
import { native } from "./native.ts";
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
  #state: EventState;

  constructor(type: string, init: EventInit | null = null) {
    const state = new EventState(type);
    this.#state = state;
    if (init) {
      const given = init as Dictionary;
      state.bubbles = member(given, "EventInit", "bubbles", boolean, false);
      state.cancelable = member(given, "EventInit", "cancelable", boolean, false);
      state.composed = member(given, "EventInit", "composed", boolean, false);
    }
    // [LegacyUnforgeable]
    Object.defineProperty(this, "isTrusted", isTrusted);
  }
  get type(): string {
    return this.#state.type;
  }
  get target(): EventTarget | null {
    return this.#state.target;
  }
  get srcElement(): EventTarget | null {
    return this.#state.target;
  }
  get currentTarget(): EventTarget | null {
    return this.#state.currentTarget;
  }
  composedPath(): EventTarget[] {
    return this.#state.path.slice();
  }
  get eventPhase(): number {
    return this.#state.phase;
  }
  stopPropagation(): void {
    this.#state.stopped = true;
  }
  get cancelBubble(): boolean {
    return this.#state.stopped;
  }
  set cancelBubble(value: boolean) {
    if (value) this.#state.stopped = true;
  }
  stopImmediatePropagation(): void {
    const state = this.#state;
    state.stopped = state.stoppedImmediately = true;
  }
  get bubbles(): boolean {
    return this.#state.bubbles;
  }
  get cancelable(): boolean {
    return this.#state.cancelable;
  }
  get returnValue(): boolean {
    return !this.#state.canceled;
  }
  set returnValue(value: boolean) {
    if (!value) this.preventDefault();
  }
  preventDefault(): void {
    const state = this.#state;
    if (state.cancelable && !state.inPassiveListener) state.canceled = true;
  }
  get defaultPrevented(): boolean {
    return this.#state.canceled;
  }
  get composed(): boolean {
    return this.#state.composed;
  }
  get timeStamp(): number {
    return this.#state.timeStamp;
  }
  initEvent(type: string, bubbles = false, cancelable = false): void {
    const state = this.#state;
    if (state.dispatching) return;
    state.type = type;
    state.bubbles = bubbles;
    state.cancelable = cancelable;
    state.canceled = state.stopped = state.stoppedImmediately = state.trusted = false;
  }

  static isInstance(value: unknown): value is Event {
    return typeof value === "object" && value !== null && #state in value;
  }
  static stateOf(event: Event): EventState {
    return event.#state;
  }
}
const isTrusted = {
  __proto__: null,
  ...Object.getOwnPropertyDescriptor(
    {
      get isTrusted() {
        return Event.stateOf(this as unknown as Event).trusted;
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
    if (Event.stateOf(event).dispatching) {
      throw new DOMException(
        "Failed to execute 'dispatchEvent' on 'EventTarget': The event is already being dispatched.",
        "InvalidStateError",
      );
    }
    return dispatch(event, this);
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

// DOM §2.9 "dispatch". Returns false when the event was canceled. beforeFirst runs just before the first listener,
// afterEach after each.
function dispatch(event: Event, target: EventTarget, beforeFirst?: () => void, afterEach?: () => void): boolean {
  const state = Event.stateOf(event);
  state.dispatching = true;
  state.target = target;
  const path = [target];
  for (let parent = EventTarget.stateOf(target).parent; parent; parent = EventTarget.stateOf(parent).parent) {
    path.push(parent);
  }
  state.path = path;
  const run: Dispatch = { event, state, beforeFirst, afterEach };
  for (let i = path.length - 1; i > 0; --i) invokeAll(run, path[i]!, 1);
  invokeAll(run, target, 2);
  if (state.bubbles) {
    for (let i = 1; i < path.length; ++i) invokeAll(run, path[i]!, 3);
  }
  state.dispatching = state.stopped = state.stoppedImmediately = false;
  state.currentTarget = null;
  state.phase = 0;
  state.path = noPath;
  return !state.canceled;
}
interface Dispatch {
  event: Event;
  state: EventState;
  beforeFirst: (() => void) | undefined;
  afterEach: (() => void) | undefined;
}
function invokeAll(run: Dispatch, current: EventTarget, phase: number): void {
  const { state } = run;
  if (state.stopped) return;
  const list = EventTarget.stateOf(current).listeners?.get(state.type);
  if (!list) return;
  state.currentTarget = current;
  state.phase = phase;
  if (phase !== 3) invokeList(run, current, list, true);
  if (phase !== 1 && !state.stopped) invokeList(run, current, list, false);
}
function invokeList(run: Dispatch, current: EventTarget, list: Listener[], capture: boolean): void {
  const { event, state } = run;
  // Listeners come and go meanwhile.
  const present = list.length === 1 ? list : list.slice();
  for (let i = 0, count = present.length; i < count; ++i) {
    const listener = present[i]!;
    if (listener.removed || listener.capture !== capture) continue;
    if (state.stoppedImmediately) return;
    if (listener.once) EventTarget.remove(current, state.type, listener);
    run.beforeFirst?.();
    run.beforeFirst = undefined;
    state.inPassiveListener = listener.passive;
    invoke(event, state, current, listener);
    state.inPassiveListener = false;
    run.afterEach?.();
  }
}
function invoke(event: Event, state: EventState, target: EventTarget, { callback }: Listener): void {
  try {
    if (typeof callback === "function") {
      callback.call(target, event);
    } else {
      const handle = callback.handleEvent;
      if (typeof handle !== "function") {
        throw new TypeError("Failed to execute 'dispatchEvent' on 'EventTarget': The provided callback is not callable.");
      }
      handle.call(callback, event);
    }
  } catch (error) {
    state.threw = true;
    reportException(error);
  }
}

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
  Event.stateOf(event).trusted = true;
  return dispatch(event, target, beforeFirst);
}
// The same from a task in which no script runs: microtasks run after each listener (HTML §8.1.4.4, "clean up after
// running script").
export function fireInTask(target: EventTarget, event: Event): boolean {
  Event.stateOf(event).trusted = true;
  return dispatch(event, target, undefined, checkpoint);
}
const checkpoint = () => native.checkpoint();
export function fireSimple(target: EventTarget, type: string, init?: EventInit): boolean {
  return fire(target, new Event(type, init));
}
