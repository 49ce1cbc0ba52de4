// Events that carry data: MessageEvent, ErrorEvent, PromiseRejectionEvent, ProgressEvent, CloseEvent, StorageEvent, HashChangeEvent.
import { Event, type EventInit, eventInit } from "./events.ts";
import {
  any,
  boolean,
  defineInterface,
  type Dictionary,
  dictionary,
  DOMString,
  double,
  member,
  nullable,
  requiredMember,
  sequence,
  unsignedLong,
  unsignedShort,
  USVString,
} from "./webidl.ts";

export class MessageEvent extends Event {
  #data: unknown;
  #origin: string;
  #lastEventId: string;
  #source: object | null;
  #ports: readonly object[];
  constructor(type: string, init: Dictionary = {}) {
    super(type, init as EventInit);
    const dict = "MessageEventInit";
    this.#data = member(init, dict, "data", any, null);
    this.#origin = member(init, dict, "origin", USVString, "");
    this.#lastEventId = member(init, dict, "lastEventId", DOMString, "");
    this.#source = member(init, dict, "source", nullable(any), null) as object | null;
    this.#ports = Object.freeze(member(init, dict, "ports", sequence(any), []) as object[]);
  }
  // Of a dictionary, undefined would be the default, null.
  static carrying(event: MessageEvent, data: unknown): MessageEvent {
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
  initMessageEvent(
    type: string,
    bubbles: unknown = false,
    cancelable: unknown = false,
    data: unknown = null,
    origin: unknown = "",
    lastEventId: unknown = "",
    source: unknown = null,
    ports: unknown = [],
  ): void {
    if (Event.stateOf(this).dispatching) return;
    this.initEvent(type, boolean(bubbles), boolean(cancelable));
    this.#data = data;
    this.#origin = USVString(origin);
    this.#lastEventId = DOMString(lastEventId);
    this.#source = source as object | null;
    this.#ports = Object.freeze(sequence(any)(ports) as object[]);
  }
  static override isInstance(value: unknown): value is MessageEvent {
    return typeof value === "object" && value !== null && #lastEventId in value;
  }
}
defineInterface(MessageEvent, {
  name: "MessageEvent",
  constructorArguments: [DOMString, eventInit("MessageEventInit")],
});

export class ErrorEvent extends Event {
  #message: string;
  #filename: string;
  #lineno: number;
  #colno: number;
  #error: unknown;
  constructor(type: string, init: Dictionary = {}) {
    super(type, init as EventInit);
    const dict = "ErrorEventInit";
    this.#message = member(init, dict, "message", DOMString, "");
    this.#filename = member(init, dict, "filename", USVString, "");
    this.#lineno = member(init, dict, "lineno", unsignedLong, 0);
    this.#colno = member(init, dict, "colno", unsignedLong, 0);
    this.#error = member(init, dict, "error", any, undefined);
  }
  get message(): string {
    return this.#message;
  }
  get filename(): string {
    return this.#filename;
  }
  get lineno(): number {
    return this.#lineno;
  }
  get colno(): number {
    return this.#colno;
  }
  get error(): unknown {
    return this.#error;
  }
  static override isInstance(value: unknown): value is ErrorEvent {
    return typeof value === "object" && value !== null && #message in value;
  }
}
defineInterface(ErrorEvent, { name: "ErrorEvent", constructorArguments: [DOMString, eventInit("ErrorEventInit")] });

export class PromiseRejectionEvent extends Event {
  #promise: unknown;
  #reason: unknown;
  constructor(type: string, init: Dictionary) {
    super(type, init as EventInit);
    this.#promise = requiredMember(init, "PromiseRejectionEventInit", "promise", any);
    this.#reason = member(init, "PromiseRejectionEventInit", "reason", any, undefined);
  }
  get promise(): unknown {
    return this.#promise;
  }
  get reason(): unknown {
    return this.#reason;
  }
  static override isInstance(value: unknown): value is PromiseRejectionEvent {
    return typeof value === "object" && value !== null && #promise in value;
  }
}
defineInterface(PromiseRejectionEvent, {
  name: "PromiseRejectionEvent",
  constructorArguments: [DOMString, dictionary("PromiseRejectionEventInit")],
});

export class ProgressEvent extends Event {
  #lengthComputable: boolean;
  #loaded: number;
  #total: number;
  constructor(type: string, init: Dictionary = {}) {
    super(type, init as EventInit);
    this.#lengthComputable = member(init, "ProgressEventInit", "lengthComputable", boolean, false);
    this.#loaded = member(init, "ProgressEventInit", "loaded", double, 0);
    this.#total = member(init, "ProgressEventInit", "total", double, 0);
  }
  get lengthComputable(): boolean {
    return this.#lengthComputable;
  }
  get loaded(): number {
    return this.#loaded;
  }
  get total(): number {
    return this.#total;
  }
  static override isInstance(value: unknown): value is ProgressEvent {
    return typeof value === "object" && value !== null && #loaded in value;
  }
}
// Chromium keeps its interface object from service workers, though FileReader fires it there.
defineInterface(ProgressEvent, {
  name: "ProgressEvent",
  constructorArguments: [DOMString, eventInit("ProgressEventInit")],
  exposed: "page",
});

export class HashChangeEvent extends Event {
  #oldUrl: string;
  #newUrl: string;
  constructor(type: string, init: Dictionary = {}) {
    super(type, init as EventInit);
    this.#oldUrl = member(init, "HashChangeEventInit", "oldURL", USVString, "");
    this.#newUrl = member(init, "HashChangeEventInit", "newURL", USVString, "");
  }
  get oldURL(): string {
    return this.#oldUrl;
  }
  get newURL(): string {
    return this.#newUrl;
  }
  static override isInstance(value: unknown): value is HashChangeEvent {
    return typeof value === "object" && value !== null && #oldUrl in value;
  }
}
defineInterface(HashChangeEvent, {
  name: "HashChangeEvent",
  constructorArguments: [DOMString, eventInit("HashChangeEventInit")],
  exposed: "page",
});

export class PopStateEvent extends Event {
  #state: unknown;
  constructor(type: string, init: Dictionary = {}) {
    super(type, init as EventInit);
    this.#state = member(init, "PopStateEventInit", "state", any, null);
  }
  get state(): unknown {
    return this.#state;
  }
  static override isInstance(value: unknown): value is PopStateEvent {
    return typeof value === "object" && value !== null && #state in value;
  }
}
defineInterface(PopStateEvent, {
  name: "PopStateEvent",
  constructorArguments: [DOMString, eventInit("PopStateEventInit")],
  exposed: "page",
});

export class StorageEvent extends Event {
  #key: string | null;
  #oldValue: string | null;
  #newValue: string | null;
  #url: string;
  #storageArea: object | null;
  constructor(type: string, init: Dictionary = {}) {
    super(type, init as EventInit);
    const dict = "StorageEventInit";
    this.#key = member(init, dict, "key", nullable(DOMString), null);
    this.#oldValue = member(init, dict, "oldValue", nullable(DOMString), null);
    this.#newValue = member(init, dict, "newValue", nullable(DOMString), null);
    this.#url = member(init, dict, "url", USVString, "");
    this.#storageArea = member(init, dict, "storageArea", nullable(any), null) as object | null;
  }
  get key(): string | null {
    return this.#key;
  }
  get oldValue(): string | null {
    return this.#oldValue;
  }
  get newValue(): string | null {
    return this.#newValue;
  }
  get url(): string {
    return this.#url;
  }
  get storageArea(): object | null {
    return this.#storageArea;
  }
  static override isInstance(value: unknown): value is StorageEvent {
    return typeof value === "object" && value !== null && #storageArea in value;
  }
}
defineInterface(StorageEvent, {
  name: "StorageEvent",
  constructorArguments: [DOMString, eventInit("StorageEventInit")],
  exposed: "page",
});

export class CloseEvent extends Event {
  #wasClean: boolean;
  #code: number;
  #reason: string;
  constructor(type: string, init: Dictionary = {}) {
    super(type, init as EventInit);
    this.#code = member(init, "CloseEventInit", "code", unsignedShort, 0);
    this.#reason = member(init, "CloseEventInit", "reason", USVString, "");
    this.#wasClean = member(init, "CloseEventInit", "wasClean", boolean, false);
  }
  get wasClean(): boolean {
    return this.#wasClean;
  }
  get code(): number {
    return this.#code;
  }
  get reason(): string {
    return this.#reason;
  }
  static override isInstance(value: unknown): value is CloseEvent {
    return typeof value === "object" && value !== null && #wasClean in value;
  }
}
defineInterface(CloseEvent, { name: "CloseEvent", constructorArguments: [DOMString, eventInit("CloseEventInit")] });
