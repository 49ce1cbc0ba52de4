// Fetch §5.5: Response.
import { type HttpResponse, HttpResponse_Type } from "#ipc/storage.ts";
import { Blob } from "./blob.ts";
import { bodyMethods, BodyState, extractBody } from "./body.ts";
import { decodeHeaders, encodeHeaders, type Header, Headers } from "./headers.ts";
import { native } from "./native.ts";
import type { ReadableStream } from "./streams.ts";
import { parseUrl, withoutFragment } from "./url.ts";
import {
  any,
  ByteString,
  defineInterface,
  type Dictionary,
  dictionary,
  fail,
  member,
  unsignedShort,
  USVString,
} from "./webidl.ts";

const typeNames: Record<number, string> = {
  [HttpResponse_Type.BASIC]: "basic",
  [HttpResponse_Type.CORS]: "cors",
  [HttpResponse_Type.DEFAULT]: "default",
  [HttpResponse_Type.ERROR]: "error",
  [HttpResponse_Type.OPAQUE]: "opaque",
  [HttpResponse_Type.OPAQUE_REDIRECT]: "opaqueredirect",
};
interface Fields {
  type: HttpResponse_Type;
  status: number;
  statusText: string;
  urlList: string[];
  fromServiceWorker: boolean;
}
// What an opaque response hides from scripts, but cache and respondWith() must keep.
interface Hidden {
  status: number;
  statusText: string;
  headers: Header[];
  body: BodyState | null;
}
const nullBodyStatuses = [101, 103, 204, 205, 304];
const methods = bodyMethods("Response");

