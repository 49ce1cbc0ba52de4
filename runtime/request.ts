// Fetch §5.4: Request.
import { HttpRequest } from "#ipc/storage.ts";
import { AbortSignal } from "./abort.ts";
import { Blob } from "./blob.ts";
import { bodyMethods, BodyState, extractBody } from "./body.ts";
import { decodeHeaders, encodeCombined, Headers, isToken } from "./headers.ts";
import { blobOfUrl } from "./object_urls.ts";
import type { ReadableStream } from "./streams.ts";
import { environment, parseUrl } from "./url.ts";
import {
  any,
  boolean,
  ByteString,
  defineInterface,
  type Dictionary,
  dictionary,
  DOMString,
  enumeration,
  fail,
  member,
  USVString,
} from "./webidl.ts";

const modes = ["same-origin", "no-cors", "cors", "navigate"] as const;
const toMode = enumeration("RequestMode", modes);
const toCredentials = enumeration("RequestCredentials", ["omit", "same-origin", "include"]);
const toCache = enumeration("RequestCache", [
  "default",
  "no-store",
  "reload",
  "no-cache",
  "force-cache",
  "only-if-cached",
]);
const toRedirect = enumeration("RequestRedirect", ["follow", "error", "manual"]);
const toPolicy = enumeration("ReferrerPolicy", [
  "",
  "no-referrer",
  "no-referrer-when-downgrade",
  "same-origin",
  "origin",
  "strict-origin",
  "origin-when-cross-origin",
  "strict-origin-when-cross-origin",
  "unsafe-url",
]);
const toDuplex = enumeration("RequestDuplex", ["half"]);
const toPriority = enumeration("RequestPriority", ["high", "low", "auto"]);

// The plain fields of a request, with the names of the message.
type Fields = Omit<HttpRequest, "headers" | "body">;
const methods = bodyMethods("Request");

function toMethod(method: string): string {
  if (!isToken(method)) fail(`'${method}' is not a valid HTTP method.`);
  const upper = method.toUpperCase();
  if (["CONNECT", "TRACE", "TRACK"].includes(upper)) fail(`'${method}' HTTP method is unsupported.`);
  return ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"].includes(upper) ? upper : method;
}
function toReferrer(value: unknown): string {
  const text = USVString(value);
  if (text === "") return "";
  const url = parseUrl(text);
  if (!url) fail(`Referrer '${text}' is not a valid URL.`);
  if (url.protocol === "about:" && url.pathname === "client") return "about:client";
  return url.origin === environment.origin ? url.href : "about:client";
}

export class Request {
  #fields: Fields;
  #headers: Headers;
  #body: BodyState | null = null;
  #signal: AbortSignal;
  #blob: Blob | null; // of an object URL, which may be revoked later

