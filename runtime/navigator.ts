// navigator in both scopes: identity, on-line state, NetworkInformation, Permissions, StorageManager, locks.
import type { NetworkState, PermissionChange } from "#ipc/vigil.ts";
import { DOMException } from "./domexception.ts";
import { defineEventHandlers } from "./event_handlers.ts";
import { EventTarget, fireSimple } from "./events.ts";
import { LockManager } from "./locks.ts";
import { port } from "./port.ts";
import { NavigatorUAData } from "./user_agent_data.ts";
import {
  any,
  boolean,
  defineInterface,
  type Dictionary,
  enumeration,
  member,
  requiredMember,
  toDictionary,
} from "./webidl.ts";

// What start() says about the machine, and later messages change.
export const identity = { userAgent: "", languages: ["en-US"] as readonly string[] };
const offline: NetworkState = {
  online: true,
  type: "",
  effectiveType: "",
  metered: false,
  downlinkMbps: 0,
  rttMs: 0,
};
let network: NetworkState = offline;

// ------------------------------------------------------------------------------------------------- connection
export class NetworkInformation extends EventTarget {
  #brand = true;
  get type(): string {
    return network.online ? network.type || "unknown" : "none";
  }
  get effectiveType(): string {
    return network.effectiveType || "4g";
  }
  get downlink(): number {
    return network.online ? network.downlinkMbps || 10 : 0;
  }
  get downlinkMax(): number {
    return network.online ? Infinity : 0;
  }
  get rtt(): number {
    return network.rttMs;
  }
  get saveData(): boolean {
    return network.metered;
  }
  static override isInstance(value: unknown): value is NetworkInformation {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
defineEventHandlers(NetworkInformation.prototype, ["change", "typechange"], NetworkInformation.isInstance);
defineInterface(NetworkInformation, { name: "NetworkInformation" });
let connection: NetworkInformation | null = null;

export function setNetwork(state: NetworkState): void {
  network = state;
}
function networkChanged(state: NetworkState): void {
  const before = network;
  network = state;
  if (connection && JSON.stringify(before) !== JSON.stringify(state)) fireSimple(connection, "change");
  if (before.online !== state.online) {
    fireSimple(globalThis as unknown as EventTarget, state.online ? "online" : "offline");
  }
}

// ------------------------------------------------------------------------------------------------- permissions
const toPermissionName = enumeration("PermissionName", [
  "geolocation",
  "notifications",
  "push",
  "midi",
  "camera",
  "microphone",
  "background-fetch",
  "background-sync",
  "persistent-storage",
  "ambient-light-sensor",
  "accelerometer",
  "gyroscope",
  "magnetometer",
  "screen-wake-lock",
  "nfc",
  "display-capture",
  "accessibility-events",
  "clipboard-read",
  "clipboard-write",
  "payment-handler",
  "periodic-background-sync",
  "storage-access",
  "window-management",
  "local-fonts",
]);
// Weakly held: a status that nobody can see any more need not change.
const statuses = new Set<WeakRef<PermissionStatus>>();
export class PermissionStatus extends EventTarget {
  #name: string;
  #state: string;
  constructor(name: string, state: string) {
    super();
    this.#name = name;
    this.#state = state;
    statuses.add(new WeakRef(this));
  }
  get name(): string {
    return this.#name;
  }
  get state(): string {
    return this.#state;
  }
  static override isInstance(value: unknown): value is PermissionStatus {
    return typeof value === "object" && value !== null && #state in value;
  }
  static change(status: PermissionStatus, state: string): void {
    if (status.#state === state) return;
    status.#state = state;
    fireSimple(status, "change");
  }
}
defineEventHandlers(PermissionStatus.prototype, ["change"], PermissionStatus.isInstance);
defineInterface(PermissionStatus, { name: "PermissionStatus" });

function permissionChanged({ name, state }: PermissionChange): void {
  for (const reference of statuses) {
    const status = reference.deref();
    if (!status) statuses.delete(reference);
    else if (status.name === name) PermissionStatus.change(status, state);
  }
}
export class Permissions {
  #brand = true;
  query(descriptor: unknown): Promise<PermissionStatus> {
    const given = toDictionary(descriptor, "PermissionDescriptor");
    const name = requiredMember(given, "PermissionDescriptor", "name", toPermissionName);
    const userVisibleOnly = member(given, "PushPermissionDescriptor", "userVisibleOnly", boolean, false);
    if (name === "push" && !userVisibleOnly) {
      throw new DOMException(
        "Failed to execute 'query' on 'Permissions': Push Permission without userVisibleOnly:true isn't supported yet.",
        "NotSupportedError",
      );
    }
    return port
      .request({ permissionQuery: { name } })
      .then((reply) => new PermissionStatus(name, reply.permission?.state ?? "denied"));
  }
  static isInstance(value: unknown): value is Permissions {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
defineInterface(Permissions, { name: "Permissions", operations: { query: [any] }, promises: ["query"] });

// ------------------------------------------------------------------------------------------------- storage
export class StorageManager {
  #brand = true;
  async persisted(): Promise<boolean> {
    return (await port.request({ storagePersisted: {} })).flag?.value ?? false;
  }
  async estimate(): Promise<object> {
    const { estimate } = await port.request({ storageEstimate: {} });
    const { usage = 0, quota = 0, usageIndexedDb = 0, usageCaches = 0 } = estimate ?? {};
    const usageDetails: Record<string, number> = {};
    if (usageCaches > 0) usageDetails["caches"] = usageCaches;
    if (usageIndexedDb > 0) usageDetails["indexedDB"] = usageIndexedDb;
    return { quota, usage, usageDetails };
  }
  static isInstance(value: unknown): value is StorageManager {
    return typeof value === "object" && value !== null && #brand in value;
  }
  static async persist(): Promise<boolean> {
    return (await port.request({ storagePersist: {} })).flag?.value ?? false;
  }
}
// Only windows may ask for persistence.
export function addPersist(): void {
  const { persist } = {
    async persist(this: unknown): Promise<boolean> {
      if (!StorageManager.isInstance(this)) throw new TypeError("Illegal invocation");
      return StorageManager.persist();
    },
  };
  Object.defineProperty(StorageManager.prototype, "persist", {
    value: persist,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
defineInterface(StorageManager, { name: "StorageManager" });

// ------------------------------------------------------------------------------------------------- navigator
// The members that Navigator and WorkerNavigator share.
class NavigatorBase {
  #connection: NetworkInformation | null = null;
  #permissions: Permissions | null = null;
  #storage: StorageManager | null = null;
  #locks: LockManager | null = null;
  #userAgentData: NavigatorUAData | null = null;
  get userAgent(): string {
    return identity.userAgent;
  }
  get appCodeName(): string {
    return "Mozilla";
  }
  get appName(): string {
    return "Netscape";
  }
  get appVersion(): string {
    return identity.userAgent.replace(/^Mozilla\//, "");
  }
  get platform(): string {
    return "Linux x86_64";
  }
  get product(): string {
    return "Gecko";
  }
  get hardwareConcurrency(): number {
    return 1;
  }
  get deviceMemory(): number {
    return 1;
  }
  get language(): string {
    return identity.languages[0] ?? "en-US";
  }
  get languages(): readonly string[] {
    return identity.languages;
  }
  get onLine(): boolean {
    return network.online;
  }
  get connection(): NetworkInformation {
    return (this.#connection ??= connection ??= new NetworkInformation());
  }
  get permissions(): Permissions {
    return (this.#permissions ??= new Permissions());
  }
  get storage(): StorageManager {
    return (this.#storage ??= new StorageManager());
  }
  get locks(): LockManager {
    return (this.#locks ??= new LockManager());
  }
  get userAgentData(): NavigatorUAData {
    return (this.#userAgentData ??= new NavigatorUAData(identity.userAgent));
  }
  static isInstance(value: unknown): value is NavigatorBase {
    return typeof value === "object" && value !== null && #storage in value;
  }
}
export class WorkerNavigator extends NavigatorBase {}
export class Navigator extends NavigatorBase {
  get vendor(): string {
    return "";
  }
  get vendorSub(): string {
    return "";
  }
  get productSub(): string {
    return "20030107";
  }
  get cookieEnabled(): boolean {
    return true;
  }
  get maxTouchPoints(): number {
    return 0;
  }
  get webdriver(): boolean {
    return false;
  }
  get doNotTrack(): null {
    return null;
  }
}
// The shared members belong on each interface's own prototype.
for (const cls of [WorkerNavigator, Navigator]) {
  const { constructor: _, ...members } = Object.getOwnPropertyDescriptors(
    NavigatorBase.prototype,
  ) as PropertyDescriptorMap;
  Object.defineProperties(cls.prototype, members);
  Object.setPrototypeOf(cls.prototype, Object.prototype);
}
export function defineNavigator(scope: "service-worker" | "page"): void {
  if (scope === "page") defineInterface(Navigator, { name: "Navigator", exposed: "page" });
  else defineInterface(WorkerNavigator, { name: "WorkerNavigator", exposed: "service-worker" });
}

export function setIdentity(userAgent: string, languages: readonly string[]): void {
  identity.userAgent = userAgent;
  identity.languages = Object.freeze(languages.length > 0 ? [...languages] : ["en-US"]);
}
export function installNavigatorMessages(): void {
  port.on("network", networkChanged);
  port.on("permission", permissionChanged);
}
