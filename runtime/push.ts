// Push API: the whole surface, as a browser has it that no push service stands behind. Nobody can subscribe, so nobody
// is ever sent a message; what scripts construct themselves works.
import type { SyncTarget } from "./background_sync.ts";
import { Blob } from "./blob.ts";
import { DOMException } from "./domexception.ts";
import { ExtendableEvent } from "./extendable.ts";
import { native } from "./native.ts";
import { port } from "./port.ts";
import {
  boolean,
  type BufferSource,
  copyBytes,
  defineInterface,
  defineStaticAttribute,
  type Dictionary,
  dictionary,
  DOMString,
  enumeration,
  instance,
  isBufferSource,
  member,
  nullable,
  USVString,
} from "./webidl.ts";

const contentEncodings = Object.freeze(["aes128gcm", "aesgcm"]);
const fromBase64 = (Uint8Array as unknown as {
  fromBase64(text: string, options: { alphabet: string }): Uint8Array<ArrayBuffer>;
}).fromBase64;

// ------------------------------------------------------------------------------------------------- subscriptions
// An uncompressed point of P-256.
function isPublicKey(key: Uint8Array): boolean {
  return key.byteLength === 65 && key[0] === 4;
}
function toKey(value: BufferSource | string): Uint8Array<ArrayBuffer> {
  const doing = "Failed to execute 'subscribe' on 'PushManager': The provided applicationServerKey is not";
  let key: Uint8Array<ArrayBuffer>;
  try {
    if (typeof value === "string" && value.includes("=")) throw new SyntaxError("padding");
    key = typeof value === "string" ? fromBase64.call(Uint8Array, value, { alphabet: "base64url" }) : copyBytes(value);
  } catch {
    throw new DOMException(`${doing} encoded as base64url without padding.`, "InvalidCharacterError");
  }
  if (!isPublicKey(key)) throw new DOMException(`${doing} valid.`, "InvalidAccessError");
  return key;
}
const keyInit = (value: unknown): BufferSource | string => (isBufferSource(value) ? value : DOMString(value));
interface SubscriptionInit {
  applicationServerKey: BufferSource | string | null;
  userVisibleOnly: boolean;
}
function toInit(given: Dictionary): SubscriptionInit {
  const dict = "PushSubscriptionOptionsInit";
  return {
    applicationServerKey: member(given, dict, "applicationServerKey", (v) => (v === null ? null : keyInit(v)), null),
    userVisibleOnly: member(given, dict, "userVisibleOnly", boolean, false),
  };
}

export class PushSubscriptionOptions {
  #userVisibleOnly: boolean;
  #applicationServerKey: ArrayBuffer | null;
  constructor(userVisibleOnly: boolean, applicationServerKey: ArrayBuffer | null) {
    this.#userVisibleOnly = userVisibleOnly;
    this.#applicationServerKey = applicationServerKey;
  }
  get userVisibleOnly(): boolean {
    return this.#userVisibleOnly;
  }
  get applicationServerKey(): ArrayBuffer | null {
    return this.#applicationServerKey;
  }
  static isInstance(value: unknown): value is PushSubscriptionOptions {
    return typeof value === "object" && value !== null && #userVisibleOnly in value;
  }
}
defineInterface(PushSubscriptionOptions, { name: "PushSubscriptionOptions" });

// None is ever made: PushManager says why. Scripts test for its members.
export class PushSubscription {
  #options: PushSubscriptionOptions;
  constructor(options: PushSubscriptionOptions) {
    this.#options = options;
  }
  get endpoint(): string {
    return "";
  }
  get expirationTime(): number | null {
    return null;
  }
  get options(): PushSubscriptionOptions {
    return this.#options;
  }
  getKey(_name: "p256dh" | "auth"): ArrayBuffer | null {
    return null;
  }
  toJSON(): object {
    return { endpoint: this.endpoint, expirationTime: this.expirationTime, keys: {} };
  }
  async unsubscribe(): Promise<boolean> {
    return false;
  }
  static isInstance(value: unknown): value is PushSubscription {
    return typeof value === "object" && value !== null && #options in value;
  }
}
defineInterface(PushSubscription, {
  name: "PushSubscription",
  operations: { getKey: [enumeration("PushEncryptionKeyName", ["p256dh", "auth"])] },
});

