// WebSockets: WebSocket. The daemon connects, frames and closes; here are states, events and what waits to be sent.
import type { WebSocketEvent } from "#ipc/vigil.ts";
import { Blob } from "./blob.ts";
import { print } from "./console.ts";
import { DOMException } from "./domexception.ts";
import { defineEventHandlers } from "./event_handlers.ts";
import { EventTarget, fire, fireSimple } from "./events.ts";
import { CloseEvent, MessageEvent } from "./message_events.ts";
import { native } from "./native.ts";
import { type Notice, port } from "./port.ts";
import { environment, parseUrl, type URL } from "./url.ts";
import {
  any,
  bytesOf,
  converter,
  defineInterface,
  DOMString,
  isBufferSource,
  sequence,
  unsignedShort,
  USVString,
} from "./webidl.ts";

const enum State {
  Connecting,
  Open,
  Closing,
  Closed,
}
// What the daemon may hold unsent before it is given the next message (its own bound: src/host/web_sockets.h).
const sendWindow = 1024 * 1024;
// A message larger than this cannot be sent in one piece (src/net/websocket.h).
const maxMessage = 32 * 1024 * 1024;

const sockets = new Map<number, WebSocket>();
let lastSocket = 0;

interface Outgoing {
  text: boolean;
  data: Uint8Array;
}

// "Create a WebSocket", section 3.1, the address.
function cannotConstruct(why: string, name = "SyntaxError"): DOMException {
  return new DOMException(`Failed to construct 'WebSocket': ${why}`, name);
}
function parseAddress(url: string): URL {
  const parsed = parseUrl(url);
  if (!parsed) throw cannotConstruct(`The URL '${url}' is invalid.`);
  if (parsed.protocol === "http:") parsed.protocol = "ws:";
  else if (parsed.protocol === "https:") parsed.protocol = "wss:";
  if (parsed.protocol !== "ws:" && parsed.protocol !== "wss:") {
    const scheme = parsed.protocol.slice(0, -1);
    throw cannotConstruct(
      `The URL's scheme must be either 'http', 'https', 'ws', or 'wss'. '${scheme}' is not allowed.`,
    );
  }
  if (parsed.hash || parsed.href.endsWith("#")) {
    throw cannotConstruct(
      `The URL contains a fragment identifier ('${parsed.hash.slice(1)}'). Fragment identifiers are not allowed in ` +
        "WebSocket URLs.",
    );
  }
  return parsed;
}
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
function checkProtocols(protocols: string[]): void {
  const seen = new Set<string>();
  for (const protocol of protocols) {
    if (!token.test(protocol)) throw cannotConstruct(`The subprotocol '${protocol}' is invalid.`);
    const lower = protocol.toLowerCase();
    if (seen.has(lower)) throw cannotConstruct(`The subprotocol '${protocol}' is duplicated.`);
    seen.add(lower);
  }
}
// Mixed content: a secure page must not talk in the clear, but to its own machine.
function checkMixedContent(url: URL): void {
  if (url.protocol === "wss:" || !environment.url.startsWith("https:")) return;
  if (/^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)) return;
  throw cannotConstruct(
    "An insecure WebSocket connection may not be initiated from a page loaded over HTTPS.",
    "SecurityError",
  );
}

type Body = NonNullable<Notice["webSocket"]>;
function tell(socket: number, body: Omit<Body, "socket">): void {
  port.notify({ webSocket: { socket, ...body } });
}
function outgoing(data: unknown): Outgoing {
  if (Blob.isInstance(data)) return { text: false, data: Blob.bytesOf(data) };
  // The bytes as they are at this moment: they may wait.
  if (isBufferSource(data)) return { text: false, data: bytesOf(data).slice() };
  return { text: true, data: native.utf8Encode(USVString(data)) };
}

const neverOpen = {
  code: 1006,
  reason: "",
  clean: false,
  error: "WebSocket is closed before the connection is established.",
};

export class WebSocket extends EventTarget {
  #id = 0;
  #url: string;
  #state = State.Connecting;
  #protocol = "";
  #extensions = "";
  #binaryType: "blob" | "arraybuffer" = "blob";
  #queue: Outgoing[] = [];
  #queued = 0; // bytes in #queue
  #unsent = 0; // bytes that the daemon has and that have not left
  #lost = 0; // bytes that were given to send() when nothing could be sent any more
  #closing: { code: number; reason: string } | null = null; // to be asked for when #queue is empty
  #closedEarly = false; // before it was open

