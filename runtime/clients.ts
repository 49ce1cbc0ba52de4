// Service Workers §4.2–4.3: Client, WindowClient, Clients.
import type { ClientInfo, Reply } from "#ipc/vigil.ts";
import { port } from "./port.ts";
import { serializeMessage, toTransferList } from "./structured_clone.ts";
import { environment, parseUrl } from "./url.ts";
import {
  any,
  boolean,
  defineInterface,
  type Dictionary,
  dictionary,
  DOMString,
  enumeration,
  member,
  USVString,
} from "./webidl.ts";

export class Client {
  #info: ClientInfo;
  constructor(info: ClientInfo) {
    this.#info = info;
  }
  get url(): string {
    return this.#info.url;
  }
  get frameType(): string {
    return this.#info.frameType || "top-level";
  }
  get id(): string {
    return this.#info.id;
  }
  get type(): string {
    return this.#info.type || "window";
  }
  get lifecycleState(): string {
    return "active";
  }
  postMessage(message: unknown, options: unknown = undefined): void {
    const data = serializeMessage(message, toTransferList(options), "leaves");
    void port.request({ postMessage: { clientId: this.#info.id, data } }).catch(() => {});
  }
  static isInstance(value: unknown): value is Client {
    return typeof value === "object" && value !== null && #info in value;
  }
  static infoOf(client: Client): ClientInfo {
    return client.#info;
  }
}
defineInterface(Client, {
  name: "Client",
  operations: { postMessage: [any, any.optional()] },
  exposed: "service-worker",
});

function firstClient(reply: Reply): Client | null {
  const info = reply.clients?.clients[0];
  return info ? clientObject(info) : null;
}

export class WindowClient extends Client {
  #brand = true;
  get visibilityState(): string {
    return Client.infoOf(this).visible ? "visible" : "hidden";
  }
  get focused(): boolean {
    return Client.infoOf(this).focused;
  }
  get ancestorOrigins(): readonly string[] {
    return Object.freeze([]);
  }
  async focus(): Promise<Client | null> {
    return firstClient(await port.request({ clientFocus: { value: this.id } })) ?? this;
  }
  navigate(url: string): Promise<Client | null> {
    const parsed = parseUrl(url);
    if (!parsed) throw new TypeError(`'${url}' is not a valid URL.`);
    return port.request({ clientNavigate: { clientId: this.id, url: parsed.href } }).then(firstClient);
  }
  static override isInstance(value: unknown): value is WindowClient {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
defineInterface(WindowClient, {
  name: "WindowClient",
  operations: { navigate: [USVString] },
  promises: ["navigate"],
  exposed: "service-worker",
});

export function clientObject(info: ClientInfo): Client {
  return info.type === "" || info.type === "window" ? new WindowClient(info) : new Client(info);
}

const toClientType = enumeration("ClientType", ["window", "worker", "sharedworker", "all"]);
export class Clients {
  #brand = true;
  async get(id: string): Promise<Client | undefined> {
    return firstClient(await port.request({ clientsGet: { value: id } })) ?? undefined;
  }
  matchAll(options: Dictionary): Promise<readonly Client[]> {
    const includeUncontrolled = member(options, "ClientQueryOptions", "includeUncontrolled", boolean, false);
    const type = member(options, "ClientQueryOptions", "type", toClientType, "window");
    return port
      .request({ clientsMatchAll: { includeUncontrolled, type } })
      .then((reply) => Object.freeze((reply.clients?.clients ?? []).map(clientObject)));
  }
  openWindow(url: string): Promise<Client | null> {
    const parsed = parseUrl(url);
    if (!parsed) throw new TypeError(`'${url}' is not a valid URL.`);
    return port
      .request({ clientsOpenWindow: { value: parsed.href } })
      .then((reply) => (parsed.origin === environment.origin ? firstClient(reply) : null));
  }
  async claim(): Promise<void> {
    await port.request({ clientsClaim: {} });
  }
  static isInstance(value: unknown): value is Clients {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
defineInterface(Clients, {
  name: "Clients",
  operations: {
    get: [DOMString],
    matchAll: [dictionary("ClientQueryOptions").optional({})],
    openWindow: [USVString],
  },
  promises: ["matchAll", "openWindow"],
  exposed: "service-worker",
});
