// File API §8: blob: URLs.
import { Blob } from "./blob.ts";
import { environment, URL, uuid, withoutFragment } from "./url.ts";

const objects = new Map<string, Blob>();
export function blobOfUrl(url: string): Blob | null {
  return (url.startsWith("blob:") && objects.get(withoutFragment(url))) || null;
}

const prefix = (name: string) => `Failed to execute '${name}' on 'URL': `;
const statics = {
  createObjectURL(object: unknown): string {
    if (!Blob.isInstance(object)) throw new TypeError(`${prefix("createObjectURL")}Overload resolution failed.`);
    const url = `blob:${environment.origin}/${uuid()}`;
    objects.set(url, object);
    return url;
  },
  revokeObjectURL(url: unknown): void {
    if (arguments.length === 0) {
      throw new TypeError(`${prefix("revokeObjectURL")}1 argument required, but only 0 present.`);
    }
    objects.delete(`${url as string}`);
  },
};
// In pages only: nothing bounds the lifetime of such URLs in a service worker, so there are none.
export function installObjectUrls(): void {
  for (const [name, value] of Object.entries(statics)) {
    Object.defineProperty(URL.prototype.constructor, name, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
}
