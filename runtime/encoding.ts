// Encoding Standard: TextEncoder, TextDecoder and their stream versions; HTML's atob and btoa. UTF-8 is native, all other
// encodings are those of npm @exodus/bytes.
import { normalizeEncoding, TextDecoder as LegacyDecoder } from "@exodus/bytes/encoding.js";
import { DOMException } from "./domexception.ts";
import { defineFunctions } from "./global_members.ts";
import { native } from "./native.ts";
import { concatenate, type ReadableStream, TransformStream, type WritableStream } from "./streams.ts";
import {
  any,
  boolean,
  type BufferSource,
  bytesOf,
  defineInterface,
  type Dictionary,
  dictionary,
  DOMString,
  fail,
  member,
  sharedBufferSource,
  USVString,
} from "./webidl.ts";

export class TextEncoder {
  #brand = true;
  get encoding(): string {
    return "utf-8";
  }
  encode(input: string): Uint8Array {
    return native.utf8Encode(input);
  }
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number } {
    if (!(destination instanceof Uint8Array)) fail("parameter 2 is not of type 'Uint8Array'.");
    if (destination.byteLength === 0) return { read: 0, written: 0 }; // empty or detached
    const [read, written] = native.utf8EncodeInto(source, destination);
    return { read, written };
  }
  static isInstance(value: unknown): value is TextEncoder {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
defineInterface(TextEncoder, {
  name: "TextEncoder",
  constructorArguments: [],
  operations: { encode: [USVString.optional("")], encodeInto: [USVString, any] },
});

// How many bytes at the end belong to a character that is not complete yet.
function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.byteLength); ++back) {
    const byte = bytes[bytes.byteLength - back]!;
    if (byte >= 0xc0) {
      if (byte < 0xc2 || byte > 0xf4) return 0; // in no character at all
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      if (length <= back) return 0;
      // A first byte whose second byte already excludes it is not worth waiting for.
      return back > 1 && !validSecond(byte, bytes[bytes.byteLength - back + 1]!) ? 0 : back;
    }
    if (byte < 0x80) return 0;
  }
  return 0;
}
function validSecond(first: number, second: number): boolean {
  if (first === 0xe0) return second >= 0xa0;
  if (first === 0xed) return second <= 0x9f;
  if (first === 0xf0) return second >= 0x90;
  if (first === 0xf4) return second <= 0x8f;
  return true;
}

export class TextDecoder {
  #encoding: string;
  #fatal: boolean;
  #ignoreBOM: boolean;
  #legacy: InstanceType<typeof LegacyDecoder> | null = null;
  #pending: Uint8Array | null = null;
  #bomSeen = false;
  constructor(label = "utf-8", options: Dictionary = {}) {
    const encoding = normalizeEncoding(label);
    if (!encoding || encoding === "replacement") {
      throw new RangeError(`Failed to construct 'TextDecoder': The encoding label provided ('${label}') is invalid.`);
    }
    this.#encoding = encoding;
    this.#fatal = member(options, "TextDecoderOptions", "fatal", boolean, false);
    this.#ignoreBOM = member(options, "TextDecoderOptions", "ignoreBOM", boolean, false);
  }
  get encoding(): string {
    return this.#encoding;
  }
  get fatal(): boolean {
    return this.#fatal;
  }
  get ignoreBOM(): boolean {
    return this.#ignoreBOM;
  }
  decode(input: BufferSource | undefined, options: Dictionary): string {
    const stream = member(options, "TextDecodeOptions", "stream", boolean, false);
    const bytes = input === undefined ? new Uint8Array() : bytesOf(input);
    if (this.#encoding !== "utf-8") {
      this.#legacy ??= new LegacyDecoder(this.#encoding, { fatal: this.#fatal, ignoreBOM: this.#ignoreBOM });
      return this.#legacy.decode(bytes, { stream });
    }
    return this.#decodeUtf8(bytes, stream);
  }
  #decodeUtf8(given: Uint8Array, stream: boolean): string {
    let bytes = this.#pending ? concatenate([this.#pending, given]) : given;
    this.#pending = null;
    const seen = this.#bomSeen;
    const tail = stream ? incompleteTail(bytes) : 0;
    if (tail > 0) {
      this.#pending = bytes.slice(bytes.byteLength - tail);
      bytes = bytes.subarray(0, bytes.byteLength - tail);
    }
    this.#bomSeen = stream && (seen || bytes.byteLength > 0);
    try {
      return native.utf8Decode(bytes, this.#fatal, this.#ignoreBOM || seen);
    } catch {
      this.#bomSeen = false;
      this.#pending = null;
      fail("The encoded data was not valid.");
    }
  }
  static isInstance(value: unknown): value is TextDecoder {
    return typeof value === "object" && value !== null && #encoding in value;
  }
}
defineInterface(TextDecoder, {
  name: "TextDecoder",
  constructorArguments: [DOMString.optional("utf-8"), dictionary("TextDecoderOptions").optional({})],
  operations: { decode: [sharedBufferSource.optional(), dictionary("TextDecodeOptions").optional({})] },
});

