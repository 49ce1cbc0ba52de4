// HTML §2.5 "fetching resources": what elements fetch when they are inserted or their address changes. Scripts are run by
// page_scripts.ts, frames opened by frames.ts; images and style sheets are fetched, as a service worker expects to see
// it, and then say load or error.
import { HttpResponse_Type } from "#ipc/storage.ts";
import { BodyState } from "./body.ts";
import { print } from "./console.ts";
import type { Element } from "./dom_element.ts";
import { fireSimple } from "./events.ts";
import { HTMLImageElement, HTMLLinkElement } from "./html_elements.ts";
import { port } from "./port.ts";
import { environment, parseUrl } from "./url.ts";

export interface Loaded {
  bytes: Uint8Array;
  type: string; // Content-Type
  url: string; // after redirects
}

// Null, with a line on the console: it could not be had.
export async function fetchForElement(element: Element, url: string, destination: string): Promise<Loaded | null> {
  const crossOrigin = element.getAttribute("crossorigin");
  let why = "";
  try {
    const { response } = await port.request({
      fetch: {
        method: "GET",
        url,
        mode: crossOrigin === null ? "no-cors" : "cors",
        credentials: crossOrigin === null || crossOrigin === "use-credentials" ? "include" : "same-origin",
        cache: "default",
        redirect: "follow",
        referrer: "about:client",
        referrerPolicy: element.getAttribute("referrerpolicy") ?? "",
        integrity: element.getAttribute("integrity") ?? "",
        destination,
      },
    });
    if (response && response.type !== HttpResponse_Type.ERROR) {
      const bytes = (await BodyState.decode(response.body)?.consume()) ?? new Uint8Array();
      const isGood = (response.status >= 200 && response.status < 300) || destination === "image";
      const type = response.headers.find(({ name }) => name.toLowerCase() === "content-type")?.value ?? "";
      if (isGood) return { bytes, type, url: response.urlList.at(-1) ?? url };
    }
    why = response?.error || `status ${response?.status ?? 0}`;
  } catch (error) {
    why = String(error);
  }
  print("error", `Failed to load the ${destination} ${url}: ${why}`, environment.url);
  return null;
}
// The load event of the document waits for these.
const delaying = new Set<Promise<unknown>>();
export function delayLoadEvent<T>(work: Promise<T>): Promise<T> {
  delaying.add(work);
  void work.finally(() => delaying.delete(work)).catch(() => {});
  return work;
}
export async function nothingDelaysLoad(): Promise<void> {
  while (delaying.size > 0) await Promise.allSettled(delaying);
}

export function fetchImage(image: HTMLImageElement): void {
  const src = image.getAttribute("src");
  if (!src) return;
  const url = parseUrl(src)?.href;
  HTMLImageElement.setComplete(image, false);
  const work = (async () => {
    const loaded = url ? await fetchForElement(image, url, "image") : null;
    if (image.getAttribute("src") !== src) return;
    HTMLImageElement.setComplete(image, true);
    fireSimple(image, loaded && isImage(loaded) ? "load" : "error");
  })();
  void delayLoadEvent(work);
}
// MIME Sniffing §6.1: the beginnings of image files.
const signatures = ["\x89PNG\r\n\x1a\n", "GIF87a", "GIF89a", "\xff\xd8\xff", "BM", "\0\0\x01\0", "\0\0\x02\0"];
function isImage({ bytes, type }: Loaded): boolean {
  const start = String.fromCharCode(...bytes.subarray(0, 16));
  if (start.startsWith("RIFF") && start.slice(8, 12) === "WEBP") return true;
  return signatures.some((each) => start.startsWith(each)) || /^image\/(svg\+xml|avif)\b/i.test(type);
}

export function fetchLink(link: Element): void {
  const rel = (link.getAttribute("rel") ?? "").toLowerCase().split(/\s+/);
  const destination = rel.includes("stylesheet") ? "style" : rel.includes("preload") ? link.getAttribute("as") : null;
  const url = parseUrl(link.getAttribute("href") ?? "")?.href;
  if (destination === null || !url || link.getAttribute("href") === "") return;
  const work = (async () => {
    const loaded = await fetchForElement(link, url, destination);
    const good = loaded && (destination !== "style" || /^text\/css\b/i.test(loaded.type));
    fireSimple(link, good ? "load" : "error");
  })();
  void delayLoadEvent(work);
}
export const isLink = HTMLLinkElement.isInstance;
