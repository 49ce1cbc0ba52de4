// Indexed Database API §4.1, §4.2: IDBRequest, IDBOpenDBRequest and IDBVersionChangeEvent.
import { DOMException } from "./domexception.ts";
import { defineEventHandlers } from "./event_handlers.ts";
import { Event, EventTarget, eventInit, fireInTask, setEventParent } from "./events.ts";
import type { IDBTransaction } from "./indexeddb_transaction.ts";
import { defineInterface, type Dictionary, DOMString, member, nullable, unsignedLongLong } from "./webidl.ts";

export class IDBRequest extends EventTarget {
  #done = false;
  #result: unknown = undefined;
  #error: DOMException | null = null;
  #source: object | null;
  #transaction: IDBTransaction | null;
  constructor(source: object | null, transaction: IDBTransaction | null) {
    super();
    this.#source = source;
    this.#transaction = transaction;
    setEventParent(this, transaction);
  }
  #requireDone(attribute: string): void {
    if (this.#done) return;
    throw new DOMException(`Failed to read the '${attribute}' property from 'IDBRequest': The request has not finished.`, "InvalidStateError");
  }
  get result(): unknown {
    this.#requireDone("result");
    return this.#result;
  }
  get error(): DOMException | null {
    this.#requireDone("error");
    return this.#error;
  }
  get source(): object | null {
    return this.#source;
  }
  get transaction(): IDBTransaction | null {
    return this.#transaction;
  }
  get readyState(): string {
    return this.#done ? "done" : "pending";
  }
  static override isInstance(value: unknown): value is IDBRequest {
    return typeof value === "object" && value !== null && #done in value;
  }

  static isDone(request: IDBRequest): boolean {
    return request.#done;
  }
  // A cursor's request is used again.
  static reset(request: IDBRequest): void {
    request.#done = false;
    request.#result = undefined;
    request.#error = null;
  }
  static settle(request: IDBRequest, result: unknown, error: DOMException | null): void {
    request.#done = true;
    request.#result = result;
    request.#error = error;
  }
  static setTransaction(request: IDBRequest, transaction: IDBTransaction | null): void {
    request.#transaction = transaction;
    setEventParent(request, transaction);
  }
}
defineInterface(IDBRequest, { name: "IDBRequest" });
defineEventHandlers(IDBRequest.prototype, ["success", "error"], IDBRequest.isInstance);

export class IDBOpenDBRequest extends IDBRequest {
  #brand = true;
  constructor() {
    super(null, null);
  }
  static override isInstance(value: unknown): value is IDBOpenDBRequest {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
defineInterface(IDBOpenDBRequest, { name: "IDBOpenDBRequest" });
defineEventHandlers(IDBOpenDBRequest.prototype, ["blocked", "upgradeneeded"], IDBOpenDBRequest.isInstance);

export class IDBVersionChangeEvent extends Event {
  #oldVersion: number;
  #newVersion: number | null;
  constructor(type: string, init: Dictionary = {}) {
    super(type, init);
    this.#oldVersion = member(init, "IDBVersionChangeEventInit", "oldVersion", unsignedLongLong, 0);
    this.#newVersion = member(init, "IDBVersionChangeEventInit", "newVersion", nullable(unsignedLongLong), null);
  }
  get oldVersion(): number {
    return this.#oldVersion;
  }
  get newVersion(): number | null {
    return this.#newVersion;
  }
  static override isInstance(value: unknown): value is IDBVersionChangeEvent {
    return typeof value === "object" && value !== null && #oldVersion in value;
  }
}
defineInterface(IDBVersionChangeEvent, {
  name: "IDBVersionChangeEvent",
  constructorArguments: [DOMString, eventInit("IDBVersionChangeEventInit")],
});

export function fireVersionChange(target: EventTarget, type: string, oldVersion: number, newVersion: number | null): void {
  fireInTask(target, new IDBVersionChangeEvent(type, { oldVersion, newVersion }));
}
