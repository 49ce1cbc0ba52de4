// Service Workers §5: Cache and CacheStorage. What matches what, and the storing, is the daemon's business
// (src/storage/cache_service.h); here are the conversions, the checks that throw, and the bodies.
import type { CacheReply, CacheRequest, CacheRequest_Match, HttpRequest, HttpResponse } from "#ipc/storage.ts";
import { DOMException } from "./domexception.ts";
import { fetchRequest } from "./fetch.ts";
import { port } from "./port.ts";
import { decodeRequest, encodeRequest, Request, toRequest } from "./request.ts";
import { decodeResponse, encodeResponse, Response } from "./response.ts";
import { AbortController, AbortSignal } from "./abort.ts";
import { any, boolean, defineInterface, dictionary, type Dictionary, DOMString, fail, instance, member, sequence, withPrefix } from "./webidl.ts";

const inlineBody = 1 << 20; // src/storage/cache_service.h, kMaxInlineBody
const inlineTotal = 4 << 20; // of one message
const piece = 512 << 10;
let lastUpload = 0;

async function ask(cache: Partial<CacheRequest>): Promise<CacheReply> {
  const reply = (await port.request({ cache })).cache!;
  if (reply.errorName === "TypeError") throw new TypeError(reply.errorMessage);
  if (reply.errorName !== "") throw new DOMException(reply.errorMessage, reply.errorName);
  return reply;
}

function withoutBody(request: Request): HttpRequest {
  return { ...encodeRequest(request), body: undefined };
}
function toMatch(request: unknown, options: Dictionary, where: Partial<CacheRequest_Match>): CacheRequest_Match {
  const flag = (key: string) => member(options, "CacheQueryOptions", key, boolean, false);
  return {
    cache: 0, anyCache: false, cacheName: "", hasCacheName: false, ...where,
    request: request === undefined ? undefined : withoutBody(toRequest(request)),
    ignoreSearch: flag("ignoreSearch"),
    ignoreMethod: flag("ignoreMethod"),
    ignoreVary: flag("ignoreVary"),
  };
}
// Bodies that did not fit into the reply are fetched piece by piece.
async function responsesOf(reply: CacheReply): Promise<Response[]> {
  for (const { response, body, size } of reply.bodies) {
    const bytes = new Uint8Array(size);
    for (let offset = 0; offset < size; ) {
      const { chunk } = await ask({ download: { body, offset, limit: piece } });
      if (chunk.length === 0) throw new DOMException("The stored body is damaged.", "UnknownError");
      bytes.set(chunk.subarray(0, size - offset), offset);
      offset += chunk.length;
    }
    reply.responses[response]!.body = { inline: bytes };
  }
  return reply.responses.map((response) => decodeResponse(response));
}

function checkStorable(request: Request): void {
  const scheme = request.url.slice(0, request.url.indexOf(":"));
  if (scheme !== "http" && scheme !== "https") fail(`Request scheme '${scheme}' is unsupported`);
  if (request.method !== "GET") fail(`Request method '${request.method}' is unsupported`);
}
function checkResponse(response: Response): void {
  const vary = encodeResponse(response).headers.filter(({ name }) => name.toLowerCase() === "vary");
  if (vary.some(({ value }) => value.split(",").some((name) => name.trim() === "*"))) fail("Vary header contains *");
  if (response.status === 206) fail("Partial response (status code 206) is unsupported");
}
// The response as it will be stored: with its whole body, which goes ahead in pieces if it is large.
async function storedForm(response: Response, budget: { left: number }): Promise<HttpResponse> {
  const http = encodeResponse(response);
  const body = Response.bodyOf(response);
  if (!body) return http;
  const bytes = await body.consume();
  if (bytes.length <= inlineBody && bytes.length <= budget.left) {
    budget.left -= bytes.length;
    return { ...http, body: { inline: bytes } };
  }
  const upload = ++lastUpload;
  for (let offset = 0; offset < bytes.length; offset += piece) {
    await ask({ upload: { body: upload, data: bytes.subarray(offset, offset + piece), discard: false } });
  }
  return { ...http, body: { stream: upload } };
}

