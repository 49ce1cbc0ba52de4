// Service Workers §4.1: ServiceWorkerGlobalScope, and how the daemon's events reach it.
import type { Event as EventMessage } from "#ipc/vigil.ts";
import { SyncEvent } from "./background_sync.ts";
import { Client, clientObject, Clients } from "./clients.ts";
import { tell } from "./console.ts";
import { cookieChangeEvent, theCookieStore } from "./cookie_store.ts";
import { evaluate } from "./evaluate.ts";
import { defineEventHandlers } from "./event_handlers.ts";
import { EventTarget, listenerTypes } from "./events.ts";
import { ExtendableEvent, ExtendableMessageEvent, InstallEvent, runFunctionalEvent, setMessageSenders } from "./extendable.ts";
import { receivePreload, runFetchEvent } from "./fetch_event.ts";
import { describe } from "./inspect.ts";
import { WorkerLocation } from "./location.ts";
import { native, type StartMessage } from "./native.ts";
import { WorkerNavigator } from "./navigator.ts";
import { Notification, NotificationEvent } from "./notifications.ts";
import { PeriodicSyncEvent } from "./periodic_sync.ts";
import { PushEvent } from "./push.ts";
import { port } from "./port.ts";
import { defineFunctions, defineGetter, defineLazy } from "./global_members.ts";
import { installScopeMembers } from "./scope_members.ts";
import { importScripts, resolveModule, resolveModuleUrl, setScripts } from "./scripts.ts";
import { startSecurityPolicy } from "./security_policy.ts";
import {
  registrationChanged,
  registrationObject,
  ServiceWorker,
  type ServiceWorkerRegistration,
  versionGone,
  workerObject,
} from "./service_worker.ts";
import { deserializeMessage } from "./structured_clone.ts";
import { setRuntimeTimer } from "./timers.ts";
import { environment } from "./url.ts";
import { defineInterface } from "./webidl.ts";

const isGlobal = (value: unknown): boolean => value === globalThis;
class WorkerGlobalScope extends EventTarget {
  static override isInstance(value: unknown): value is WorkerGlobalScope {
    return isGlobal(value);
  }
}
class ServiceWorkerGlobalScope extends WorkerGlobalScope {
  static override isInstance(value: unknown): value is ServiceWorkerGlobalScope {
    return isGlobal(value);
  }
}

// What start() brings.
const self: { registration: ServiceWorkerRegistration | null; worker: ServiceWorker | null; module: boolean } = {
  registration: null,
  worker: null,
  module: false,
};

const eventHandlers = [
  "activate",
  "fetch",
  "install",
  "message",
  "messageerror",
  "sync",
  "periodicsync",
  "notificationclick",
  "notificationclose",
  "cookiechange",
  "push",
  "pushsubscriptionchange",
];

export function installWorkerScope(global: object): void {
  const prototype = Object.getPrototypeOf(global) as object;
  const shared = Object.getPrototypeOf(prototype) as object;
  const exposed = "service-worker";
  defineInterface(WorkerGlobalScope, { name: "WorkerGlobalScope", exposed, prototype: shared });
  defineInterface(ServiceWorkerGlobalScope, { name: "ServiceWorkerGlobalScope", exposed, prototype });
  installScopeMembers(shared, "WorkerGlobalScope");
  defineEventHandlers(shared, [
    "error",
    "languagechange",
    "rejectionhandled",
    "unhandledrejection",
    "online",
    "offline",
  ], isGlobal);
  defineGetter(shared, "self", () => globalThis);
  defineLazy(shared, "location", () => new WorkerLocation(environment.url));
  defineLazy(shared, "navigator", () => new WorkerNavigator());
  defineFunctions(shared, {
    importScripts(...urls: unknown[]): void {
      if (self.module) {
        throw new TypeError(
          "Failed to execute 'importScripts' on 'WorkerGlobalScope': Module scripts don't support importScripts().",
        );
      }
      importScripts(urls);
    },
  });
  setMessageSenders((value) => Client.isInstance(value) || ServiceWorker.isInstance(value));
  defineLazy(global, "cookieStore", theCookieStore);
  defineLazy(global, "clients", () => new Clients());
  defineGetter(global, "registration", () => self.registration);
  defineGetter(global, "serviceWorker", () => self.worker);
  defineEventHandlers(global, eventHandlers, isGlobal);
  defineFunctions(global, {
    async skipWaiting(): Promise<void> {
      await port.request({ skipWaiting: {} });
    },
  });
}

