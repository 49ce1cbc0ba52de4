// XMLHttpRequest §5: FormData, and its two encodings (RFC 7578 multipart/form-data, urlencoded).
import { Blob, File } from "./blob.ts";
import { native } from "./native.ts";
import { concatenate } from "./streams.ts";
import { parseUrlencoded } from "./url_search_params.ts";
import { any, converter, defineInterface, defineIterable, fail, USVString } from "./webidl.ts";

type Entry = [name: string, value: string | File];

function toEntryValue(value: unknown, filename: string | undefined): string | File {
  if (!Blob.isInstance(value)) {
    if (filename !== undefined) fail("parameter 2 is not of type 'Blob'.");
    return USVString(value);
  }
  if (File.isInstance(value) && filename === undefined) return value;
  const file = File.isInstance(value) ? value : null;
  return File.overNamed(Blob.bytesOf(value), filename ?? file?.name ?? "blob", value.type, file?.lastModified);
}

export class FormData {
  #entries: Entry[] = [];
  append(name: string, value: unknown, filename: string | undefined = undefined): void {
    this.#entries.push([name, toEntryValue(value, filename)]);
  }
  delete(name: string): void {
    this.#entries = this.#entries.filter((entry) => entry[0] !== name);
  }
  get(name: string): string | File | null {
    return this.#entries.find((entry) => entry[0] === name)?.[1] ?? null;
  }
  getAll(name: string): (string | File)[] {
    return this.#entries.filter((entry) => entry[0] === name).map((entry) => entry[1]);
  }
  has(name: string): boolean {
    return this.#entries.some((entry) => entry[0] === name);
  }
  set(name: string, value: unknown, filename: string | undefined = undefined): void {
    const entry: Entry = [name, toEntryValue(value, filename)];
    const index = this.#entries.findIndex((existing) => existing[0] === name);
    if (index < 0) {
      this.#entries.push(entry);
      return;
    }
    this.#entries[index] = entry;
    this.#entries = this.#entries.filter((existing, at) => at <= index || existing[0] !== name);
  }
  static isInstance(value: unknown): value is FormData {
    return typeof value === "object" && value !== null && #entries in value;
  }
  static entriesOf(data: FormData): Entry[] {
    return data.#entries;
  }
}
const noForm = converter((value): undefined => {
  if (value !== undefined) fail("parameter 1 is not of type 'HTMLFormElement'.");
});
defineInterface(FormData, {
  name: "FormData",
  constructorArguments: [noForm.optional(), any.optional()],
  operations: {
    append: [USVString, any, USVString.optional()],
    delete: [USVString],
    get: [USVString],
    getAll: [USVString],
    has: [USVString],
    set: [USVString, any, USVString.optional()],
  },
});
defineIterable(FormData, "FormData", (data) => FormData.entriesOf(data));

// ------------------------------------------------------------------------------------------------- encode
export function encodeMultipart(data: FormData): { bytes: Uint8Array<ArrayBuffer>; boundary: string } {
  const random = new Uint8Array(16);
  native.randomFill(random);
  const boundary = `----VigilFormBoundary${Array.from(random, (byte) => (byte % 36).toString(36)).join("")}`;
  const escape = (text: string) => text.replace(/\n/g, "%0A").replace(/\r/g, "%0D").replace(/"/g, "%22");
  const escapeName = (text: string) => escape(text.replace(/\r\n?|\n/g, "\r\n"));
  const pieces: Uint8Array[] = [];
  for (const [name, value] of FormData.entriesOf(data)) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(name)}"`;
    if (typeof value === "string") {
      pieces.push(native.utf8Encode(`${head}\r\n\r\n${value.replace(/\r\n?|\n/g, "\r\n")}\r\n`));
    } else {
      const type = value.type || "application/octet-stream";
      pieces.push(native.utf8Encode(`${head}; filename="${escape(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`));
      pieces.push(Blob.bytesOf(value), native.utf8Encode("\r\n"));
    }
  }
  pieces.push(native.utf8Encode(`--${boundary}--\r\n`));
  return { bytes: concatenate(pieces), boundary };
}

// ------------------------------------------------------------------------------------------------- parse
export function parseFormBody(bytes: Uint8Array<ArrayBuffer>, type: string | null): FormData {
  const essence = (type ?? "").split(";")[0]!.trim().toLowerCase();
  const data = new FormData();
  if (essence === "application/x-www-form-urlencoded") {
    for (const [name, value] of parseUrlencoded(native.utf8Decode(bytes, false, true))) data.append(name, value);
    return data;
  }
  const boundary = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type ?? "");
  if (essence !== "multipart/form-data" || !boundary) throw new TypeError("Failed to fetch");
  parseMultipart(bytes, boundary[1] ?? boundary[2]!, data);
  return data;
}
function parseMultipart(bytes: Uint8Array<ArrayBuffer>, boundary: string, data: FormData): void {
  // One character per byte: positions in the text are positions in the bytes.
  const text = native.latin1Decode(bytes);
  const marker = `--${boundary}`;
  if (!text.startsWith(marker)) throw new TypeError("Failed to fetch");
  let position = marker.length;
  while (!text.startsWith("--", position)) {
    const headEnd = text.indexOf("\r\n\r\n", position);
    const next = headEnd < 0 ? -1 : text.indexOf(`\r\n${marker}`, headEnd + 2);
    if (next < 0) throw new TypeError("Failed to fetch");
    const head = native.utf8Decode(bytes.subarray(position, headEnd), false, false);
    addPart(head, bytes.slice(headEnd + 4, Math.max(next, headEnd + 4)), data);
    position = next + 2 + marker.length;
  }
}
function addPart(head: string, content: Uint8Array<ArrayBuffer>, data: FormData): void {
  const disposition = /^content-disposition:\s*form-data(.*)$/im.exec(head);
  const name = disposition && /;\s*name="([^"]*)"/i.exec(disposition[1]!);
  if (!name) throw new TypeError("Failed to fetch");
  const unescape = (value: string) => value.replace(/%0D/gi, "\r").replace(/%0A/gi, "\n").replace(/%22/g, '"');
  const filename = /;\s*filename="([^"]*)"/i.exec(disposition[1]!);
  if (!filename) {
    data.append(unescape(name[1]!), native.utf8Decode(content, false, false));
    return;
  }
  const type = /^content-type:\s*(.*?)\s*$/im.exec(head)?.[1] ?? "text/plain";
  data.append(unescape(name[1]!), File.overNamed(content, unescape(filename[1]!), type));
}