// Names are any strings, which messages cannot hold: one that is not well-formed travels with its lone surrogates, and
// its backslashes, as escapes, after a zero character.
function encodeName(name: string): string {
  if (name.isWellFormed() && !name.startsWith("\0")) return name;
  const escaped = name.replace(/[\\\p{Surrogate}]/gu, (unit) => `\\${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `\0${escaped}`;
}
function decodeName(name: string): string {
  if (!name.startsWith("\0")) return name;
  return name.slice(1).replace(/\\([0-9a-f]{4})/g, (_, unit: string) => String.fromCharCode(Number.parseInt(unit, 16)));
}

export class Cache {
  #id: number;
  constructor(id: number) {
    this.#id = id;
  }
  async match(request: unknown, options: Dictionary = {}): Promise<Response | undefined> {
    const reply = await ask({ match: toMatch(request, options, { cache: this.#id }) });
    return (await responsesOf(reply))[0];
  }
  async matchAll(request: unknown = undefined, options: Dictionary = {}): Promise<readonly Response[]> {
    const reply = await ask({ matchAll: toMatch(request, options, { cache: this.#id }) });
    return Object.freeze(await responsesOf(reply));
  }
  async keys(request: unknown = undefined, options: Dictionary = {}): Promise<readonly Request[]> {
    const { requests } = await ask({ cacheKeys: toMatch(request, options, { cache: this.#id }) });
    return Object.freeze(requests.map((each) => decodeRequest(each)));
  }
  async delete(request: unknown, options: Dictionary = {}): Promise<boolean> {
    return (await ask({ removeEntry: toMatch(request, options, { cache: this.#id }) })).found;
  }
  async put(input: unknown, response: Response): Promise<void> {
    try {
      const request = toRequest(input);
      checkStorable(request);
      checkResponse(response);
      if (Response.bodyOf(response)?.unusable) fail("Response body is already used");
      await this.#store([[withoutBody(request), response]]);
    } catch (error) {
      throw withPrefix(error, "Failed to execute 'put' on 'Cache'");
    }
  }
  async add(request: unknown): Promise<void> {
    await this.#addAll([request], "add");
  }
  async addAll(requests: unknown[]): Promise<void> {
    await this.#addAll(requests, "addAll");
  }
  async #addAll(inputs: unknown[], operation: string): Promise<void> {
    const prefix = `Failed to execute '${operation}' on 'Cache'`;
    const stop = new AbortController();
    try {
      const requests = inputs.map((input) => toRequest(input));
      requests.forEach(checkStorable);
      const responses = requests.map(async (request) => {
        const signal = AbortSignal.any([request.signal, stop.signal]);
        const response = await fetchRequest(new Request(request, { signal }));
        if (!response.ok) fail("Request failed"); // opaque ones say status 0
        checkResponse(response);
        return response;
      });
      const pairs = (await Promise.all(responses)).map((response, index): [HttpRequest, Response] => [withoutBody(requests[index]!), response]);
      await this.#store(pairs);
    } catch (error) {
      stop.abort();
      if (DOMException.isInstance(error) && error.name === "InvalidStateError") {
        throw new DOMException(`${prefix}: ${error.message}`, "InvalidStateError");
      }
      throw withPrefix(error, prefix);
    }
  }
  async #store(pairs: [HttpRequest, Response][]): Promise<void> {
    const budget = { left: inlineTotal };
    const entries = await Promise.all(pairs.map(async ([request, response]) => ({ request, response: await storedForm(response, budget) })));
    await ask({ put: { cache: this.#id, entries } });
  }
  static isInstance(value: unknown): value is Cache {
    return typeof value === "object" && value !== null && #id in value;
  }
}
const queryOptions = dictionary("CacheQueryOptions").optional({});
defineInterface(Cache, {
  name: "Cache",
  operations: {
    match: [any, queryOptions],
    matchAll: [any.optional(), queryOptions],
    keys: [any.optional(), queryOptions],
    delete: [any, queryOptions],
    put: [any, instance("Response", () => Response)],
    add: [any],
    addAll: [sequence((item) => item)],
  },
});

export class CacheStorage {
  #brand = true;
  async match(request: unknown, options: Dictionary = {}): Promise<Response | undefined> {
    const cacheName = member(options, "MultiCacheQueryOptions", "cacheName", DOMString, null);
    const where = { anyCache: true, cacheName: encodeName(cacheName ?? ""), hasCacheName: cacheName !== null };
    return (await responsesOf(await ask({ match: toMatch(request, options, where) })))[0];
  }
  async has(name: string): Promise<boolean> {
    return (await ask({ has: encodeName(name) })).found;
  }
  async open(name: string): Promise<Cache> {
    return new Cache((await ask({ open: encodeName(name) })).cache);
  }
  async delete(name: string): Promise<boolean> {
    return (await ask({ remove: encodeName(name) })).found;
  }
  async keys(): Promise<string[]> {
    return (await ask({ keys: true })).names.map(decodeName);
  }
  static isInstance(value: unknown): value is CacheStorage {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
defineInterface(CacheStorage, {
  name: "CacheStorage",
  operations: {
    match: [any, dictionary("MultiCacheQueryOptions").optional({})],
    has: [DOMString],
    open: [DOMString],
    delete: [DOMString],
    keys: [],
  },
});
