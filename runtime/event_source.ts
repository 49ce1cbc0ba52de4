// HTML §9.2: EventSource, over the same requests as fetch().
import { type HttpResponse, HttpResponse_Type } from "#ipc/storage.ts";
import { print } from "./console.ts";
import { DOMException } from "./domexception.ts";
import { IncomingBody } from "./body_stream.ts";
import { defineEventHandlers } from "./event_handlers.ts";
import { EventTarget, fire, fireSimple } from "./events.ts";
import { EventStreamParser, type StreamEvent } from "./event_stream.ts";
import { MessageEvent } from "./message_events.ts";
import { native } from "./native.ts";
import { port } from "./port.ts";
import { clearRuntimeTimer, setRuntimeTimer } from "./timers.ts";
import { environment, parseUrl } from "./url.ts";
import { boolean, defineInterface, type Dictionary, dictionary, member, USVString } from "./webidl.ts";

const enum State {
  Connecting,
  Open,
  Closed,
}
// Until the server says otherwise.
const defaultRetryMs = 3000;

export class EventSource extends EventTarget {
  #url: string;
  #withCredentials: boolean;
  #state = State.Connecting;
  #retryMs = defaultRetryMs;
  #lastEventId = "";
  #stop: () => void = () => {}; // breaks off what is under way

  constructor(url: string, init: Dictionary) {
    super();
    const parsed = parseUrl(url);
    if (!parsed) {
      throw new DOMException(
        `Failed to construct 'EventSource': Cannot open an EventSource to '${url}'. The URL is invalid.`,
        "SyntaxError",
      );
    }
    this.#url = parsed.href;
    this.#withCredentials = member(init, "EventSourceInit", "withCredentials", boolean, false);
    void this.#connect();
  }
  get url(): string {
    return this.#url;
  }
  get withCredentials(): boolean {
    return this.#withCredentials;
  }
  get readyState(): number {
    return this.#state;
  }
  close(): void {
    this.#state = State.Closed;
    this.#stop();
  }

  async #connect(): Promise<void> {
    const { reply, cancel } = port.cancellableRequest({ fetch: this.#request() });
    let stopped = false;
    this.#stop = () => {
      stopped = true;
      cancel();
    };
    let response: HttpResponse | undefined;
    try {
      ({ response } = await reply);
    } catch {
      // Counts as a network error.
    }
    if (stopped) return;
    if (!response || response.type === HttpResponse_Type.ERROR) {
      this.#reconnect();
      return;
    }
    const why = problemOf(response);
    if (why) {
      this.#fail(why);
      return;
    }
    await this.#read(response);
  }
  #request(): object {
    const headers = [{ name: "accept", value: "text/event-stream" }];
    // UTF-8, each byte of which is one character of a header's value.
    if (this.#lastEventId) headers.push({ name: "last-event-id", value: isomorphic(this.#lastEventId) });
    return {
      method: "GET",
      url: this.#url,
      mode: "cors",
      credentials: this.#withCredentials ? "include" : "same-origin",
      cache: "no-store",
      redirect: "follow",
      referrer: "about:client",
      headers,
    };
  }
  async #read(response: HttpResponse): Promise<void> {
    this.#state = State.Open;
    fireSimple(this, "open");
    if (this.#state !== State.Open) return;
    const list = response.urlList;
    const origin = parseUrl(list[list.length - 1] ?? this.#url)!.origin;
    const parser = new EventStreamParser({
      event: (event) => this.#dispatch(event, origin),
      retry: (ms) => (this.#retryMs = ms),
    }, this.#lastEventId);
    const { body } = response;
    if (body?.stream !== undefined) {
      const incoming = new IncomingBody(body.stream);
      this.#stop = () => incoming.cancel();
      try {
        for (let piece; this.#isOpen() && (piece = await incoming.next());) {
          if (this.#isOpen()) parser.push(piece);
        }
      } catch {
        // The stream broke; it is reconnected like one that ended.
      }
    } else if (body?.inline) {
      parser.push(body.inline);
    }
    if (this.#isOpen()) this.#reconnect();
  }
  // Not inlined: the state changes while this waits.
  #isOpen(): boolean {
    return this.#state === State.Open;
  }
  #dispatch({ type, data, lastEventId }: StreamEvent, origin: string): void {
    this.#lastEventId = lastEventId;
    if (data === null || !this.#isOpen()) return;
    fire(this, new MessageEvent(type || "message", { data, origin, lastEventId }));
  }
  // "Reestablish the connection".
  #reconnect(): void {
    this.#state = State.Connecting;
    fireSimple(this, "error");
    if (this.#state !== State.Connecting) return;
    const timer = setRuntimeTimer(() => void this.#connect(), this.#retryMs);
    this.#stop = () => clearRuntimeTimer(timer);
  }
  // "Fail the connection": for good.
  #fail(why: string): void {
    this.#state = State.Closed;
    print("error", `EventSource to '${this.#url}' failed: ${why}`, environment.url);
    fireSimple(this, "error");
  }
  static override isInstance(value: unknown): value is EventSource {
    return typeof value === "object" && value !== null && #retryMs in value;
  }
}

function problemOf({ status, headers, body }: HttpResponse): string {
  if (status !== 200) {
    cancelBody(body?.stream);
    return `the server answers ${status}`;
  }
  const type = headers.find(({ name }) => name === "content-type")?.value ?? "";
  if (/^\s*text\/event-stream\s*(;|$)/i.test(type)) return "";
  cancelBody(body?.stream);
  return `its MIME type is '${type}', not 'text/event-stream'`;
}
function cancelBody(stream: number | undefined): void {
  if (stream !== undefined) new IncomingBody(stream).cancel();
}
// A header's value in a message: each character is one byte.
function isomorphic(text: string): string {
  return native.latin1Decode(native.utf8Encode(text));
}

defineEventHandlers(EventSource.prototype, ["open", "message", "error"], EventSource.isInstance);
defineInterface(EventSource, {
  name: "EventSource",
  constructorArguments: [USVString, dictionary("EventSourceInit").optional({})],
  constants: { CONNECTING: State.Connecting, OPEN: State.Open, CLOSED: State.Closed },
});
