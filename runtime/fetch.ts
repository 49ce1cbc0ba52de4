// Fetch §5.6: fetch(). The daemon does the fetching; here are the schemes that need no network, abort, and the road of
// the bodies.
import { HttpResponse_Type } from "#ipc/storage.ts";
import { AbortSignal } from "./abort.ts";
import { Blob } from "./blob.ts";
import { encodeBody } from "./body.ts";
import { decodeBase64 } from "./encoding.ts";
import { port } from "./port.ts";
import { encodeRequest, Request } from "./request.ts";
import { decodeResponse, Response } from "./response.ts";
import { native } from "./native.ts";
import { type Dictionary, fail, toDictionary, withPrefix } from "./webidl.ts";

let warn: (text: string) => void = () => {};
// Where to tell the developer why a fetch failed: the exception must not say it.
export function setFetchWarning(report: (text: string) => void): void {
  warn = report;
}

export async function fetchRequest(request: Request): Promise<Response> {
  const { signal } = request;
  if (signal.aborted) throw signal.reason;
  const local = fetchLocally(request);
  if (local) return local;

  const message = encodeRequest(request);
  const { body, start } = encodeBody(Request.bodyOf(request));
  const { reply, cancel } = port.cancellableRequest({ fetch: { ...message, body } });
  void start();
  let giveUp: (reason: unknown) => void;
  const aborted = new Promise<never>((_, reject) => (giveUp = reject));
  const forget = AbortSignal.addAlgorithm(signal, () => {
    cancel();
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
    if (resultBody) AbortSignal.addAlgorithm(signal, () => resultBody.cancel(signal.reason));
    return result;
  } finally {
    forget();
  }
}

function fetchLocally(request: Request): Response | null {
  const { url } = request;
  if (url.startsWith("data:")) return fetchData(url);
  if (url.startsWith("blob:")) {
    const blob = Request.blobOf(request);
    if (!blob || request.method !== "GET") throw new TypeError("Failed to fetch");
    return localResponse(url, blob.type, Blob.bytesOf(blob));
  }
  if (/^https?:/.test(url)) return null;
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
// Fetch §6 "data: URL processor".
function fetchData(url: string): Response {
  const comma = url.indexOf(",");
  if (comma < 0) throw new TypeError("Failed to fetch");
  let type = url.slice(5, comma).trim();
  const hash = url.indexOf("#", comma);
  let bytes = percentDecode(url.slice(comma + 1, hash < 0 ? undefined : hash));
  if (/; *base64$/i.test(type)) {
    type = type.replace(/; *base64$/i, "");
    const decoded = decodeBase64(native.latin1Decode(bytes));
    if (!decoded) throw new TypeError("Failed to fetch");
    bytes = decoded;
  }
  if (type.startsWith(";")) type = `text/plain${type}`;
  return localResponse(url, /^[^\s/]+\/[^\s;]+/.test(type) ? type : "text/plain;charset=US-ASCII", bytes);
}
function percentDecode(text: string): Uint8Array<ArrayBuffer> {
  const input = native.utf8Encode(text);
  const output = new Uint8Array(input.length);
  let length = 0;
  for (let i = 0; i < input.length; ++i) {
    const pair = input[i] === 0x25 ? String.fromCharCode(input[i + 1] ?? 0, input[i + 2] ?? 0) : "";
    if (/^[0-9a-f]{2}$/i.test(pair)) {
      output[length++] = Number.parseInt(pair, 16);
      i += 2;
    } else {
      output[length++] = input[i]!;
    }
  }
  return output.slice(0, length);
}
export function installFetch(global: object, scopeName: string): void {
  const prefix = `Failed to execute 'fetch' on '${scopeName}'`;
  const { fetch } = {
    fetch(input: unknown, init: unknown = undefined): Promise<Response> {
      try {
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
