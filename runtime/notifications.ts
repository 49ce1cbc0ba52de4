// Notifications API: Notification and NotificationEvent. Notifications are kept and shown by the daemon.
import type { Notification as NotificationMessage } from "#ipc/vigil.ts";
import { defineEventHandlers } from "./event_handlers.ts";
import { EventTarget, fireSimple } from "./events.ts";
import { ExtendableEvent } from "./extendable.ts";
import { native } from "./native.ts";
import { port } from "./port.ts";
import { deserialize, serialize } from "./structured_clone.ts";
import { parseUrl } from "./url.ts";
import {
  any,
  boolean,
  defineInterface,
  type Dictionary,
  dictionary,
  DOMString,
  enumeration,
  fail,
  instance,
  member,
  requiredMember,
  sequence,
  toDictionary,
  unsignedLongLong,
  USVString,
} from "./webidl.ts";

const dict = "NotificationOptions";
const toDirection = enumeration("NotificationDirection", ["auto", "ltr", "rtl"]);
const toUrl = (value: unknown) => parseUrl(USVString(value))?.href ?? "";
interface Action {
  action: string;
  title: string;
  icon?: string;
}
const toAction = (value: unknown): Action => {
  const given = toDictionary(value, "NotificationAction");
  const action = requiredMember(given, "NotificationAction", "action", DOMString);
  const title = requiredMember(given, "NotificationAction", "title", DOMString);
  const icon = member(given, "NotificationAction", "icon", toUrl, undefined);
  return icon === undefined ? { action, title } : { action, title, icon };
};
const toVibration = (value: unknown): number[] =>
  typeof value === "object" && value !== null ? sequence((each) => Number(each) >>> 0)(value) : [Number(value) >>> 0];

// The options that have no field in the message.
interface Extra {
  dir: string;
  lang: string;
  image: string;
  badge: string;
  vibrate: number[];
  timestamp: number;
  renotify: boolean;
  silent: boolean | null;
  requireInteraction: boolean;
  actions: Action[];
}

function unlessDamaged<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