export class PushManager {
  #target: SyncTarget;
  constructor(target: SyncTarget) {
    this.#target = target;
  }
  async subscribe(options: Dictionary): Promise<PushSubscription> {
    const { applicationServerKey } = toInit(options);
    if (!this.#target.hasActiveWorker) {
      throw new DOMException("Subscription failed - no active Service Worker", "AbortError");
    }
    if (applicationServerKey === null || applicationServerKey === "") {
      throw new DOMException(
        "Registration failed - missing applicationServerKey, and gcm_sender_id not found in manifest",
        "AbortError",
      );
    }
    toKey(applicationServerKey);
    if (await PushManager.#permission() === "denied") {
      throw new DOMException("Registration failed - permission denied", "NotAllowedError");
    }
    throw new DOMException("Registration failed - push service not available", "AbortError");
  }
  async getSubscription(): Promise<PushSubscription | null> {
    return null;
  }
  async permissionState(options: Dictionary): Promise<string> {
    if (!toInit(options).userVisibleOnly) {
      throw new DOMException(
        "Push subscriptions that don't enable userVisibleOnly are not supported.",
        "NotSupportedError",
      );
    }
    return PushManager.#permission();
  }
  static async #permission(): Promise<string> {
    const reply = await port.request({ permissionQuery: { name: "push" } });
    return reply.permission?.state ?? "denied";
  }
  static isInstance(value: unknown): value is PushManager {
    return typeof value === "object" && value !== null && #target in value;
  }
}
const optionsInit = dictionary("PushSubscriptionOptionsInit").optional({});
defineStaticAttribute(
  defineInterface(PushManager, {
    name: "PushManager",
    operations: { subscribe: [optionsInit], permissionState: [optionsInit] },
  }),
  "supportedContentEncodings",
  () => contentEncodings,
);

// ------------------------------------------------------------------------------------------------- events
export class PushMessageData {
  #bytes: Uint8Array<ArrayBuffer>;
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }
  arrayBuffer(): ArrayBuffer {
    return this.#bytes.slice().buffer;
  }
  blob(): Blob {
    return new Blob([this.#bytes]);
  }
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice();
  }
  json(): unknown {
    return JSON.parse(this.text());
  }
  text(): string {
    return native.utf8Decode(this.#bytes, false, false);
  }
  static isInstance(value: unknown): value is PushMessageData {
    return typeof value === "object" && value !== null && #bytes in value;
  }
}
defineInterface(PushMessageData, { name: "PushMessageData", exposed: "service-worker" });

const toData = (value: unknown): PushMessageData =>
  new PushMessageData(isBufferSource(value) ? copyBytes(value) : native.utf8Encode(USVString(value)));
export class PushEvent extends ExtendableEvent {
  #data: PushMessageData | null;
  constructor(type: string, init: Dictionary = {}) {
    super(type, init);
    this.#data = member(init, "PushEventInit", "data", toData, null);
  }
  get data(): PushMessageData | null {
    return this.#data;
  }
  static override isInstance(value: unknown): value is PushEvent {
    return typeof value === "object" && value !== null && #data in value;
  }
}
defineInterface(PushEvent, {
  name: "PushEvent",
  constructorArguments: [DOMString, dictionary("PushEventInit").optional({})],
  exposed: "service-worker",
});

const toSubscription = nullable(instance("PushSubscription", () => PushSubscription));
export class PushSubscriptionChangeEvent extends ExtendableEvent {
  #newSubscription: PushSubscription | null;
  #oldSubscription: PushSubscription | null;
  constructor(type: string, init: Dictionary = {}) {
    super(type, init);
    const dict = "PushSubscriptionChangeEventInit";
    this.#newSubscription = member(init, dict, "newSubscription", toSubscription, null);
    this.#oldSubscription = member(init, dict, "oldSubscription", toSubscription, null);
  }
  get newSubscription(): PushSubscription | null {
    return this.#newSubscription;
  }
  get oldSubscription(): PushSubscription | null {
    return this.#oldSubscription;
  }
  static override isInstance(value: unknown): value is PushSubscriptionChangeEvent {
    return typeof value === "object" && value !== null && #newSubscription in value;
  }
}
defineInterface(PushSubscriptionChangeEvent, {
  name: "PushSubscriptionChangeEvent",
  constructorArguments: [DOMString, dictionary("PushSubscriptionChangeEventInit").optional({})],
  exposed: "service-worker",
});
