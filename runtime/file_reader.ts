// File API §6: FileReader.
import { getBOMEncoding, legacyHookDecode, normalizeEncoding } from "@exodus/bytes/encoding.js";
import { Blob } from "./blob.ts";
import { DOMException } from "./domexception.ts";
import { encodeBytesBase64 } from "./encoding.ts";
import { defineEventHandlers } from "./event_handlers.ts";
import { EventTarget, fire } from "./events.ts";
import { ProgressEvent } from "./message_events.ts";
import { native } from "./native.ts";
import { setRuntimeTimer } from "./timers.ts";
import { defineInterface, DOMString, instance } from "./webidl.ts";

type Result = string | ArrayBuffer | null;

// "Package data" as text: the label, else the charset of the type, else UTF-8; a byte order mark is stronger than these.
function decodeText(blob: Blob, bytes: Uint8Array<ArrayBuffer>, label: string | undefined): string {
  const charset = /;\s*charset=("?)([^";]+)\1/i.exec(blob.type)?.[2];
  const named = (label && normalizeEncoding(label)) || (charset && normalizeEncoding(charset)) || "utf-8";
  const encoding = getBOMEncoding(bytes) ?? named;
  return encoding === "utf-8" ? native.utf8Decode(bytes, false, false) : legacyHookDecode(bytes, encoding);
}

export class FileReader extends EventTarget {
  #state = 0;
  #result: Result = null;
  #error: DOMException | null = null;
  #generation = 0; // an aborted read must not finish

  get readyState(): number {
    return this.#state;
  }
  get result(): Result {
    return this.#result;
  }
  get error(): DOMException | null {
    return this.#error;
  }
  readAsArrayBuffer(blob: Blob): void {
    this.#read("readAsArrayBuffer", blob, (bytes) => bytes.slice().buffer);
  }
  readAsText(blob: Blob, encoding: string | undefined): void {
    this.#read("readAsText", blob, (bytes) => decodeText(blob, bytes, encoding));
  }
  readAsBinaryString(blob: Blob): void {
    this.#read("readAsBinaryString", blob, (bytes) => native.latin1Decode(bytes));
  }
  readAsDataURL(blob: Blob): void {
    this.#read(
      "readAsDataURL",
      blob,
      (bytes) => `data:${blob.type || "application/octet-stream"};base64,${encodeBytesBase64(bytes)}`,
    );
  }
  abort(): void {
    if (this.#state !== 1) {
      this.#result = null;
      return;
    }
    ++this.#generation;
    this.#state = 2;
    this.#result = null;
    this.#error = new DOMException("An ongoing read was aborted", "AbortError");
    this.#fire("abort", 0);
    if (this.#state === 2) this.#fire("loadend", 0);
  }
  #read(name: string, blob: Blob, convert: (bytes: Uint8Array<ArrayBuffer>) => Result): void {
    if (this.#state === 1) {
      throw new DOMException(
        `Failed to execute '${name}' on 'FileReader': The object is already busy reading Blobs.`,
        "InvalidStateError",
      );
    }
    this.#state = 1;
    this.#result = null;
    this.#error = null;
    const bytes = Blob.bytesOf(blob);
    const size = bytes.byteLength;
    this.#runTasks(++this.#generation, [
      () => this.#fire("loadstart", 0, size),
      () => size > 0 && this.#fire("progress", size, size),
      () => this.#finish(() => convert(bytes), size),
      () => this.#state === 2 && this.#fire("loadend", size, size),
    ]);
  }
  // Each step is a task of its own: what a listener leaves as microtasks is done before the next event.
  #runTasks(generation: number, [step, ...rest]: (() => void)[]): void {
    if (!step) return;
    setRuntimeTimer(() => {
      if (generation !== this.#generation) return;
      this.#runTasks(generation, rest);
      step();
    }, 0);
  }
  #finish(convert: () => Result, size: number): void {
    this.#state = 2;
    try {
      this.#result = convert();
    } catch {
      // Too long for a string, or too large for a buffer.
      this.#error = new DOMException(
        "The requested file could not be read, typically due to permission problems that have occurred after a " +
          "reference to a file was acquired.",
        "NotReadableError",
      );
    }
    this.#fire(this.#error ? "error" : "load", size, size);
  }
  #fire(type: string, loaded: number, total = 0): void {
    fire(this, new ProgressEvent(type, { lengthComputable: total > 0, loaded, total }));
  }
  static override isInstance(value: unknown): value is FileReader {
    return typeof value === "object" && value !== null && #generation in value;
  }
}
const blob = instance("Blob", () => Blob);
defineEventHandlers(
  FileReader.prototype,
  ["loadstart", "progress", "load", "abort", "error", "loadend"],
  FileReader.isInstance,
);
defineInterface(FileReader, {
  name: "FileReader",
  constructorArguments: [],
  constants: { EMPTY: 0, LOADING: 1, DONE: 2 },
  operations: {
    readAsArrayBuffer: [blob],
    readAsText: [blob, DOMString.optional()],
    readAsBinaryString: [blob],
    readAsDataURL: [blob],
  },
});
