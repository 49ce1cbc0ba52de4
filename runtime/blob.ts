// File API §3–4: Blob and File. Their bytes are in memory and never change.
import { TextDecoderStream } from "./encoding.ts";
import { native } from "./native.ts";
import { concatenate, pipeThrough, ReadableStream } from "./streams.ts";
import {
  type BufferSource,
  bufferSource,
  bytesOf,
  defineInterface,
  type Dictionary,
  dictionary,
  DOMString,
  enumeration,
  isBufferSource,
  longLong,
  member,
  sequence,
  unsignedLong,
  USVString,
} from "./webidl.ts";

type Part = BufferSource | Blob | string;
const toEndings = enumeration("EndingType", ["transparent", "native"]);

function toPart(value: unknown): Part {
  if (isBufferSource(value)) return bufferSource(value);
  return Blob.isInstance(value) ? value : USVString(value);
}
// Not copied: concatenate() does that.
function bytesOfPart(part: Part, nativeEndings: boolean): Uint8Array {
  if (typeof part === "string") return native.utf8Encode(nativeEndings ? part.replace(/\r\n?/g, "\n") : part);
  return Blob.isInstance(part) ? Blob.bytesOf(part) : bytesOf(part);
}
function normalizeType(type: string): string {
  return /^[\x20-\x7e]*$/.test(type) ? type.toLowerCase() : "";
}

export class Blob {
  #bytes: Uint8Array<ArrayBuffer>;
  #type: string;
  constructor(parts: Part[] = [], options: Dictionary = {}) {
    const nativeEndings = member(options, "BlobPropertyBag", "endings", toEndings, "transparent") === "native";
    const type = member(options, "BlobPropertyBag", "type", DOMString, "");
    this.#bytes = concatenate(parts.map((part) => bytesOfPart(part, nativeEndings)));
    this.#type = normalizeType(type);
  }
  // A blob over bytes that nobody else changes.
  static over(bytes: Uint8Array<ArrayBuffer>, type: string): Blob {
    return Blob.fill(new Blob(), bytes, type);
  }
  protected static fill<T extends Blob>(blob: T, bytes: Uint8Array<ArrayBuffer>, type: string): T {
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
  textStream(): ReadableStream<string> {
    return pipeThrough(this.stream() as ReadableStream<BufferSource>, new TextDecoderStream());
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
const parts = sequence(toPart);
defineInterface(Blob, {
  name: "Blob",
  constructorArguments: [parts.optional([]), dictionary("BlobPropertyBag").optional({})],
  operations: { slice: [longLong.clamp.optional(), longLong.clamp.optional(), DOMString.optional()] },
});

export class File extends Blob {
  #name: string;
  #lastModified: number;
  constructor(parts: Part[], name: string, options: Dictionary = {}) {
    super(parts, options);
    this.#name = name;
    this.#lastModified = member(options, "FilePropertyBag", "lastModified", longLong, Math.floor(native.wallNowMs()));
  }
  // A file over bytes that nobody else changes.
  static overNamed(bytes: Uint8Array<ArrayBuffer>, name: string, type: string, lastModified?: number): File {
    return Blob.fill(new File([], name, { lastModified }), bytes, type);
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
  constructorArguments: [parts, USVString, dictionary("FilePropertyBag").optional({})],
});

// A list of files. Nothing here makes one; scripts look for the interface.
class FileList {
  #files: readonly File[] = [];
  get length(): number {
    return this.#files.length;
  }
  item(index: number): File | null {
    return this.#files[index] ?? null;
  }
  static isInstance(value: unknown): value is FileList {
    return typeof value === "object" && value !== null && #files in value;
  }
}
Object.defineProperty(FileList.prototype, Symbol.iterator, {
  value: Array.prototype.values,
  writable: true,
  enumerable: false,
  configurable: true,
});
defineInterface(FileList, { name: "FileList", operations: { item: [unsignedLong] } });