export class Notification extends EventTarget {
  #message: NotificationMessage;
  #extra: Extra;
  #data: unknown = null;
  constructor(message: NotificationMessage) {
    super();
    this.#message = message;
    // Stored ones may be damaged: what cannot be read is as if it had not been given.
    const stored = unlessDamaged(() => JSON.parse(message.optionsJson || "{}") as Partial<Extra>, {});
    this.#extra = { ...emptyExtra(), ...stored };
    if (message.data.byteLength > 0) this.#data = unlessDamaged(() => deserialize(message.data), null);
  }
  static encode(title: string, options: Dictionary): Omit<NotificationMessage, "shownAtUs"> {
    const silent = member(options, dict, "silent", (value) => (value === null ? null : boolean(value)), null);
    const extra: Extra = {
      dir: member(options, dict, "dir", toDirection, "auto"),
      lang: member(options, dict, "lang", DOMString, ""),
      image: member(options, dict, "image", toUrl, ""),
      badge: member(options, dict, "badge", toUrl, ""),
      vibrate: member(options, dict, "vibrate", toVibration, [] as number[]),
      timestamp: member(options, dict, "timestamp", unsignedLongLong, Math.floor(native.wallNowMs())),
      renotify: member(options, dict, "renotify", boolean, false),
      silent,
      requireInteraction: member(options, dict, "requireInteraction", boolean, false),
      actions: member(options, dict, "actions", sequence(toAction), [] as Action[]),
    };
    const tag = member(options, dict, "tag", DOMString, "");
    if (extra.renotify && tag === "") fail("Notifications which set the renotify flag must specify a non-empty tag.");
    if (silent === true && extra.vibrate.length > 0) fail("Silent notifications must not specify vibration patterns.");
    const data: unknown = options["data"];
    return {
      id: "",
      title,
      body: member(options, dict, "body", DOMString, ""),
      tag,
      icon: member(options, dict, "icon", toUrl, ""),
      optionsJson: JSON.stringify(extra),
      data: data === undefined || data === null ? new Uint8Array() : serialize(data),
    };
  }
  static decode(message: NotificationMessage): Notification {
    return new Notification(message);
  }
  get title(): string {
    return this.#message.title;
  }
  get dir(): string {
    return this.#extra.dir;
  }
  get lang(): string {
    return this.#extra.lang;
  }
  get body(): string {
    return this.#message.body;
  }
  get tag(): string {
    return this.#message.tag;
  }
  get icon(): string {
    return this.#message.icon;
  }
  get image(): string {
    return this.#extra.image;
  }
  get badge(): string {
    return this.#extra.badge;
  }
  get vibrate(): readonly number[] {
    return Object.freeze([...this.#extra.vibrate]);
  }
  get timestamp(): number {
    return this.#extra.timestamp;
  }
  get renotify(): boolean {
    return this.#extra.renotify;
  }
  get silent(): boolean | null {
    return this.#extra.silent;
  }
  get requireInteraction(): boolean {
    return this.#extra.requireInteraction;
  }
  get data(): unknown {
    return this.#data;
  }
  get actions(): readonly Action[] {
    return Object.freeze(this.#extra.actions.map((action) => Object.freeze({ ...action })));
  }
  close(): void {
    void port.request({ closeNotification: { value: this.#message.id } }).catch(() => {});
  }
  static override isInstance(value: unknown): value is Notification {
    return typeof value === "object" && value !== null && #extra in value;
  }
  // Shows one that a page constructed, without a service worker.
  static show(notification: Notification): void {
    const { shownAtUs: _, ...message } = notification.#message;
    port.request({ showNotification: message }).then(
      (reply) => {
        const shown = reply.notifications?.notifications[0];
        if (shown) notification.#message.id = shown.id;
        fireSimple(notification, "show");
      },
      () => fireSimple(notification, "error"),
    );
  }
}
function emptyExtra(): Extra {
  return {
    dir: "auto",
    lang: "",
    image: "",
    badge: "",
    vibrate: [],
    timestamp: 0,
    renotify: false,
    silent: null,
    requireInteraction: false,
    actions: [],
  };
}
defineEventHandlers(Notification.prototype, ["click", "show", "error", "close"], Notification.isInstance);

const permissionNames: Record<string, string> = { granted: "granted", denied: "denied", prompt: "default" };
function permission(state: string | undefined): string {
  return permissionNames[state ?? "prompt"] ?? "default";
}
const query = { permissionQuery: { name: "notifications" } };

// A page constructs notifications and asks for the permission; a service worker can only read the permission.
class PageNotification extends Notification {
  constructor(title: string, options: Dictionary) {
    super({ ...Notification.encode(title, options), shownAtUs: 0 });
    if (this.actions.length > 0) {
      fail(
        "Actions are only supported for persistent notifications shown using ServiceWorkerRegistration.showNotification().",
      );
    }
    Notification.show(this);
  }
}

class WorkerNotification extends Notification {
  constructor() {
    super({ id: "", title: "", body: "", tag: "", icon: "", optionsJson: "", data: new Uint8Array(), shownAtUs: 0 });
    fail("Illegal constructor.");
  }
}

export function installNotifications(scope: "service-worker" | "page"): void {
  const exposed = defineInterface(Notification, {
    name: "Notification",
    constructorArguments: [DOMString, dictionary(dict).optional({})],
    construct: scope === "page" ? PageNotification : WorkerNotification,
  });
  const { get } = Object.getOwnPropertyDescriptor(
    {
      get permission() {
        try {
          return permission(port.requestSync(query).permission?.state);
        } catch {
          return "denied";
        }
      },
    },
    "permission",
  )!;
  Object.defineProperty(exposed, "permission", { get, enumerable: true, configurable: true });
  Object.defineProperty(exposed, "maxActions", { get: () => 2, enumerable: true, configurable: true });
  if (scope !== "page") return;
  const { requestPermission } = {
    async requestPermission(callback: unknown = undefined): Promise<string> {
      const { permission: answer } = await port.request(query);
      const state = permission(answer?.state);
      if (typeof callback === "function") Reflect.apply(callback as () => void, undefined, [state]);
      return state;
    },
  };
  Object.defineProperty(exposed, "requestPermission", {
    value: requestPermission,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

export class NotificationEvent extends ExtendableEvent {
  #notification: Notification;
  #action: string;
  #reply: string | null;
  constructor(type: string, init: Dictionary) {
    super(type, init);
    const name = "NotificationEventInit";
    this.#notification = requiredMember(init, name, "notification", instance("Notification", () => Notification, "Failed to convert value to 'Notification'."));
    this.#action = member(init, name, "action", DOMString, "");
    this.#reply = member(init, name, "reply", any, null) as string | null;
  }
  get notification(): Notification {
    return this.#notification;
  }
  get action(): string {
    return this.#action;
  }
  get reply(): string | null {
    return this.#reply;
  }
  static override isInstance(value: unknown): value is NotificationEvent {
    return typeof value === "object" && value !== null && #notification in value;
  }
}
defineInterface(NotificationEvent, {
  name: "NotificationEvent",
  constructorArguments: [DOMString, dictionary("NotificationEventInit")],
  exposed: "service-worker",
});
