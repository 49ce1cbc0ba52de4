// URL, URLSearchParams (npm whatwg-url) and URLPattern (urlpattern-polyfill), and object URLs.
import { URL, URLSearchParams } from "whatwg-url";
import { URLPattern } from "urlpattern-polyfill/urlpattern";
import { Blob } from "./blob.ts";
import { native } from "./native.ts";

export { URL, URLSearchParams };

// Where the scope's code came from: base of relative URLs. Set by start().
export const environment = { url: "about:blank", baseUrl: "about:blank", origin: "null" };

export function parseUrl(url: string, base: string = environment.baseUrl): URL | null {
  return URL.parse(url, base);
}
// The URL without its fragment.
export function withoutFragment(url: string): string {
  const hash = url.indexOf("#");
  return hash < 0 ? url : url.slice(0, hash);
}

// ------------------------------------------------------------------------------------------------- object URLs
const objects = new Map<string, Blob>();
export function blobOfUrl(url: string): Blob | undefined {
  return objects.get(withoutFragment(url));
}
export function uuid(): string {
  const bytes = new Uint8Array(16);
  native.randomFill(bytes);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
const objectUrlStatics = {
  createObjectURL(object: unknown): string {
    if (!Blob.isInstance(object)) {
      throw new TypeError("Failed to execute 'createObjectURL' on 'URL': Overload resolution failed.");
    }
    const url = `blob:${environment.origin}/${uuid()}`;
    objects.set(url, object);
    return url;
  },
  revokeObjectURL(url: unknown): void {
    objects.delete(withoutFragment(String(url)));
  },
};

// The polyfill's members are those of a plain class.
function dressUrlPattern(): void {
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(URLPattern.prototype))) {
    if (name !== "constructor") Object.defineProperty(URLPattern.prototype, name, { ...descriptor, enumerable: true });
  }
  Object.defineProperty(URLPattern.prototype, Symbol.toStringTag, { value: "URLPattern", configurable: true });
  Reflect.deleteProperty(URLPattern, "compareComponent");
}

export function exposeUrls(global: object, scope: "service-worker" | "page"): void {
  // Service workers have no object URLs: nothing bounds their lifetime there (File API §8.4).
  if (scope === "page") {
    for (const [name, value] of Object.entries(objectUrlStatics)) {
      Object.defineProperty(URL, name, { value, writable: true, enumerable: true, configurable: true });
    }
  }
  dressUrlPattern();
  for (const [name, value] of Object.entries({ URL, URLSearchParams, URLPattern })) {
    Object.defineProperty(global, name, { value, writable: true, configurable: true, enumerable: false });
  }
}
