// Compression Standard: CompressionStream and DecompressionStream over the native codecs.
import { type Codec, native } from "./native.ts";
import {
  enqueueWhenWanted,
  type ReadableStream,
  TransformStream,
  type TransformStreamDefaultController,
  type WritableStream,
} from "./streams.ts";
import { type BufferSource, bufferSource, bytesOf, converter, defineInterface, DOMString, fail } from "./webidl.ts";

type Format = "deflate" | "deflate-raw" | "gzip";
const format = converter((value): Format => {
  const name = DOMString(value);
  if (!["deflate", "deflate-raw", "gzip"].includes(name)) fail(`Unsupported compression format: '${name}'`);
  return name as Format;
});
const none = new Uint8Array();
// So much output of one chunk may wait for its reader. A few bytes of input can become gigabytes.
const maxWaiting = 1024 * 1024;

type Controller = TransformStreamDefaultController<Uint8Array>;
async function run(codec: Codec, given: Uint8Array, finish: boolean, controller: Controller): Promise<void> {
  let input = given;
  let waiting = 0;
  for (;;) {
    const piece = native.codecRun(codec, input, finish);
    if (!piece) return;
    waiting += piece.byteLength;
    if (waiting < maxWaiting) {
      controller.enqueue(piece);
      continue;
    }
    // While this waits the script may change its buffer.
    if (input === given) input = given.slice();
    await enqueueWhenWanted(controller, piece);
  }
}

function transformer(compress: boolean, given: Format): TransformStream<BufferSource, Uint8Array> {
  const codec = native.codecOpen(compress, given);
  const close = () => native.codecClose(codec);
  return new TransformStream<BufferSource, Uint8Array>({
    transform: (chunk, controller) => run(codec, bytesOf(bufferSource(chunk)), false, controller),
    async flush(controller) {
      await run(codec, none, true, controller);
      close();
    },
    cancel: close,
  });
}

function codecStream(compress: boolean) {
  return class CodecStream {
    #pair: TransformStream<BufferSource, Uint8Array>;
    constructor(given: Format) {
      this.#pair = transformer(compress, given);
    }
    get readable(): ReadableStream<Uint8Array> {
      return this.#pair.readable;
    }
    get writable(): WritableStream<BufferSource> {
      return this.#pair.writable;
    }
    static isInstance(value: unknown): value is CodecStream {
      return typeof value === "object" && value !== null && #pair in value;
    }
  };
}
defineInterface(codecStream(true), { name: "CompressionStream", constructorArguments: [format] });
defineInterface(codecStream(false), { name: "DecompressionStream", constructorArguments: [format] });
