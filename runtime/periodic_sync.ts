// Periodic Background Synchronization: PeriodicSyncManager and PeriodicSyncEvent.
import { requireActiveWorker, type SyncTarget } from "./background_sync.ts";
import { ExtendableEvent } from "./extendable.ts";
import { port } from "./port.ts";
import {
  defineInterface,
  type Dictionary,
  dictionary,
  DOMString,
  member,
  requiredMember,
  unsignedLongLong,
} from "./webidl.ts";

export class PeriodicSyncManager {
  #target: SyncTarget;
  constructor(target: SyncTarget) {
    this.#target = target;
  }
  register(tag: string, options: Dictionary): Promise<void> {
    const minIntervalMs = member(options, "BackgroundSyncOptions", "minInterval", unsignedLongLong.enforceRange, 0);
    requireActiveWorker(this.#target, "PeriodicSyncManager");
    return port.request({ registrationId: this.#target.id, periodicRegister: { tag, minIntervalMs } }).then(() => {});
  }
  async getTags(): Promise<string[]> {
    const reply = await port.request({ registrationId: this.#target.id, periodicGetTags: {} });
    return reply.tags?.tags ?? [];
  }
  async unregister(tag: string): Promise<void> {
    await port.request({ registrationId: this.#target.id, periodicUnregister: { value: tag } });
  }
  static isInstance(value: unknown): value is PeriodicSyncManager {
    return typeof value === "object" && value !== null && #target in value;
  }
}
defineInterface(PeriodicSyncManager, {
  name: "PeriodicSyncManager",
  operations: { register: [DOMString, dictionary("BackgroundSyncOptions").optional({})], unregister: [DOMString] },
  promises: ["register"],
});

export class PeriodicSyncEvent extends ExtendableEvent {
  #tag: string;
  constructor(type: string, init: Dictionary) {
    super(type, init);
    this.#tag = requiredMember(init, "PeriodicSyncEventInit", "tag", DOMString);
  }
  get tag(): string {
    return this.#tag;
  }
  static override isInstance(value: unknown): value is PeriodicSyncEvent {
    return typeof value === "object" && value !== null && #tag in value;
  }
}
defineInterface(PeriodicSyncEvent, {
  name: "PeriodicSyncEvent",
  constructorArguments: [DOMString, dictionary("PeriodicSyncEventInit")],
  exposed: "service-worker",
});
