// Streams: the reference-quality ponyfill from npm, under the names of the standard, and what the runtime itself needs
// of them.
import {
  ByteLengthQueuingStrategy,
  CountQueuingStrategy,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  TransformStream,
  TransformStreamDefaultController,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
} from "web-streams-polyfill";
import { interfaces } from "./webidl.ts";

export { ReadableStream, TransformStream, WritableStream };
export type { TransformStreamDefaultController };

const classes: Record<string, Function> = {
  ByteLengthQueuingStrategy,
  CountQueuingStrategy,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  TransformStream,
  TransformStreamDefaultController,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
};
// The standard has dropped it.
Reflect.deleteProperty(WritableStreamDefaultController.prototype, "abortReason");
for (const [name, constructor] of Object.entries(classes)) {
  // The bundler renames a class when its name is taken.
  Object.defineProperty(constructor, "name", { value: name, configurable: true });
  interfaces.set(name, { name, constructor, exposed: "everywhere" });
}

// ------------------------------------------------------------------------------------------------- brands and slots
// The ponyfill keeps the standard's internal slots as properties of these names.
interface ReadableSlots {
  _readableStreamController?: object;
  _disturbed: boolean;
}
interface ControllerSlots {
  _controlledTransformStream: { _backpressure: boolean; _backpressureChangePromise: Promise<void> };
}
const has = (value: unknown, slot: string): boolean =>
  typeof value === "object" && value !== null && Object.hasOwn(value, slot);
export function isReadableStream(value: unknown): value is ReadableStream<unknown> {
  return has(value, "_readableStreamController") && has(value, "_disturbed");
}
export function isWritableStream(value: unknown): value is WritableStream<unknown> {
  return has(value, "_writableStreamController") && has(value, "_writeRequests");
}
export function isTransformStream(value: unknown): value is TransformStream<unknown, unknown> {
  return has(value, "_transformStreamController") && has(value, "_backpressure");
}
export function isLocked(stream: ReadableStream<unknown> | WritableStream<unknown>): boolean {
  const { _reader, _writer } = stream as unknown as { _reader?: object; _writer?: object };
  return (_reader ?? _writer) !== undefined;
}
export function sidesOf(stream: TransformStream): { readable: ReadableStream; writable: WritableStream } {
  const { _readable, _writable } = stream as unknown as { _readable: ReadableStream; _writable: WritableStream };
  return { readable: _readable, writable: _writable };
}
export function isDisturbed(stream: ReadableStream<unknown>): boolean {
  return (stream as unknown as ReadableSlots)._disturbed;
}

// ------------------------------------------------------------------------------------------------- operations
// As the prototypes had them before any script could replace them.
type Method = (...args: any[]) => any;
const uncurry = Function.prototype.bind.bind(Function.prototype.call) as (method: Method) => Method;
const pipe = uncurry(ReadableStream.prototype.pipeThrough);
const pipeInto = uncurry(ReadableStream.prototype.pipeTo);
const ignoreRejection = uncurry(Promise.prototype.catch);
const enqueueInto = uncurry(TransformStreamDefaultController.prototype.enqueue);

export function pipeThrough<T, U>(
  stream: ReadableStream<T>,
  pair: { readable: ReadableStream<U>; writable: WritableStream<T> },
): ReadableStream<U> {
  return pipe(stream, pair) as ReadableStream<U>;
}
// Pipes to the end; what goes wrong is told to both streams and to nobody else.
export function pipeQuietly<T>(from: ReadableStream<T>, to: WritableStream<T>): void {
  ignoreRejection(pipeInto(from, to), () => {});
}
// A transform stream over two streams that exist already.
export function joinStreams(readable: ReadableStream<unknown>, writable: WritableStream<unknown>): TransformStream {
  return Object.assign(Object.create(TransformStream.prototype) as TransformStream, {
    _readable: readable,
    _writable: writable,
    _backpressure: undefined,
    _transformStreamController: undefined,
  });
}
// Waits until somebody wants to read. When nobody can any more, enqueue() throws.
export async function enqueueWhenWanted<T>(controller: TransformStreamDefaultController<T>, chunk: T): Promise<void> {
  const stream = (controller as unknown as ControllerSlots)._controlledTransformStream;
  while (stream._backpressure) await stream._backpressureChangePromise;
  enqueueInto(controller, chunk);
}

// Reads a stream of bytes to its end.
export async function readAllBytes(stream: ReadableStream<unknown>): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return concatenate(chunks);
    if (!(value instanceof Uint8Array)) throw new TypeError("Received non-Uint8Array chunk");
    chunks.push(value);
  }
}
export function concatenate(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const chunk of chunks) size += chunk.byteLength;
  const result = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    result.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return result;
}
