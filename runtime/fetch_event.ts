// Service Workers §4.6: FetchEvent, and the answer of a fetch handler.
import { HttpResponse_Type } from "#ipc/storage.ts";
import { type FetchEvent as FetchEventMessage, FetchResponse_Kind, type PreloadResponse } from "#ipc/vigil.ts";
import { encodeBody } from "./body.ts";
import { print } from "./console.ts";
import { DOMException } from "./domexception.ts";
import { Event } from "./events.ts";
import { ExtendableEvent, runFunctionalEvent } from "./extendable.ts";
import { describe } from "./inspect.ts";
import { port } from "./port.ts";
import { Request } from "./request.ts";
import { decodeResponse, encodeResponse, Response } from "./response.ts";
import {
  any,
  boolean,
  defineInterface,
  type Dictionary,
  dictionary,
  DOMString,
  instance,
  member,
  requiredMember,
} from "./webidl.ts";

type Settle = { resolve(): void; reject(reason: unknown): void };

export class FetchEvent extends ExtendableEvent {
  #request: Request;
  #clientId: string;
  #resultingClientId: string;
  #replacesClientId: string;
  #isReload: boolean;
  #preloadResponse: unknown;
  #handled: Promise<void>;
  #settle: Settle | null = null;
  #response: Promise<unknown> | null = null;
  constructor(type: string, init: Dictionary) {
    super(type, init);
    const dict = "FetchEventInit";
    this.#request = requiredMember(init, dict, "request", instance("Request", () => Request, "Failed to convert value to 'Request'."));
    this.#preloadResponse = member(init, dict, "preloadResponse", any, Promise.resolve(undefined));
    this.#clientId = member(init, dict, "clientId", DOMString, "");
    this.#resultingClientId = member(init, dict, "resultingClientId", DOMString, "");
    this.#replacesClientId = member(init, dict, "replacesClientId", DOMString, "");
    this.#isReload = member(init, dict, "isReload", boolean, false);
    this.#handled = member(init, dict, "handled", any, undefined) as Promise<void>;
    this.#handled ??= new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    void Promise.prototype.catch.call(this.#handled, () => {});
  }
  get request(): Request {
    return this.#request;
  }
  get clientId(): string {
    return this.#clientId;
  }
  get resultingClientId(): string {
    return this.#resultingClientId;
  }
  get replacesClientId(): string {
    return this.#replacesClientId;
  }
  get isReload(): boolean {
    return this.#isReload;
  }
  get preloadResponse(): unknown {
    return this.#preloadResponse;
  }
  get handled(): Promise<void> {
    return this.#handled;
  }
  respondWith(response: unknown): void {
    const prefix = "Failed to execute 'respondWith' on 'FetchEvent'";
    const extension = ExtendableEvent.extensionOf(this);
    if (!Event.stateOf(this).trusted || !extension) {
      throw new DOMException(
        `${prefix}: Can not call respondWith on a script constructed FetchEvent.`,
        "InvalidStateError",
      );
    }
    if (!extension.dispatching) {
      throw new DOMException(`${prefix}: The event handler is already finished.`, "InvalidStateError");
    }
    if (this.#response) {
      throw new DOMException(`${prefix}: respondWith() was already called.`, "InvalidStateError");
    }
    this.stopImmediatePropagation();
    this.#response = Promise.resolve(response);
    extension.add(this.#response.then(() => {}, () => {}));
  }
  static override isInstance(value: unknown): value is FetchEvent {
    return typeof value === "object" && value !== null && #clientId in value;
  }
  static responseOf(event: FetchEvent): Promise<unknown> | null {
    return event.#response;
  }
  static settle(event: FetchEvent, error?: DOMException): void {
    if (error) event.#settle?.reject(error);
    else event.#settle?.resolve();
  }
}
defineInterface(FetchEvent, {
  name: "FetchEvent",
  constructorArguments: [DOMString, dictionary("FetchEventInit")],
  operations: { respondWith: [any] },
  promises: ["handled", "preloadResponse"],
  exposed: "service-worker",
});

// Events whose navigation is also asked for from the network ("Handle Fetch", navigation preload).
const preloads = new Map<number, { give(response: Response): void; fail(reason: unknown): void }>();
function expectPreload(id: number): Promise<Response> {
  const response = new Promise<Response>((give, fail) => preloads.set(id, { give, fail }));
  void Promise.prototype.catch.call(response, () => {});
  return response;
}
export function receivePreload({ eventId, response }: PreloadResponse): void {
  const waiting = preloads.get(eventId);
  preloads.delete(eventId);
  if (!response) return;
  if (response.type === HttpResponse_Type.ERROR) {
    const reason = response.error ? ` (${response.error})` : "";
    waiting?.fail(
      new DOMException(
        `The service worker navigation preload request failed due to a network error${reason}. This may have been an actual network error, or caused by the network having been cut to see whether the page works offline.`,
        "NetworkError",
      ),
    );
    return;
  }
  if (waiting) waiting.give(decodeResponse(response));
  else if (response.body?.stream !== undefined) port.notify({ bodyCancel: { stream: response.body.stream } });
}
function dropPreload(id: number): void {
  const waiting = preloads.get(id);
  if (!waiting || !preloads.delete(id)) return;
  const text =
    "The service worker navigation preload request was cancelled before 'preloadResponse' settled. If you intend to use 'preloadResponse', use waitUntil() or respondWith() to wait for the promise to settle.";
  print("warn", text, "");
  waiting.fail(new DOMException(text, "AbortError"));
}

export function runFetchEvent(id: number, message: FetchEventMessage): void {
  if (!message.request) return;
  const preloadResponse = message.preload ? expectPreload(id) : Promise.resolve(undefined);
  const request = Request.decode(message.request);
  const { clientId, resultingClientId, reload: isReload } = message;
  const event = new FetchEvent("fetch", {
    request,
    clientId,
    resultingClientId,
    isReload,
    preloadResponse,
    cancelable: true,
  });
  runFunctionalEvent(id, event, () => {
    const response = FetchEvent.responseOf(event);
    if (!response) {
      if (event.defaultPrevented) return refuse(id, event, "preventDefault() was called without calling respondWith().");
      FetchEvent.settle(event);
      port.notify({ fetchResponse: { eventId: id, kind: FetchResponse_Kind.FALLBACK } });
      return;
    }
    const answered = response.then(
      (value) => answer(id, event, value),
      (reason: unknown) => {
        refuse(id, event, "the promise was rejected.", describe(reason));
        tellUnhandled(reason);
      },
    );
    ExtendableEvent.extensionOf(event)!.add(answered);
  }, () => dropPreload(id));
}
async function answer(id: number, event: FetchEvent, value: unknown): Promise<void> {
  const problem = problemOf(event.request, value);
  if (problem !== null) {
    refuse(id, event, problem);
    if (!Response.isInstance(value)) tellUnhandled(new TypeError("Failed to convert value to 'Response'."));
    return;
  }
  const response = value as Response;
  const { body, start } = encodeBody(Response.bodyOf(response));
  port.notify({
    fetchResponse: { eventId: id, kind: FetchResponse_Kind.RESPONSE, response: { ...encodeResponse(response), body } },
  });
  FetchEvent.settle(event);
  await start();
}
// Service Workers "Handle Fetch": what may not be given as a response.
function problemOf(request: Request, value: unknown): string | null {
  if (!Response.isInstance(value)) return "an object that was not a Response was passed to respondWith().";
  if (value.type === "error") return "Response.error() was passed to respondWith().";
  if (value.type === "opaque" && request.mode !== "no-cors") {
    return `an "opaque" response was used for a request whose type is not no-cors`;
  }
  if (value.type === "opaqueredirect" && request.redirect !== "manual") {
    return `an "opaqueredirect" type response was used for a request whose redirect mode is not "manual".`;
  }
  if (value.type === "cors" && request.mode === "same-origin") {
    return `a "cors" response was used for a "same-origin" request.`;
  }
  if (value.redirected && request.redirect !== "follow") {
    return `a redirected response was used for a request whose redirect mode is not "follow".`;
  }
  if (Response.bodyOf(value)?.unusable) {
    return "a Response whose body is locked or was read cannot be used to respond to a request.";
  }
  return null;
}
// As in Chromium: the network error is no handler of what a script's promise was rejected with.
function tellUnhandled(reason: unknown): void {
  void Promise.reject(reason);
}
// The console is told more than the script.
function refuse(id: number, event: FetchEvent, why: string, details = ""): void {
  const message = `The FetchEvent for "${event.request.url}" resulted in a network error response: ${why}`;
  print("error", details ? `${message} ${details}` : message, "");
  FetchEvent.settle(event, new DOMException(message, "NetworkError"));
  port.notify({ fetchResponse: { eventId: id, kind: FetchResponse_Kind.NETWORK_ERROR } });
}