export class Response {
  #fields: Fields = {
    type: HttpResponse_Type.DEFAULT,
    status: 200,
    statusText: "",
    urlList: [],
    fromServiceWorker: false,
  };
  #headers = Headers.withGuard("response");
  #body: BodyState | null = null;
  #hidden: Hidden | null = null;

  constructor(body: unknown = null, init: Dictionary = {}) {
    this.#initialize(init);
    if (body !== null && body !== undefined) this.#setBody(extractBody(body));
  }
  #initialize(init: Dictionary): void {
    const status = member(init, "ResponseInit", "status", unsignedShort, 200);
    if (status < 200 || status > 599) {
      throw new RangeError(
        `Failed to construct 'Response': The status provided (${status}) is outside the range [200, 599].`,
      );
    }
    const statusText = member(init, "ResponseInit", "statusText", ByteString, "");
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(statusText)) fail("Invalid statusText");
    this.#fields.status = status;
    this.#fields.statusText = statusText;
    if (init["headers"] !== undefined) Headers.fill(this.#headers, init["headers"]);
  }
  #setBody({ body, type }: { body: BodyState; type: string | null }): void {
    if (nullBodyStatuses.includes(this.#fields.status)) fail("Response with null body status cannot have body");
    this.#body = body;
    if (type !== null && !this.#headers.has("content-type")) this.#headers.append("Content-Type", type);
  }

  static error(): Response {
    const response = new Response();
    response.#fields.type = HttpResponse_Type.ERROR;
    response.#fields.status = 0;
    Headers.setGuard(response.#headers, "immutable");
    return response;
  }
  static redirect(url: string, status: number): Response {
    const parsed = parseUrl(url);
    if (!parsed) fail(`Failed to parse URL from ${url}`);
    if (![301, 302, 303, 307, 308].includes(status)) {
      throw new RangeError("Failed to execute 'redirect' on 'Response': Invalid status code");
    }
    const response = new Response(null);
    response.#fields.status = status;
    Headers.setList(response.#headers, [["location", parsed.href, "Location"]]);
    Headers.setGuard(response.#headers, "immutable");
    return response;
  }
  static json(data: unknown, init: Dictionary): Response {
    const text = JSON.stringify(data) as string | undefined;
    if (text === undefined) fail("The data is not JSON serializable");
    const response = new Response();
    response.#initialize(init);
    response.#setBody({ body: BodyState.ofBytes(native.utf8Encode(text)), type: "application/json" });
    return response;
  }

  get type(): string {
    return typeNames[this.#fields.type]!;
  }
  get url(): string {
    const { urlList } = this.#fields;
    const hides = this.#fields.type === HttpResponse_Type.OPAQUE;
    return hides || urlList.length === 0 ? "" : withoutFragment(urlList[urlList.length - 1]!);
  }
  get redirected(): boolean {
    return this.#fields.type !== HttpResponse_Type.OPAQUE && this.#fields.urlList.length > 1;
  }
  get status(): number {
    return this.#fields.status;
  }
  get ok(): boolean {
    return this.#fields.status >= 200 && this.#fields.status <= 299;
  }
  get statusText(): string {
    return this.#fields.statusText;
  }
  get headers(): Headers {
    return this.#headers;
  }
  get body(): ReadableStream<Uint8Array> | null {
    return this.#body?.stream() ?? null;
  }
  get bodyUsed(): boolean {
    return this.#body?.used ?? false;
  }
  arrayBuffer(): Promise<ArrayBuffer> {
    return methods.arrayBuffer(Response.#owner(this));
  }
  blob(): Promise<Blob> {
    return methods.blob(Response.#owner(this));
  }
  bytes(): Promise<Uint8Array> {
    return methods.bytes(Response.#owner(this));
  }
  formData(): Promise<unknown> {
    return methods.formData(Response.#owner(this));
  }
  json(): Promise<unknown> {
    return methods.json(Response.#owner(this));
  }
  text(): Promise<string> {
    return methods.text(Response.#owner(this));
  }
  clone(): Response {
    if (this.#body?.unusable) fail("Response body is already used");
    const copy = new Response();
    copy.#fields = { ...this.#fields, urlList: [...this.#fields.urlList] };
    copy.#headers = Headers.copyOf(this.#headers);
    copy.#body = this.#body?.clone() ?? null;
    if (this.#hidden) copy.#hidden = { ...this.#hidden, body: this.#hidden.body?.clone() ?? null };
    return copy;
  }

  static #owner(response: Response) {
    return { bodyState: () => response.#body, contentType: () => response.#headers.get("content-type") };
  }
  static isInstance(value: unknown): value is Response {
    return typeof value === "object" && value !== null && #fields in value;
  }
  // The body that travels with the response: also that of an opaque one.
  static bodyOf(response: Response): BodyState | null {
    return response.#hidden ? response.#hidden.body : response.#body;
  }
  // Everything but the body.
  static encode(response: Response): HttpResponse {
    const { type, status, statusText, urlList, fromServiceWorker } = response.#fields;
    const hidden = response.#hidden;
    return {
      type,
      status: hidden ? hidden.status : status,
      statusText: hidden ? hidden.statusText : statusText,
      headers: hidden ? hidden.headers.map(([, value, written]) => ({ name: written, value })) : encodeHeaders(response.#headers),
      urlList,
      body: undefined,
      error: "",
      fromServiceWorker,
    };
  }
  static decode(http: HttpResponse): Response {
    const response = new Response();
    const { type, urlList, fromServiceWorker } = http;
    const body = nullBodyStatuses.includes(http.status) ? null : BodyState.decode(http.body);
    if (type === HttpResponse_Type.OPAQUE || type === HttpResponse_Type.OPAQUE_REDIRECT) {
      response.#fields = { type, status: 0, statusText: "", urlList, fromServiceWorker };
      const headers = Headers.listOf(decodeHeaders(http.headers, "none"));
      response.#hidden = { status: http.status, statusText: http.statusText, headers, body };
      Headers.setGuard(response.#headers, "immutable");
    } else {
      response.#fields = { type, status: http.status, statusText: http.statusText, urlList, fromServiceWorker };
      response.#headers = decodeHeaders(http.headers, "immutable");
      response.#body = body;
    }
    return response;
  }
}
defineInterface(Response, {
  name: "Response",
  constructorArguments: [any.optional(null), dictionary("ResponseInit").optional({})],
  statics: {
    error: [],
    redirect: [USVString, unsignedShort.optional(302)],
    json: [any, dictionary("ResponseInit").optional({})],
  },
  promises: ["arrayBuffer", "blob", "bytes", "formData", "json", "text"],
  synchronousStatics: ["json"],
});
export const encodeResponse = (response: Response): HttpResponse => Response.encode(response);
export const decodeResponse = (http: HttpResponse): Response => Response.decode(http);
