// File API §6: FileReader.
import { Blob } from "./blob.ts";
import { DOMException } from "./domexception.ts";
import { encodeBytesBase64, TextDecoder } from "./encoding.ts";
import { defineEventHandlers, EventTarget, fire } from "./events.ts";
import { ProgressEvent } from "./message_events.ts";
import { native } from "./native.ts";
import { setRuntimeTimer } from "./timers.ts";
import { defineInterface, DOMString, instance } from "./webidl.ts";

type Result = string | ArrayBuffer | null;

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
    this.#read("readAsText", blob, (bytes) => {
      const charset = /charset=([^;]+)/i.exec(blob.type)?.[1];
      for (const label of [encoding, charset]) {
        try {
          if (label) return new TextDecoder(label).decode(bytes, {});
        } catch {
          // An unknown label counts as absent.
        }
      }
      return native.utf8Decode(bytes, false, false);
    });
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
    if (this.#state !== 1) return;
    ++this.#generation;
    this.#state = 2;
    this.#result = null;
    this.#error = new DOMException("An ongoing read was aborted", "AbortError");
    this.#fire("abort", 0);
    this.#fire("loadend", 0);
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
    const generation = ++this.#generation;
    const bytes = Blob.bytesOf(blob);
    const size = bytes.byteLength;
    setRuntimeTimer(() => {
      if (generation !== this.#generation) return;
      this.#fire("loadstart", 0, size);
      if (generation !== this.#generation) return;
      this.#fire("progress", size, size);
      this.#result = convert(bytes);
      this.#state = 2;
      this.#fire("load", size, size);
      if (this.#state === 2) this.#fire("loadend", size, size);
    }, 0);
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
