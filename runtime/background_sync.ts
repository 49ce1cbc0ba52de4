// Background Synchronization: SyncManager and SyncEvent.
import { DOMException } from "./domexception.ts";
import { ExtendableEvent } from "./extendable.ts";
import { port } from "./port.ts";
import { boolean, defineInterface, type Dictionary, dictionary, DOMString, member, requiredMember } from "./webidl.ts";

// What a manager needs of its registration.
export interface SyncTarget {
  readonly id: number;
  readonly hasActiveWorker: boolean;
  readonly unregistered: boolean;
}

export function requireActiveWorker(target: SyncTarget, manager: string): void {
  if (target.hasActiveWorker) return;
  const prefix = target.unregistered ? "" : `Failed to execute 'register' on '${manager}': `;
  throw new DOMException(`${prefix}Registration failed - no active Service Worker`, "InvalidStateError");
}

export class SyncManager {
  #target: SyncTarget;
  constructor(target: SyncTarget) {
    this.#target = target;
  }
  register(tag: string): Promise<void> {
    requireActiveWorker(this.#target, "SyncManager");
    const { id } = this.#target;
    const registered = port.request({ registrationId: id, syncRegister: { tag } }).then(() => {});
    // Until this message the event must not fire: the script's own reactions to the promise come first.
    void registered.then(() => port.notify({ syncAcknowledge: { tag, registrationId: id } }), () => {});
    return registered;
  }
  async getTags(): Promise<string[]> {
    const reply = await port.request({ registrationId: this.#target.id, syncGetTags: {} });
    return reply.tags?.tags ?? [];
  }
  static isInstance(value: unknown): value is SyncManager {
    return typeof value === "object" && value !== null && #target in value;
  }
}
defineInterface(SyncManager, { name: "SyncManager", operations: { register: [DOMString] }, promises: ["register"] });

export class SyncEvent extends ExtendableEvent {
  #tag: string;
  #lastChance: boolean;
  constructor(type: string, init: Dictionary) {
    super(type, init);
    this.#lastChance = member(init, "SyncEventInit", "lastChance", boolean, false);
    this.#tag = requiredMember(init, "SyncEventInit", "tag", DOMString);
  }
  get tag(): string {
    return this.#tag;
  }
  get lastChance(): boolean {
    return this.#lastChance;
  }
  static override isInstance(value: unknown): value is SyncEvent {
    return typeof value === "object" && value !== null && #lastChance in value;
  }
}
defineInterface(SyncEvent, {
  name: "SyncEvent",
  constructorArguments: [DOMString, dictionary("SyncEventInit")],
  exposed: "service-worker",
});