export class TextEncoderStream {
  #pair: TransformStream<string, Uint8Array>;
  constructor() {
    let high = ""; // half of a surrogate pair at the end of a chunk
    this.#pair = new TransformStream<string, Uint8Array>({
      transform(chunk, controller) {
        let text = high + DOMString(chunk);
        high = /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : "";
        if (high) text = text.slice(0, -1);
        if (text) controller.enqueue(native.utf8Encode(text.toWellFormed()));
      },
      flush(controller) {
        if (high) controller.enqueue(native.utf8Encode("\ufffd"));
      },
    });
  }
  get encoding(): string {
    return "utf-8";
  }
  get readable(): ReadableStream<Uint8Array> {
    return this.#pair.readable;
  }
  get writable(): WritableStream<string> {
    return this.#pair.writable;
  }
  static isInstance(value: unknown): value is TextEncoderStream {
    return typeof value === "object" && value !== null && #pair in value;
  }
}
defineInterface(TextEncoderStream, { name: "TextEncoderStream", constructorArguments: [] });

export class TextDecoderStream {
  #decoder: TextDecoder;
  #pair: TransformStream<BufferSource, string>;
  constructor(label = "utf-8", options: Dictionary = {}) {
    const decoder = (this.#decoder = new TextDecoder(label, options));
    this.#pair = new TransformStream<BufferSource, string>({
      transform(chunk, controller) {
        const text = decoder.decode(sharedBufferSource(chunk), { stream: true });
        if (text) controller.enqueue(text);
      },
      flush(controller) {
        const text = decoder.decode(undefined, {});
        if (text) controller.enqueue(text);
      },
    });
  }
  get encoding(): string {
    return this.#decoder.encoding;
  }
  get fatal(): boolean {
    return this.#decoder.fatal;
  }
  get ignoreBOM(): boolean {
    return this.#decoder.ignoreBOM;
  }
  get readable(): ReadableStream<string> {
    return this.#pair.readable;
  }
  get writable(): WritableStream<BufferSource> {
    return this.#pair.writable;
  }
  static isInstance(value: unknown): value is TextDecoderStream {
    return typeof value === "object" && value !== null && #pair in value;
  }
}
defineInterface(TextDecoderStream, {
  name: "TextDecoderStream",
  constructorArguments: [DOMString.optional("utf-8"), dictionary("TextDecoderOptions").optional({})],
});

// ------------------------------------------------------------------------------------------------- base64
// V8's own coder, taken before scripts can replace it.
const uncurry = Function.prototype.bind.bind(Function.prototype.call);
const toBase64 = uncurry(Uint8Array.prototype.toBase64) as (bytes: Uint8Array) => string;
const fromBase64 = Uint8Array.fromBase64.bind(Uint8Array);

// One character per byte in, base64 out; null: a character is none.
function encodeBase64(text: string): string | null {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) {
    const code = text.charCodeAt(i);
    if (code > 255) return null;
    bytes[i] = code;
  }
  return toBase64(bytes);
}
export function encodeBytesBase64(bytes: Uint8Array): string {
  return toBase64(bytes);
}
// Infra "forgiving-base64 decode"; null: failure.
function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return fromBase64(text, { lastChunkHandling: "loose" });
  } catch {
    return null;
  }
}
export function installBase64(global: object, scopeName: string): void {
  const require = (name: string, args: ArrayLike<unknown>) => {
    if (args.length === 0) {
      throw new TypeError(`Failed to execute '${name}' on '${scopeName}': 1 argument required, but only 0 present.`);
    }
  };
  const functions = {
    atob(data: unknown): string {
      require("atob", arguments);
      const bytes = decodeBase64(DOMString(data));
      if (bytes) return native.latin1Decode(bytes);
      throw new DOMException(
        `Failed to execute 'atob' on '${scopeName}': The string to be decoded is not correctly encoded.`,
        "InvalidCharacterError",
      );
    },
    btoa(data: unknown): string {
      require("btoa", arguments);
      const text = encodeBase64(DOMString(data));
      if (text !== null) return text;
      throw new DOMException(
        `Failed to execute 'btoa' on '${scopeName}': The string to be encoded contains characters outside of the Latin1 range.`,
        "InvalidCharacterError",
      );
    },
  };
  defineFunctions(global, functions);
}
