// File API §3–4: Blob and File. Their bytes are in memory and never change.
import { concatenate, ReadableStream } from "./streams.ts";
import { native } from "./native.ts";
import {
  any,
  copyBytes,
  defineInterface,
  type Dictionary,
  dictionary,
  DOMString,
  enumeration,
  isBufferSource,
  longLong,
  member,
  sequence,
  USVString,
} from "./webidl.ts";

type Part = Uint8Array;
const toEndings = enumeration("EndingType", ["transparent", "native"]);

function bytesOfPart(part: unknown, nativeEndings: boolean): Part {
  if (isBufferSource(part)) return copyBytes(part);
  if (Blob.isInstance(part)) return Blob.bytesOf(part);
  const text = USVString(part);
  return native.utf8Encode(nativeEndings ? text.replace(/\r\n?/g, "\n") : text);
}
export function normalizeType(type: string): string {
  return /^[\x20-\x7e]*$/.test(type) ? type.toLowerCase() : "";
}

export class Blob {
  #bytes: Uint8Array<ArrayBuffer>;
  #type: string;
  constructor(parts: unknown[] = [], options: Dictionary = {}) {
    const nativeEndings = member(options, "BlobPropertyBag", "endings", toEndings, "transparent") === "native";
    const type = member(options, "BlobPropertyBag", "type", DOMString, "");
    this.#bytes = concatenate(parts.map((part) => bytesOfPart(part, nativeEndings)));
    this.#type = normalizeType(type);
  }
  // A blob over bytes that nobody else changes.
  static over(bytes: Uint8Array<ArrayBuffer>, type: string): Blob {
    const blob = new Blob();
    blob.#bytes = bytes;
    blob.#type = normalizeType(type);
    return blob;
  }
  get size(): number {
    return this.#bytes.byteLength;
  }
  get type(): string {
    return this.#type;
  }
  slice(start: number | undefined, end: number | undefined, contentType: string | undefined): Blob {
    const bytes = this.#bytes.subarray(start ?? 0, end ?? this.#bytes.byteLength);
    return Blob.over(bytes, contentType ?? "");
  }
  stream(): ReadableStream<Uint8Array> {
    let offset = 0;
    const bytes = this.#bytes;
    return new ReadableStream<Uint8Array>({
      type: "bytes",
      pull(controller) {
        if (offset >= bytes.byteLength) {
          controller.close();
          controller.byobRequest?.respond(0);
          return;
        }
        const piece = bytes.slice(offset, offset + 65536);
        offset += piece.byteLength;
        controller.enqueue(piece);
      },
    });
  }
  async text(): Promise<string> {
    return native.utf8Decode(this.#bytes, false, false);
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes.slice().buffer;
  }
  async bytes(): Promise<Uint8Array> {
    return this.#bytes.slice();
  }
  static isInstance(value: unknown): value is Blob {
    return typeof value === "object" && value !== null && #bytes in value;
  }
  static bytesOf(blob: Blob): Uint8Array<ArrayBuffer> {
    return blob.#bytes;
  }
}
const parts = sequence(any).optional([]);
defineInterface(Blob, {
  name: "Blob",
  constructorArguments: [parts, dictionary("BlobPropertyBag").optional({})],
  operations: { slice: [longLong.optional(), longLong.optional(), DOMString.optional()] },
});

export class File extends Blob {
  #name: string;
  #lastModified: number;
  constructor(parts: unknown[], name: string, options: Dictionary = {}) {
    super(parts, options);
    this.#name = name;
    this.#lastModified = member(options, "FilePropertyBag", "lastModified", longLong, Math.floor(native.wallNowMs()));
  }
  get name(): string {
    return this.#name;
  }
  get lastModified(): number {
    return this.#lastModified;
  }
  get lastModifiedDate(): Date {
    return new Date(this.#lastModified);
  }
  get webkitRelativePath(): string {
    return "";
  }
  static override isInstance(value: unknown): value is File {
    return typeof value === "object" && value !== null && #name in value;
  }
}
defineInterface(File, {
  name: "File",
  constructorArguments: [sequence(any), USVString, dictionary("FilePropertyBag").optional({})],
});
