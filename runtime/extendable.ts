// Service Workers §4.4–4.7: ExtendableEvent and the events that keep a worker alive, and how one of them is run and
// answered.
import type { EventFinished } from "#ipc/vigil.ts";
import { EventFinished_Outcome } from "#ipc/vigil.ts";
import { DOMException } from "./domexception.ts";
import { Event, type EventInit, eventInit, EventTarget, fire } from "./events.ts";
import { describe } from "./inspect.ts";
import { MessagePort } from "./message_ports.ts";
import { native } from "./native.ts";
import { port } from "./port.ts";
import { addRoutes } from "./static_routes.ts";
import { setRuntimeTimer } from "./timers.ts";
import { any, converter, defineInterface, type Dictionary, DOMString, fail, member, nullable, sequence, USVString } from "./webidl.ts";

// Life of one trusted event: "active" while it is dispatched or a waitUntil promise is pending.
export class Extension {
  #pending = 0;
  #dispatching = true;
  #rejection: { reason: unknown } | null = null;
  #done: ((rejection: { reason: unknown } | null) => void) | null;
  constructor(done: (rejection: { reason: unknown } | null) => void) {
    this.#done = done;
  }
  get dispatching(): boolean {
    return this.#dispatching;
  }
  get active(): boolean {
    return this.#dispatching || this.#pending > 0;
  }
  // Of a script's promise. As in Chromium, this is no handler of it: its rejection is also an unhandled one, which the
  // monitoring of many apps listens to.
  addGiven(promise: unknown): void {
    this.add(promise);
    void Promise.resolve(promise).then(() => {});
  }
  // Service Workers "add lifetime promise".
  add(value: unknown): void {
    ++this.#pending;
    const settled = () => {
      // One more microtask, so that reactions to the promise can still extend the event.
      queueMicrotaskNative(() => {
        --this.#pending;
        this.#check();
      });
    };
    Promise.resolve(value).then(settled, (reason: unknown) => {
      this.#rejection ??= { reason };
      settled();
    });
  }
  endDispatch(): void {
    this.#dispatching = false;
    this.#check();
  }
  #check(): void {
    if (this.active || !this.#done) return;
    const done = this.#done;
    this.#done = null;
    done(this.#rejection);
  }
}
const resolved = Promise.resolve();
function queueMicrotaskNative(run: () => void): void {
  void resolved.then(run);
}

export class ExtendableEvent extends Event {
  #extension: Extension | null = null;
  constructor(type: string, init: Dictionary = {}) {
    super(type, init as EventInit);
  }
  waitUntil(promise: unknown): void {
    if (!Event.stateOf(this).trusted || !this.#extension) {
      throw new DOMException(
        "Failed to execute 'waitUntil' on 'ExtendableEvent': Can not call waitUntil on a script constructed ExtendableEvent.",
        "InvalidStateError",
      );
    }
    if (!this.#extension.active) {
      throw new DOMException(
        "Failed to execute 'waitUntil' on 'ExtendableEvent': The event handler is already finished and no extend lifetime promises are outstanding.",
        "InvalidStateError",
      );
    }
    this.#extension.addGiven(promise);
  }
  static override isInstance(value: unknown): value is ExtendableEvent {
    return typeof value === "object" && value !== null && #extension in value;
  }
  static extend(event: ExtendableEvent, extension: Extension): void {
    event.#extension = extension;
  }
  static extensionOf(event: ExtendableEvent): Extension | null {
    return event.#extension;
  }
}
defineInterface(ExtendableEvent, {
  name: "ExtendableEvent",
  constructorArguments: [DOMString, eventInit("ExtendableEventInit")],
  operations: { waitUntil: [any] },
  exposed: "service-worker",
});

export class InstallEvent extends ExtendableEvent {
  #brand = true;
  addRoutes(rules: unknown): Promise<void> {
    const extension = ExtendableEvent.extensionOf(this);
    if (!Event.stateOf(this).trusted || !extension?.active) {
      throw new DOMException(
        "Failed to execute 'addRoutes' on 'InstallEvent': Routes can only be added while the event is handled.",
        "InvalidStateError",
      );
    }
    const added = addRoutes(rules);
    extension.add(added.then(() => {}, () => {}));
    return added;
  }
  static override isInstance(value: unknown): value is InstallEvent {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
defineInterface(InstallEvent, {
  name: "InstallEvent",
  constructorArguments: [DOMString, eventInit("ExtendableEventInit")],
  promises: ["addRoutes"],
  exposed: "service-worker",
});

const isPort = (value: unknown): value is object => MessagePort.isInstance(value);
// worker_scope.ts gives the other kinds: their files need this one.
let isSender = (_: unknown): boolean => false;
export function setMessageSenders(test: (value: unknown) => boolean): void {
  isSender = test;
}
const messageSource = converter((value): object => {
  if (isSender(value) || isPort(value)) return value as object;
  return fail("The provided value is not of type '(Client or MessagePort or ServiceWorker)'.");
});
const messagePort = converter((value): object => {
  return isPort(value) ? value : fail("Failed to convert value to 'MessagePort'.");
});

export class ExtendableMessageEvent extends ExtendableEvent {
  #data: unknown;
  #origin: string;
  #lastEventId: string;
  #source: object | null;
  #ports: readonly object[];
  constructor(type: string, init: Dictionary = {}) {
    super(type, init);
    const dict = "ExtendableMessageEventInit";
    this.#data = member(init, dict, "data", any, null);
    this.#origin = member(init, dict, "origin", USVString, "");
    this.#lastEventId = member(init, dict, "lastEventId", DOMString, "");
    this.#source = member(init, dict, "source", nullable(messageSource), null);
    this.#ports = Object.freeze(member(init, dict, "ports", sequence(messagePort), []));
  }
  // Of a dictionary, undefined would be the default, null.
  static carrying(event: ExtendableMessageEvent, data: unknown): ExtendableMessageEvent {
    event.#data = data;
    return event;
  }
  get data(): unknown {
    return this.#data;
  }
  get origin(): string {
    return this.#origin;
  }
  get lastEventId(): string {
    return this.#lastEventId;
  }
  get source(): object | null {
    return this.#source;
  }
  get ports(): readonly object[] {
    return this.#ports;
  }
  static override isInstance(value: unknown): value is ExtendableMessageEvent {
    return typeof value === "object" && value !== null && #lastEventId in value;
  }
}
defineInterface(ExtendableMessageEvent, {
  name: "ExtendableMessageEvent",
  constructorArguments: [DOMString, eventInit("ExtendableMessageEventInit")],
  exposed: "service-worker",
});

// Fires a functional event and answers with EventFinished when its life ends. afterDispatch runs when the listeners and
// the microtasks they left have run, before that; finished at the end.
export function runFunctionalEvent(
  id: number,
  event: ExtendableEvent,
  afterDispatch: () => void = () => {},
  finished: () => void = () => {},
): void {
  let startedUs = 0;
  const extension = new Extension((rejection) => {
    finished();
    const eventFinished: EventFinished = {
      eventId: id,
      outcome: rejection ? EventFinished_Outcome.REJECTED : EventFinished_Outcome.SUCCEEDED,
      error: rejection ? describe(rejection.reason) : "",
      handlerStartedUs: startedUs,
    };
    port.notify({ eventFinished });
  });
  ExtendableEvent.extend(event, extension);
  // The dispatch flag falls in a task of its own: browsers run the listeners' microtasks while it is still set.
  setRuntimeTimer(() => {
    afterDispatch();
    extension.endDispatch();
  }, 0);
  fire(globalThis as unknown as EventTarget, event, () => (startedUs = native.realMonoUs()));
}
