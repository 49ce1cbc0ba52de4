// XMLHttpRequest §3: in pages, over the same fetches. Asynchronous only: a synchronous one would stop the page's turn for
// as long as a server likes, and is refused as a network error.
import { AbortController } from "./abort.ts";
import { Blob } from "./blob.ts";
import { DOMException } from "./domexception.ts";
import { TextDecoder } from "./encoding.ts";
import { defineEventHandlers } from "./event_handlers.ts";
import { EventTarget, fire, fireSimple } from "./events.ts";
import { fetchRequest } from "./fetch.ts";
import { Headers, isToken, normalizeValue } from "./headers.ts";
import { ProgressEvent } from "./message_events.ts";
import { Request } from "./request.ts";
import type { Response } from "./response.ts";
import { concatenate } from "./streams.ts";
import { clearRuntimeTimer, setRuntimeTimer } from "./timers.ts";
import { parseUrl } from "./url.ts";
import { any, boolean, ByteString, defineInterface, DOMString, enumeration, nullable, unsignedLong, USVString } from "./webidl.ts";

const progressEvents = ["loadstart", "progress", "abort", "error", "load", "timeout", "loadend"];
class XMLHttpRequestEventTarget extends EventTarget {
  #brand = true;
  static override isInstance(value: unknown): value is XMLHttpRequestEventTarget {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
defineEventHandlers(XMLHttpRequestEventTarget.prototype, progressEvents, XMLHttpRequestEventTarget.isInstance);
defineInterface(XMLHttpRequestEventTarget, { name: "XMLHttpRequestEventTarget", exposed: "page" });
export class XMLHttpRequestUpload extends XMLHttpRequestEventTarget {
  #upload = true;
  static override isInstance(value: unknown): value is XMLHttpRequestUpload {
    return typeof value === "object" && value !== null && #upload in value;
  }
}
defineInterface(XMLHttpRequestUpload, { name: "XMLHttpRequestUpload", exposed: "page" });

const enum State {
  UNSENT = 0,
  OPENED = 1,
  HEADERS_RECEIVED = 2,
  LOADING = 3,
  DONE = 4,
}
const forbiddenMethods = /^(connect|trace|track)$/i;
const toResponseType = enumeration("XMLHttpRequestResponseType", ["", "arraybuffer", "blob", "document", "json", "text"]);

export class XMLHttpRequest extends XMLHttpRequestEventTarget {
  #state = State.UNSENT;
  #method = "GET";
  #url = "";
  #headers: [string, string][] = [];
  #sent = false;
  #withCredentials = false;
  #timeout = 0;
  #timer = 0;
  #responseType = "";
  #mimeType: string | null = null;
  #upload = new XMLHttpRequestUpload();
  #controller: AbortController | null = null;
  #response: Response | null = null;
  #bytes = new Uint8Array();
  #object: unknown = undefined; // made from the bytes, once

  get readyState(): number {
    return this.#state;
  }
  get upload(): XMLHttpRequestUpload {
    return this.#upload;
  }
  get withCredentials(): boolean {
    return this.#withCredentials;
  }
  set withCredentials(value: boolean) {
    if (this.#state > State.OPENED || this.#sent) throw stateError("The object's state must be UNSENT or OPENED.");
    this.#withCredentials = value;
  }
  get timeout(): number {
    return this.#timeout;
  }
  set timeout(value: number) {
    this.#timeout = value;
  }
  get responseType(): string {
    return this.#responseType;
  }
  set responseType(value: string) {
    if (this.#state >= State.LOADING) throw stateError("The response type cannot be set if the object's state is LOADING or DONE.");
    this.#responseType = value;
  }
  get status(): number {
    return this.#response?.status ?? 0;
  }
  get statusText(): string {
    return this.#response?.statusText ?? "";
  }
  get responseURL(): string {
    return this.#response?.url.split("#")[0] ?? "";
  }

  open(method: string, url: string, async: boolean, user: string | null, password: string | null): void {
    if (!isToken(method)) throw new DOMException(`'${method}' is not a valid HTTP method.`, "SyntaxError");
    if (forbiddenMethods.test(method)) {
      throw new DOMException(`'${method}' HTTP method is unsupported.`, "SecurityError");
    }
    const parsed = parseUrl(url);
    if (!parsed) throw new DOMException(`Invalid URL`, "SyntaxError");
    if (user !== null) parsed.username = user;
    if (password !== null) parsed.password = password;
    if (!async) {
      throw new DOMException("Synchronous requests are not available in a headless page.", "InvalidAccessError");
    }
    this.#end();
    this.#method = /^(delete|get|head|options|post|put)$/i.test(method) ? method.toUpperCase() : method;
    this.#url = parsed.href;
    this.#headers = [];
    this.#forget();
    if (this.#state !== State.OPENED) this.#enter(State.OPENED);
  }
  setRequestHeader(name: string, value: string): void {
    if (this.#state !== State.OPENED || this.#sent) throw stateError("The object's state must be OPENED.");
    const normalized = normalizeValue(value);
    if (!isToken(name) || /[\0\r\n]/.test(normalized)) {
      throw new DOMException(`'${name}' is not a valid HTTP header field.`, "SyntaxError");
    }
    this.#headers.push([name, normalized]);
  }
  send(body: unknown): void {
    if (this.#state !== State.OPENED || this.#sent) throw stateError("The object's state must be OPENED.");
    const controller = (this.#controller = new AbortController());
    const withBody = this.#method !== "GET" && this.#method !== "HEAD" && body !== null && body !== undefined;
    const request = new Request(this.#url, {
      method: this.#method,
      body: withBody ? body : undefined,
      credentials: this.#withCredentials ? "include" : "same-origin",
      signal: controller.signal,
    });
    const headers = request.headers;
    const given = new Headers();
    for (const [name, value] of this.#headers) given.append(name, value);
    for (const name of namesOf(given)) headers.set(name, given.get(name)!);
    this.#sent = true;
    this.#progress(this, "loadstart", 0, 0);
    if (withBody) this.#progress(this.#upload, "loadstart", 0, 0);
    if (this.#timeout > 0) this.#timer = setRuntimeTimer(() => this.#fail("timeout"), this.#timeout);
    void this.#run(request, controller, withBody);
  }
  async #run(request: Request, controller: AbortController, withBody: boolean): Promise<void> {
    const isCurrent = () => this.#controller === controller;
    try {
      const response = await fetchRequest(request);
      if (!isCurrent()) return;
      if (withBody) for (const type of ["load", "loadend"]) this.#progress(this.#upload, type, 0, 0);
      this.#response = response;
      this.#enter(State.HEADERS_RECEIVED);
      const total = Number(response.headers.get("content-length") ?? 0) || 0;
      const chunks: Uint8Array<ArrayBuffer>[] = [];
      let loaded = 0;
      const reader = response.body?.getReader();
      for (;;) {
        const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
        if (!isCurrent()) return;
        if (done) break;
        chunks.push(value as Uint8Array<ArrayBuffer>);
        loaded += (value as Uint8Array).byteLength;
        this.#bytes = concatenate(chunks);
        this.#enter(State.LOADING);
        if (isCurrent()) this.#progress(this, "progress", loaded, total);
      }
      if (isCurrent()) this.#finish(loaded, total);
    } catch {
      if (isCurrent()) this.#fail("error");
    }
  }
  #finish(loaded: number, total: number): void {
    this.#stopTimer();
    this.#controller = null;
    this.#sent = false;
    this.#enter(State.DONE);
    this.#progress(this, "load", loaded, total);
    this.#progress(this, "loadend", loaded, total);
  }
  // "Request error steps".
  #fail(type: "error" | "abort" | "timeout"): void {
    const controller = this.#controller;
    this.#stopTimer();
    this.#controller = null;
    controller?.abort();
    this.#state = State.DONE;
    this.#sent = false;
    this.#forget();
    fireSimple(this, "readystatechange");
    for (const target of [this.#upload, this]) {
      this.#progress(target, type, 0, 0);
      this.#progress(target, "loadend", 0, 0);
    }
  }
  abort(): void {
    if ((this.#state === State.OPENED && this.#sent) || this.#state === State.HEADERS_RECEIVED || this.#state === State.LOADING) {
      this.#fail("abort");
    }
    if (this.#state === State.DONE) {
      this.#state = State.UNSENT;
      this.#forget();
    }
  }
  // Without an event: another request takes its place.
  #end(): void {
    this.#stopTimer();
    const controller = this.#controller;
    this.#controller = null;
    this.#sent = false;
    controller?.abort();
  }
  #stopTimer(): void {
    if (this.#timer) clearRuntimeTimer(this.#timer);
    this.#timer = 0;
  }
  #forget(): void {
    this.#response = null;
    this.#bytes = new Uint8Array();
    this.#object = undefined;
  }
  #enter(state: State): void {
    this.#state = state;
    fireSimple(this, "readystatechange");
  }
  #progress(target: EventTarget, type: string, loaded: number, total: number): void {
    fire(target, new ProgressEvent(type, { lengthComputable: total > 0, loaded, total }));
  }

  getResponseHeader(name: string): string | null {
    return this.#response?.headers.get(name) ?? null;
  }
  getAllResponseHeaders(): string {
    const headers = this.#response?.headers;
    return headers ? namesOf(headers).map((name) => `${name}: ${headers.get(name)!}\r\n`).join("") : "";
  }
  overrideMimeType(mime: string): void {
    if (this.#state >= State.LOADING) throw stateError("MimeType cannot be overridden when the state is LOADING or DONE.");
    this.#mimeType = mime;
  }
  get #contentType(): string {
    return this.#mimeType ?? this.#response?.headers.get("content-type") ?? "";
  }
  #text(): string {
    const charset = /;\s*charset="?([^";\s]+)/i.exec(this.#contentType)?.[1] ?? "utf-8";
    try {
      return new TextDecoder(charset).decode(this.#bytes, {});
    } catch {
      return new TextDecoder().decode(this.#bytes, {});
    }
  }
  get responseText(): string {
    if (this.#responseType !== "" && this.#responseType !== "text") {
      throw stateError(`The value is only accessible if the object's 'responseType' is '' or 'text' (was '${this.#responseType}').`);
    }
    return this.#state >= State.LOADING ? this.#text() : "";
  }
  get responseXML(): null {
    return null;
  }
  get response(): unknown {
    if (this.#responseType === "" || this.#responseType === "text") return this.responseText;
    if (this.#state !== State.DONE || !this.#response) return null;
    return (this.#object ??= this.#makeObject());
  }
  #makeObject(): unknown {
    if (this.#responseType === "arraybuffer") return this.#bytes.slice().buffer;
    if (this.#responseType === "blob") return Blob.over(this.#bytes, this.#contentType.toLowerCase());
    if (this.#responseType === "document") return null;
    try {
      return JSON.parse(new TextDecoder().decode(this.#bytes, {}));
    } catch {
      return null;
    }
  }
  static override isInstance(value: unknown): value is XMLHttpRequest {
    return typeof value === "object" && value !== null && #method in value;
  }
}
function namesOf(headers: Headers): string[] {
  return [...new Set(Headers.listOf(headers).map(([name]) => name.toLowerCase()))].sort();
}
function stateError(message: string): DOMException {
  return new DOMException(message, "InvalidStateError");
}
defineEventHandlers(XMLHttpRequest.prototype, ["readystatechange"], XMLHttpRequest.isInstance);
defineInterface(XMLHttpRequest, {
  name: "XMLHttpRequest",
  exposed: "page",
  constructorArguments: [],
  operations: {
    open: [ByteString, USVString, boolean.optional(true), nullable(USVString).optional(null), nullable(USVString).optional(null)],
    setRequestHeader: [ByteString, ByteString],
    send: [any.optional(null)],
    getResponseHeader: [ByteString],
    overrideMimeType: [DOMString],
  },
  setters: { withCredentials: boolean, timeout: unsignedLong, responseType: toResponseType },
  constants: { UNSENT: 0, OPENED: 1, HEADERS_RECEIVED: 2, LOADING: 3, DONE: 4 },
});
