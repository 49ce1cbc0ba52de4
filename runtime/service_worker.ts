// Service Workers §3.1–3.2: ServiceWorker and ServiceWorkerRegistration, one object per version and registration.
import type { RegistrationInfo, WorkerInfo } from "#ipc/vigil.ts";
import { SyncManager, type SyncTarget } from "./background_sync.ts";
import { DOMException } from "./domexception.ts";
import { defineEventHandlers } from "./event_handlers.ts";
import { EventTarget, fireSimple } from "./events.ts";
import { NavigationPreloadManager } from "./navigation_preload.ts";
import { Notification } from "./notifications.ts";
import { PeriodicSyncManager } from "./periodic_sync.ts";
import { port } from "./port.ts";
import { CookieStoreManager } from "./cookie_store.ts";
import { PushManager } from "./push.ts";
import { serializeMessage, toTransferList } from "./structured_clone.ts";
import { setRuntimeTimer } from "./timers.ts";
import { any, defineInterface, type Dictionary, dictionary, DOMString, member } from "./webidl.ts";

export class ServiceWorker extends EventTarget {
  #versionId: number;
  #scriptUrl: string;
  #state: string;
  constructor(info: WorkerInfo) {
    super();
    this.#versionId = info.versionId;
    this.#scriptUrl = info.scriptUrl;
    this.#state = info.state;
  }
  get scriptURL(): string {
    return this.#scriptUrl;
  }
  get state(): string {
    return this.#state;
  }
  postMessage(message: unknown, options: unknown = undefined): void {
    const data = serializeMessage(message, toTransferList(options), "leaves");
    void port.request({ postMessage: { versionId: this.#versionId, data } }).catch(() => {});
  }
  static override isInstance(value: unknown): value is ServiceWorker {
    return typeof value === "object" && value !== null && #versionId in value;
  }
  // Returns whether that is a change; the caller fires statechange when the whole registration is up to date.
  static setState(worker: ServiceWorker, state: string): boolean {
    if (worker.#state === state || worker.#state === "redundant") return false;
    worker.#state = state;
    return true;
  }
  static versionOf(worker: ServiceWorker): number {
    return worker.#versionId;
  }
}
defineEventHandlers(ServiceWorker.prototype, ["statechange", "error"], ServiceWorker.isInstance);
defineInterface(ServiceWorker, { name: "ServiceWorker", operations: { postMessage: [any, any.optional()] } });

const workers = new Map<number, ServiceWorker>();
export function workerObject(info: WorkerInfo): ServiceWorker {
  let worker = workers.get(info.versionId);
  if (!worker) workers.set(info.versionId, worker = new ServiceWorker(info));
  return worker;
}
export function knownWorker(versionId: number): ServiceWorker | null {
  return workers.get(versionId) ?? null;
}
export function versionGone(versionId: number): void {
  const worker = workers.get(versionId);
  if (worker && ServiceWorker.setState(worker, "redundant")) fireSimple(worker, "statechange");
  workers.delete(versionId);
}

export class ServiceWorkerRegistration extends EventTarget {
  #id: number;
  #scope: string;
  #updateViaCache = "imports";
  #installing: ServiceWorker | null = null;
  #waiting: ServiceWorker | null = null;
  #active: ServiceWorker | null = null;
  #unregistered = false;
  #sync: SyncManager | null = null;
  #periodicSync: PeriodicSyncManager | null = null;
  #pushManager: PushManager | null = null;
  #cookies: CookieStoreManager | null = null;
  #navigationPreload: NavigationPreloadManager | null = null;
  constructor(info: RegistrationInfo) {
    super();
    this.#id = info.id;
    this.#scope = info.scope;
  }
  get installing(): ServiceWorker | null {
    return this.#installing;
  }
  get waiting(): ServiceWorker | null {
    return this.#waiting;
  }
  get active(): ServiceWorker | null {
    return this.#active;
  }
  get navigationPreload(): NavigationPreloadManager {
    return (this.#navigationPreload ??= new NavigationPreloadManager(this.#id));
  }
  get scope(): string {
    return this.#scope;
  }
  get updateViaCache(): string {
    return this.#updateViaCache;
  }
  async update(): Promise<ServiceWorkerRegistration> {
    if (this.#unregistered) {
      const newest = this.#installing ?? this.#waiting ?? this.#active;
      const doing = `Failed to update a ServiceWorker for scope ('${this.#scope}') with script`;
      if (newest) throw new TypeError(`${doing} ('${newest.scriptURL}'): Not found`);
      throw new DOMException(`${doing} ('Unknown'): The object is in an invalid state.`, "InvalidStateError");
    }
    const reply = await job(port.request({ registrationId: this.#id, registrationUpdate: {} }));
    return reply.registration ? registrationChanged(reply.registration) : this;
  }
  async unregister(): Promise<boolean> {
    const reply = await port.request({ registrationId: this.#id, registrationUnregister: {} });
    return reply.flag?.value ?? false;
  }
  get sync(): SyncManager {
    return (this.#sync ??= new SyncManager(this.#target()));
  }
  get periodicSync(): PeriodicSyncManager {
    return (this.#periodicSync ??= new PeriodicSyncManager(this.#target()));
  }
  get pushManager(): PushManager {
    return (this.#pushManager ??= new PushManager(this.#target()));
  }
  get cookies(): CookieStoreManager {
    return (this.#cookies ??= new CookieStoreManager(this.#target(), this.#scope));
  }
  #target(): SyncTarget {
    const isActive = () => this.#active !== null;
    const isGone = () => this.#unregistered;
    return {
      id: this.#id,
      get hasActiveWorker() {
        return isActive();
      },
      get unregistered() {
        return isGone();
      },
    };
  }
  showNotification(title: string, options: Dictionary): Promise<void> {
    if (!this.#active) {
      throw new TypeError(
        "Failed to execute 'showNotification' on 'ServiceWorkerRegistration': No active registration available on the ServiceWorkerRegistration.",
      );
    }
    const message = Notification.encode(title, options);
    return port.request({ registrationId: this.#id, showNotification: message }).then(() => {});
  }
  getNotifications(filter: Dictionary): Promise<Notification[]> {
    const tag = member(filter, "GetNotificationOptions", "tag", DOMString, "");
    return port
      .request({ registrationId: this.#id, getNotifications: { tag } })
      .then((reply) => (reply.notifications?.notifications ?? []).map((each) => Notification.decode(each)));
  }
  static override isInstance(value: unknown): value is ServiceWorkerRegistration {
    return typeof value === "object" && value !== null && #scope in value;
  }
  // Takes the new state in; events are fired when everything is in place.
  static bringUpToDate(registration: ServiceWorkerRegistration, info: RegistrationInfo): void {
    const before = registration.#installing;
    const changed: ServiceWorker[] = [];
    const slot = (worker: WorkerInfo | undefined): ServiceWorker | null => {
      if (!worker || worker.versionId === 0) return null;
      const object = workerObject(worker);
      if (ServiceWorker.setState(object, worker.state)) changed.push(object);
      return object;
    };
    registration.#installing = slot(info.installing);
    registration.#waiting = slot(info.waiting);
    registration.#active = slot(info.active);
    registration.#unregistered = info.unregistered;
    registration.#updateViaCache = info.updateViaCache || "imports";
    if (registration.#installing && registration.#installing !== before) {
      afterJobs(() => fireSimple(registration, "updatefound"));
    }
    for (const worker of changed) fireSimple(worker, "statechange");
  }
  static idOf(registration: ServiceWorkerRegistration): number {
    return registration.#id;
  }
  static isUnregistered(registration: ServiceWorkerRegistration): boolean {
    return registration.#unregistered;
  }
}
defineEventHandlers(ServiceWorkerRegistration.prototype, ["updatefound"], ServiceWorkerRegistration.isInstance);
defineInterface(ServiceWorkerRegistration, {
  name: "ServiceWorkerRegistration",
  operations: {
    showNotification: [DOMString, dictionary("NotificationOptions").optional({})],
    getNotifications: [dictionary("GetNotificationOptions").optional({})],
  },
  promises: ["showNotification", "getNotifications"],
});

// Service Workers "Install": a job's promise is resolved before "updatefound" is fired, but the news of the new worker
// can come before the answer to the call that brought it.
let jobs = 0;
const waitingForJobs: (() => void)[] = [];
function afterJobs(task: () => void): void {
  if (jobs > 0) waitingForJobs.push(task);
  else setRuntimeTimer(task, 0);
}
export async function job<T>(answer: Promise<T>): Promise<T> {
  ++jobs;
  try {
    return await answer;
  } finally {
    if (--jobs === 0) for (const task of waitingForJobs.splice(0)) setRuntimeTimer(task, 0);
  }
}

const registrations = new Map<number, ServiceWorkerRegistration>();
export function registrationObject(info: RegistrationInfo): ServiceWorkerRegistration {
  let registration = registrations.get(info.id);
  if (!registration) {
    registration = new ServiceWorkerRegistration(info);
    registrations.set(info.id, registration);
    ServiceWorkerRegistration.bringUpToDate(registration, info);
  }
  return registration;
}
export function forgetRegistrations(): void {
  registrations.clear();
  workers.clear();
}
export function knownRegistrations(): Iterable<ServiceWorkerRegistration> {
  return registrations.values();
}
// A registration of this origin changed.
export function registrationChanged(info: RegistrationInfo): ServiceWorkerRegistration {
  const known = registrations.get(info.id);
  if (!known) return registrationObject(info);
  ServiceWorkerRegistration.bringUpToDate(known, info);
  // Its last worker may stay for its clients, and the object must hear when that one goes, too.
  if (info.unregistered && !info.installing && !info.waiting && !info.active) registrations.delete(info.id);
  return known;
}
