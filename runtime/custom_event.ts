// DOM §2.4: events with something of the script's own in them.
import { Event, eventInit, type EventInit } from "./events.ts";
import { any, boolean, defineInterface, type Dictionary, DOMString, member } from "./webidl.ts";

export class CustomEvent extends Event {
  #detail: unknown;
  constructor(type: string, init: EventInit & { detail?: unknown } = {}) {
    super(type, init);
    this.#detail = member(init as Dictionary, "CustomEventInit", "detail", any, null);
  }
  get detail(): unknown {
    return this.#detail;
  }
  initCustomEvent(type: string, bubbles = false, cancelable = false, detail: unknown = null): void {
    if (Event.stateOf(this).dispatching) return;
    this.initEvent(type, bubbles, cancelable);
    this.#detail = detail;
  }
  static override isInstance(value: unknown): value is CustomEvent {
    return typeof value === "object" && value !== null && #detail in value;
  }
}
defineInterface(CustomEvent, { name: "CustomEvent", constructorArguments: [DOMString, eventInit("CustomEventInit")] });