  constructor(url: string, protocols: string[]) {
    super();
    const parsed = parseAddress(url);
    checkProtocols(protocols);
    checkMixedContent(parsed);
    this.#url = parsed.href;
    this.#id = ++lastSocket;
    sockets.set(this.#id, this);
    this.#tell({ open: { url: this.#url, protocols } });
  }
  get url(): string {
    return this.#url;
  }
  get readyState(): number {
    return this.#state;
  }
  get bufferedAmount(): number {
    return this.#queued + this.#unsent + this.#lost;
  }
  get extensions(): string {
    return this.#extensions;
  }
  get protocol(): string {
    return this.#protocol;
  }
  get binaryType(): string {
    return this.#binaryType;
  }
  // A value that is no member of the enumeration changes nothing (Web IDL, attribute setters).
  set binaryType(value: string) {
    const kind = `${value}`;
    if (kind === "blob" || kind === "arraybuffer") this.#binaryType = kind;
  }
  close(code: number | undefined, reason: string | undefined): void {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
      throw new DOMException(
        "Failed to execute 'close' on 'WebSocket': The close code must be either 1000, or between 3000 and 4999. " +
          `${code} is neither.`,
        "InvalidAccessError",
      );
    }
    if (reason !== undefined && native.utf8Encode(reason).byteLength > 123) {
      throw new DOMException(
        "Failed to execute 'close' on 'WebSocket': The close reason must not be greater than 123 UTF-8 bytes.",
        "SyntaxError",
      );
    }
    if (this.#state >= State.Closing) return;
    const wasOpen = this.#state === State.Open;
    this.#state = State.Closing;
    // A reason cannot travel without a code.
    this.#closing = { code: code ?? (reason === undefined ? 0 : 1000), reason: reason ?? "" };
    if (wasOpen) {
      this.#pump();
    } else {
      this.#closedEarly = true;
      this.#tell({ close: this.#closing });
    }
  }
  send(data: unknown): void {
    if (this.#state === State.Connecting) {
      throw new DOMException(
        "Failed to execute 'send' on 'WebSocket': Still in CONNECTING state.",
        "InvalidStateError",
      );
    }
    const message = outgoing(data);
    if (this.#state !== State.Open) {
      print("error", "WebSocket is already in CLOSING or CLOSED state.", "");
      this.#lost += message.data.byteLength;
      return;
    }
    if (message.data.byteLength > maxMessage) {
      this.#lost += message.data.byteLength;
      this.#state = State.Closing;
      this.#tell({ close: { code: 1000, reason: "" } });
      return;
    }
    this.#queue.push(message);
    this.#queued += message.data.byteLength;
    this.#pump();
  }

  #tell(body: Omit<Body, "socket">): void {
    tell(this.#id, body);
  }
  #pump(): void {
    while (this.#queue.length > 0 && this.#unsent < sendWindow) {
      const { text, data } = this.#queue.shift()!;
      this.#queued -= data.byteLength;
      this.#unsent += data.byteLength;
      this.#tell({ message: { text, data } });
    }
    if (this.#closing && this.#queue.length === 0) {
      this.#tell({ close: this.#closing });
      this.#closing = null;
    }
  }
  #opened(protocol: string, extensions: string): void {
    if (this.#state !== State.Connecting) return;
    this.#state = State.Open;
    this.#protocol = protocol;
    this.#extensions = extensions;
    fireSimple(this, "open");
  }
  #received(text: boolean, bytes: Uint8Array<ArrayBuffer>): void {
    this.#tell({ grant: bytes.byteLength });
    if (this.#state !== State.Open) return;
    const data = text
      ? native.utf8Decode(bytes, false, true)
      : this.#binaryType === "blob"
      ? Blob.over(bytes, "")
      : bytes.slice().buffer;
    fire(this, new MessageEvent("message", { data, origin: parseUrl(this.#url)!.origin }));
  }
  #ended(end: NonNullable<WebSocketEvent["ended"]>): void {
    // Whatever the connection had become when the daemon heard of it: to the script it was never made.
    const { code, reason, clean, error } = this.#closedEarly ? neverOpen : end;
    sockets.delete(this.#id);
    this.#state = State.Closed;
    this.#lost += this.#queued;
    this.#queue = [];
    this.#queued = 0;
    if (error) {
      print("error", `WebSocket connection to '${this.#url}' failed: ${error}`, "");
      fireSimple(this, "error");
    }
    fire(this, new CloseEvent("close", { wasClean: clean, code, reason }));
  }
  static receive({ socket, opened, message, sent, ended }: WebSocketEvent): void {
    const target = sockets.get(socket);
    if (!target) return;
    if (opened) target.#opened(opened.protocol, opened.extensions);
    if (message) target.#received(message.text, message.data as Uint8Array<ArrayBuffer>);
    if (sent !== undefined) {
      target.#unsent -= sent;
      target.#pump();
    }
    if (ended) target.#ended(ended);
  }
  static override isInstance(value: unknown): value is WebSocket {
    return typeof value === "object" && value !== null && #unsent in value;
  }
}

// (DOMString or sequence<DOMString>)
const protocolList = converter((value): string[] => {
  const isList = typeof value === "object" && value !== null && Symbol.iterator in value;
  return isList ? sequence(DOMString)(value) : [DOMString(value)];
});
defineEventHandlers(WebSocket.prototype, ["open", "error", "close", "message"], WebSocket.isInstance);
defineInterface(WebSocket, {
  name: "WebSocket",
  constructorArguments: [USVString, protocolList.optional([])],
  operations: { close: [unsignedShort.clamp.optional(), USVString.optional()], send: [any] },
  constants: {
    CONNECTING: State.Connecting,
    OPEN: State.Open,
    CLOSING: State.Closing,
    CLOSED: State.Closed,
  },
});

export function installWebSockets(): void {
  port.on("webSocket", WebSocket.receive);
}
