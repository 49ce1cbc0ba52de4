// Fetch §5.6: fetch(). The daemon does the fetching; here are blob: URLs, abort, and the road of the bodies.
import { HttpResponse_Type } from "#ipc/storage.ts";
import { AbortSignal } from "./abort.ts";
import { Blob } from "./blob.ts";
import { encodeBody } from "./body.ts";
import { port } from "./port.ts";
import { encodeRequest, Request } from "./request.ts";
import { decodeResponse, Response } from "./response.ts";
import { type Dictionary, fail, toDictionary, withPrefix } from "./webidl.ts";

let warn: (text: string) => void = () => {};
// Where to tell the developer why a fetch failed: the exception must not say it.
export function setFetchWarning(report: (text: string) => void): void {
  warn = report;
}

export async function fetchRequest(request: Request): Promise<Response> {
  const { signal } = request;
  const requestBody = Request.bodyOf(request);
  if (signal.aborted) {
    requestBody?.cancel(signal.reason);
    throw signal.reason;
  }
  const local = fetchLocally(request);
  if (local) return local;

  const message = encodeRequest(request);
  const { body, start, cancel: cancelBody } = encodeBody(requestBody);
  const { reply, cancel } = port.cancellableRequest({ fetch: { ...message, body } });
  void start();
  let giveUp: (reason: unknown) => void;
  const aborted = new Promise<never>((_, reject) => (giveUp = reject));
  const forget = AbortSignal.addAlgorithm(signal, () => {
    cancel();
    cancelBody(signal.reason);
    giveUp(signal.reason);
  });
  try {
    const { response } = await Promise.race([reply, aborted]);
    if (!response || response.type === HttpResponse_Type.ERROR) {
      warn(`${request.method} ${request.url} failed${response?.error ? `: ${response.error}` : ""}`);
      throw new TypeError("Failed to fetch");
    }
    const result = decodeResponse(response);
    const resultBody = Response.bodyOf(result);
    if (resultBody) {
      AbortSignal.addAlgorithm(signal, () => resultBody.abort(signal.reason));
      resultBody.hold(signal);
    }
    return result;
  } finally {
    forget();
  }
}

function fetchLocally(request: Request): Response | null {
  const { url } = request;
  if (url.startsWith("blob:")) {
    const blob = Request.blobOf(request);
    if (!blob || request.method !== "GET") throw new TypeError("Failed to fetch");
    return localResponse(url, blob.type, Blob.bytesOf(blob));
  }
  if (/^(?:https?|data):/.test(url)) return null;
  warn(`${request.method} ${url} failed: URL scheme "${url.split(":")[0]!}" is not supported.`);
  throw new TypeError("Failed to fetch");
}
function localResponse(url: string, type: string, bytes: Uint8Array): Response {
  return decodeResponse({
    type: HttpResponse_Type.BASIC,
    status: 200,
    statusText: "OK",
    headers: [{ name: "content-type", value: type }, { name: "content-length", value: String(bytes.byteLength) }],
    urlList: [url],
    body: { inline: bytes },
    error: "",
    fromServiceWorker: false,
  });
}
export function installFetch(global: object, scopeName: string): void {
  const prefix = `Failed to execute 'fetch' on '${scopeName}'`;
  const { fetch } = {
    fetch(this: unknown, input: unknown, init: unknown = undefined): Promise<Response> {
      try {
        if (this !== undefined && this !== null && this !== globalThis) fail("Illegal invocation");
        if (arguments.length === 0) fail("1 argument required, but only 0 present.");
        return fetchRequest(new Request(input, toDictionary(init, "RequestInit") as Dictionary));
      } catch (error) {
        return Promise.reject(withPrefix(error, prefix));
      }
    },
  };
  Object.defineProperty(fetch, "length", { value: 1 });
  Object.defineProperty(global, "fetch", { value: fetch, writable: true, enumerable: true, configurable: true });
}