export function startWorkerScope(start: StartMessage): void {
  const given = start.serviceWorker!;
  // None: it was unregistered, but its worker is still needed.
  self.registration = given.registration ? registrationObject(given.registration) : null;
  self.worker = workerObject({ versionId: given.versionId, scriptUrl: start.url, state: given.versionState });
  self.module = given.module;
  setScripts(given.scripts, () => ["parsed", "installing"].includes(self.worker!.state));
  port.on("event", dispatch);
  port.on("registration", (info) => void registrationChanged(info));
  port.on("versionGone", versionGone);
  port.on("preloadResponse", receivePreload);
  startSecurityPolicy(given.eval, given.wasm);
  port.on("evaluate", (request) => void evaluate(request));
  const main = given.scripts[0];
  // In a task of its own: what the script's microtasks do, such as adding listeners, belongs to its first run.
  const finish = (failure: { error: unknown } | null) => void setRuntimeTimer(() => started(failure), 0);
  if (!main) {
    finish({ error: new TypeError("The service worker has no script") });
  } else if (given.module) {
    const source = main.source;
    native.setModuleLoader(resolveModule, resolveModuleUrl, true);
    native.runModule(main.responseUrl || main.url, source).then(
      () => finish(null),
      (error: unknown) => finish({ error }),
    );
  } else {
    let failure: { error: unknown } | null = null;
    try {
      native.runScript(main.source, main.url);
    } catch (error) {
      failure = { error };
    }
    finish(failure);
  }
}
function started(failure: { error: unknown } | null): void {
  const error = failure?.error;
  if (failure !== null) {
    tell("error", `Uncaught ${describe(error)}`, "");
    native.exceptionThrown(error, false);
  }
  port.notify({
    started: {
      ok: failure === null,
      error: failure === null ? "" : describe(error),
      errorName: failure === null ? "" : nameOf(error),
      listeners: listenerTypes(globalThis as unknown as EventTarget),
    },
  });
}
function nameOf(error: unknown): string {
  return typeof error === "object" && error !== null && "name" in error ? String(error.name) : "Error";
}

function dispatch(message: EventMessage): void {
  const { id } = message;
  if (message.fetch) {
    runFetchEvent(id, message.fetch);
    return;
  }
  const event = eventOf(message);
  if (event) runFunctionalEvent(id, event);
  else port.notify({ eventFinished: { eventId: id } });
}
function eventOf(message: EventMessage): ExtendableEvent | null {
  if (message.sync) return new SyncEvent("sync", { tag: message.sync.tag, lastChance: message.sync.lastChance });
  if (message.periodicSync) return new PeriodicSyncEvent("periodicsync", { tag: message.periodicSync.tag });
  if (message.install) return new InstallEvent("install");
  if (message.activate) return new ExtendableEvent("activate");
  if (message.message) return messageEventOf(message.message);
  if (message.cookieChange) return cookieChangeEvent(message.cookieChange);
  if (message.push) return new PushEvent("push", message.push.data ? { data: message.push.data } : {});
  const click = message.notificationClick;
  const shown = click ?? message.notificationClose;
  if (!shown?.notification) return null;
  return new NotificationEvent(click ? "notificationclick" : "notificationclose", {
    notification: Notification.decode(shown.notification),
    action: shown.action,
  });
}
function messageEventOf(message: NonNullable<EventMessage["message"]>): ExtendableEvent {
  const { origin } = message;
  const source = message.sourceClient
    ? clientObject(message.sourceClient)
    : message.sourceWorker
    ? workerObject(message.sourceWorker)
    : null;
  try {
    const { value: data, ports } = deserializeMessage(message.data);
    return ExtendableMessageEvent.carrying(new ExtendableMessageEvent("message", { origin, source, ports }), data);
  } catch {
    return new ExtendableMessageEvent("messageerror", { origin, source });
  }
}