  constructor(input: unknown, init: Dictionary = {}) {
    const source = Request.isInstance(input) ? input : null;
    this.#fields = source ? { ...source.#fields } : Request.#fieldsOfUrl(USVString(input));
    this.#blob = source ? source.#blob : blobOfUrl(this.#fields.url);
    if (source && hasAny(init) && this.#fields.mode === "navigate") this.#fields.mode = "same-origin";
    if (hasAny(init)) this.#fields.referrer = "about:client";
    if (hasAny(init)) this.#fields.referrerPolicy = "";
    if (source) this.#fields.destination = "";
    const duplex = this.#applyInit(init);
    const signal = init["signal"] === undefined
      ? (source ? source.#signal : null)
      : (init["signal"] as AbortSignal | null);
    if (signal !== null && !AbortSignal.isInstance(signal)) {
      fail("Failed to read the 'signal' property from 'RequestInit': Failed to convert value to 'AbortSignal'.");
    }
    this.#signal = AbortSignal.any(signal ? [signal] : []);
    this.#headers = Headers.withGuard(this.#fields.mode === "no-cors" ? "request-no-cors" : "request");
    if (this.#fields.mode === "no-cors" && !["GET", "HEAD", "POST"].includes(this.#fields.method)) {
      fail(`'${this.#fields.method}' is unsupported in no-cors mode.`);
    }
    if (init["headers"] !== undefined) Headers.fill(this.#headers, init["headers"]);
    else if (source) Headers.appendAll(this.#headers, source.#headers);
    this.#takeBody(source, init, duplex);
  }
  static #fieldsOfUrl(text: string): Fields {
    const url = parseUrl(text);
    if (!url) fail(`Failed to parse URL from ${text}`);
    if (url.username !== "" || url.password !== "") {
      fail(`Request cannot be constructed from a URL that includes credentials: ${text}`);
    }
    return {
      method: "GET",
      url: url.href,
      mode: "cors",
      credentials: "same-origin",
      cache: "default",
      redirect: "follow",
      referrer: "about:client",
      referrerPolicy: "",
      integrity: "",
      keepalive: false,
      destination: "",
    };
  }
  // Returns the member that is no part of the request.
  #applyInit(init: Dictionary): string | null {
    const fields = this.#fields;
    const type = "RequestInit";
    if (init["window"] !== undefined && init["window"] !== null) fail("'window' member must be null.");
    fields.referrer = member(init, type, "referrer", toReferrer, fields.referrer);
    fields.referrerPolicy = member(init, type, "referrerPolicy", toPolicy, fields.referrerPolicy);
    const mode = member(init, type, "mode", toMode, null);
    if (mode === "navigate") {
      fail("Cannot construct a Request with a RequestInit whose mode member is set as 'navigate'.");
    }
    fields.mode = mode ?? fields.mode;
    fields.credentials = member(init, type, "credentials", toCredentials, fields.credentials);
    fields.cache = member(init, type, "cache", toCache, fields.cache);
    if (fields.cache === "only-if-cached" && fields.mode !== "same-origin") {
      fail("'only-if-cached' can be set only with 'same-origin' mode");
    }
    fields.redirect = member(init, type, "redirect", toRedirect, fields.redirect);
    fields.integrity = member(init, type, "integrity", DOMString, fields.integrity);
    fields.keepalive = member(init, type, "keepalive", boolean, fields.keepalive);
    fields.method = toMethod(member(init, type, "method", ByteString, fields.method));
    member(init, type, "priority", toPriority, "auto");
    return member(init, type, "duplex", toDuplex, null);
  }
  #takeBody(source: Request | null, init: Dictionary, duplex: string | null): void {
    const given = init["body"];
    const hasBody = given !== undefined && given !== null;
    if ((hasBody || (given === undefined && source && source.#body)) && ["GET", "HEAD"].includes(this.#fields.method)) {
      fail("Request with GET/HEAD method cannot have body.");
    }
    if (hasBody) {
      const { body, type } = extractBody(given, this.#fields.keepalive);
      if (body.isStream && duplex !== "half") {
        fail("The `duplex` member must be specified for a request with a streaming body");
      }
      this.#body = body;
      if (type !== null && !this.#headers.has("content-type")) this.#headers.append("Content-Type", type);
    } else if (source && source.#body) {
      if (source.#body.unusable) fail("Cannot construct a Request with a Request object that has already been used.");
      this.#body = given === null ? null : source.#body.take();
    }
  }

  get method(): string {
    return this.#fields.method;
  }
  get url(): string {
    return this.#fields.url;
  }
  get headers(): Headers {
    return this.#headers;
  }
  get destination(): string {
    return this.#fields.destination;
  }
  get referrer(): string {
    return this.#fields.referrer;
  }
  get referrerPolicy(): string {
    return this.#fields.referrerPolicy;
  }
  get mode(): string {
    return this.#fields.mode;
  }
  get credentials(): string {
    return this.#fields.credentials;
  }
  get cache(): string {
    return this.#fields.cache;
  }
  get redirect(): string {
    return this.#fields.redirect;
  }
  get integrity(): string {
    return this.#fields.integrity;
  }
  get keepalive(): boolean {
    return this.#fields.keepalive;
  }
  get signal(): AbortSignal {
    return this.#signal;
  }
  get duplex(): string {
    return "half";
  }
  get isHistoryNavigation(): boolean {
    return false;
  }
  // Chromium has it, and tests ask for it; nothing here reloads.
  get isReloadNavigation(): boolean {
    return false;
  }
  get body(): ReadableStream<Uint8Array> | null {
    return this.#body?.stream() ?? null;
  }
  get bodyUsed(): boolean {
    return this.#body?.used ?? false;
  }
  arrayBuffer(): Promise<ArrayBuffer> {
    return methods.arrayBuffer(Request.#owner(this));
  }
  blob(): Promise<Blob> {
    return methods.blob(Request.#owner(this));
  }
  bytes(): Promise<Uint8Array> {
    return methods.bytes(Request.#owner(this));
  }
  formData(): Promise<unknown> {
    return methods.formData(Request.#owner(this));
  }
  json(): Promise<unknown> {
    return methods.json(Request.#owner(this));
  }
  text(): Promise<string> {
    return methods.text(Request.#owner(this));
  }
  clone(): Request {
    if (this.#body?.unusable) fail("Request body is already used");
    const copy = new Request("about:blank");
    copy.#fields = { ...this.#fields };
    copy.#blob = this.#blob;
    copy.#headers = Headers.copyOf(this.#headers);
    copy.#body = this.#body?.clone() ?? null;
    copy.#signal = AbortSignal.any([this.#signal]);
    return copy;
  }

  static #owner(request: Request) {
    return { bodyState: () => request.#body, contentType: () => request.#headers.get("content-type") };
  }
  static isInstance(value: unknown): value is Request {
    return typeof value === "object" && value !== null && #fields in value;
  }
  static blobOf(request: Request): Blob | null {
    return request.#blob;
  }
  static bodyOf(request: Request): BodyState | null {
    return request.#body;
  }
  // The message that stands for this request, without its body and its URL's fragment kept.
  static encode(request: Request): HttpRequest {
    return { ...request.#fields, headers: encodeCombined(request.#headers), body: undefined };
  }
  static decode(http: HttpRequest, guard: "request" | "immutable" = "immutable"): Request {
    const request = new Request("about:blank");
    const {
      method,
      url,
      mode,
      credentials,
      cache,
      redirect,
      referrer,
      referrerPolicy,
      integrity,
      keepalive,
      destination,
    } = http;
    request.#fields = {
      method: method || "GET",
      url,
      mode: mode || "no-cors",
      credentials: credentials || "same-origin",
      cache: cache || "default",
      redirect: redirect || "follow",
      referrer,
      referrerPolicy,
      integrity,
      keepalive,
      destination,
    };
    request.#headers = decodeHeaders(http.headers, guard);
    request.#body = BodyState.decode(http.body);
    return request;
  }
}
function hasAny(init: Dictionary): boolean {
  for (const key in init) if (init[key] !== undefined) return true;
  return false;
}
defineInterface(Request, {
  name: "Request",
  constructorArguments: [any, dictionary("RequestInit").optional({})],
  promises: ["arrayBuffer", "blob", "bytes", "formData", "json", "text"],
});

// RequestInfo → Request.
export function toRequest(input: unknown): Request {
  return Request.isInstance(input) ? input : new Request(input);
}
export const encodeRequest = (request: Request): HttpRequest => Request.encode(request);
export const decodeRequest = (http: HttpRequest): Request => Request.decode(http);
