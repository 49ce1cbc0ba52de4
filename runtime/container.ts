// Service Workers §3.4: ServiceWorkerContainer, a page's navigator.serviceWorker.
import type { ControllerChange, Message, PageStart, RegistrationInfo } from "#ipc/vigil.ts";
import { DOMException } from "./domexception.ts";
import { defineEventHandlers, getHandler, setHandler } from "./event_handlers.ts";
import { EventTarget, fire, fireSimple } from "./events.ts";
import { MessageEvent } from "./message_events.ts";
import { documentUrl } from "./page_location.ts";
import { port } from "./port.ts";
import {
  job,
  knownRegistrations,
  knownWorker,
  registrationChanged,
  registrationObject,
  ServiceWorker,
  ServiceWorkerRegistration,
  versionGone,
  workerObject,
} from "./service_worker.ts";
import { deserializeMessage } from "./structured_clone.ts";
import { parseUrl, URL, withoutFragment } from "./url.ts";
import { defineInterface, type Dictionary, dictionary, enumeration, member, USVString } from "./webidl.ts";

const dict = "RegistrationOptions";
const toType = enumeration("WorkerType", ["classic", "module"]);
const toUpdateViaCache = enumeration("ServiceWorkerUpdateViaCache", ["imports", "all", "none"]);

const isHttp = ({ protocol }: URL) => protocol === "http:" || protocol === "https:";
const hidesSlash = ({ pathname }: URL) => /%2f|%5c/i.test(pathname);
export class ServiceWorkerContainer extends EventTarget {
  #controller: ServiceWorker | null = null;
  #ready: Promise<ServiceWorkerRegistration>;
  #becomeReady!: (registration: ServiceWorkerRegistration) => void;
  #started = false;
  #queue: Message[] = [];

  constructor() {
    super();
    this.#ready = new Promise((resolve) => (this.#becomeReady = resolve));
  }
  get controller(): ServiceWorker | null {
    return this.#controller;
  }
  get ready(): Promise<ServiceWorkerRegistration> {
    return this.#ready;
  }
  register(scriptUrl: string, options: Dictionary): Promise<ServiceWorkerRegistration> {
    const type = member(options, dict, "type", toType, "classic");
    const updateViaCache = member(options, dict, "updateViaCache", toUpdateViaCache, "imports");
    const givenScope = member(options, dict, "scope", USVString, undefined);
    const script = parseUrl(scriptUrl);
    const doing = "Failed to register a ServiceWorker";
    if (!script || !isHttp(script)) {
      throw new TypeError(
        `${doing}: The URL protocol of the script ('${script?.href ?? scriptUrl}') is not supported.`,
      );
    }
    const scope = givenScope === undefined ? null : parseUrl(givenScope);
    if (givenScope !== undefined && (!scope || !isHttp(scope))) {
      throw new TypeError(`${doing}: The URL protocol of the scope ('${scope?.href ?? givenScope}') is not supported.`);
    }
    if (hidesSlash(script) || (scope && hidesSlash(scope))) {
      const shown = scope ?? new URL(".", script.href);
      throw new TypeError(
        `${doing}: The provided scope ('${shown.href}') or scriptURL ('${script.href}') includes a disallowed escape character.`,
      );
    }
    const origin = documentUrl().origin;
    if (script.origin !== origin) {
      throw new DOMException(
        `${doing}: The origin of the provided scriptURL ('${script.origin}') does not match the current origin ('${origin}').`,
        "SecurityError",
      );
    }
    if (scope && scope.origin !== origin) {
      throw new DOMException(
        `${doing}: The origin of the provided scope ('${scope.origin}') does not match the current origin ('${origin}').`,
        "SecurityError",
      );
    }
    const message = {
      scriptUrl: withoutFragment(script.href),
      scope: scope ? withoutFragment(scope.href) : "",
      type,
      updateViaCache,
    };
    return job(port.request({ containerRegister: message })).then((reply) => registrationChanged(reply.registration!));
  }
  getRegistration(url: string): Promise<ServiceWorkerRegistration | undefined> {
    const parsed = parseUrl(url);
    if (!parsed || parsed.origin !== documentUrl().origin) {
      throw new DOMException(
        `Failed to get a ServiceWorkerRegistration: The origin of the provided documentURL ('${
          parsed?.origin ?? "null"
        }') does not match the current origin ('${documentUrl().origin}').`,
        "SecurityError",
      );
    }
    return port.request({ containerGetRegistration: { value: withoutFragment(parsed.href) } }).then((reply) => {
      const info = reply.registrations?.registrations[0];
      return info ? registrationChanged(info) : undefined;
    });
  }
  async getRegistrations(): Promise<readonly ServiceWorkerRegistration[]> {
    const reply = await port.request({ containerGetRegistrations: {} });
    return Object.freeze((reply.registrations?.registrations ?? []).map(registrationChanged));
  }
  startMessages(): void {
    this.#started = true;
    for (const message of this.#queue.splice(0)) this.#deliver(message);
  }
  get onmessage(): object | null {
    return getHandler(this, "message");
  }
  set onmessage(value: unknown) {
    setHandler(this, "message", value);
    this.startMessages();
  }
  #deliver(message: Message): void {
    const source = message.sourceWorker ? workerObject(message.sourceWorker) : null;
    const { origin } = message;
    let event: MessageEvent;
    try {
      const { value: data, ports } = deserializeMessage(message.data);
      event = MessageEvent.carrying(new MessageEvent("message", { origin, source, ports }), data);
    } catch {
      event = new MessageEvent("messageerror", { origin, source });
    }
    fire(this, event);
  }
  static override isInstance(value: unknown): value is ServiceWorkerContainer {
    return typeof value === "object" && value !== null && #ready in value;
  }
  // Attaches the container to the daemon's messages.
  static connect(container: ServiceWorkerContainer, start: PageStart): void {
    if (start.registration) registrationObject(start.registration);
    container.#controller = start.controllerVersionId ? knownWorker(start.controllerVersionId) : null;
    container.#checkReady();
    port.on("registration", (info: RegistrationInfo) => {
      registrationChanged(info);
      container.#checkReady();
    });
    port.on("versionGone", versionGone);
    port.on("controller", (change: ControllerChange) => {
      if (change.registration) registrationChanged(change.registration);
      const controller = change.controllerVersionId ? knownWorker(change.controllerVersionId) : null;
      container.#checkReady();
      if (controller === container.#controller) return;
      container.#controller = controller;
      fireSimple(container, "controllerchange");
    });
    port.on("message", (message) => {
      if (container.#started) container.#deliver(message);
      else container.#queue.push(message);
    });
  }
  // ready: the registration with the longest scope that covers the document, once it has an active worker.
  #checkReady(): void {
    const url = withoutFragment(documentUrl().href);
    let best: ServiceWorkerRegistration | null = null;
    for (const registration of knownRegistrations()) {
      const covers = url.startsWith(registration.scope) && !ServiceWorkerRegistration.isUnregistered(registration);
      if (covers && (!best || registration.scope.length > best.scope.length)) best = registration;
    }
    if (best?.active) this.#becomeReady(best);
  }
}
defineEventHandlers(
  ServiceWorkerContainer.prototype,
  ["controllerchange", "messageerror"],
  ServiceWorkerContainer.isInstance,
);
defineInterface(ServiceWorkerContainer, {
  name: "ServiceWorkerContainer",
  exposed: "page",
  operations: { register: [USVString, dictionary(dict).optional({})], getRegistration: [USVString.optional("")] },
  promises: ["register", "getRegistration", "ready"],
});
