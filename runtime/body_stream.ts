// Bodies that travel as BodyChunk messages: what the other side streams to us, and what we stream to it. The receiver
// grants credit, the sender never has more under way than that (vigil.proto, "A body too large …").
import type { BodyChunk } from "#ipc/vigil.ts";
import type { Body as HttpBody } from "#ipc/storage.ts";
import { port } from "./port.ts";
import { ReadableStream } from "./streams.ts";

const initialCredit = 256 * 1024;
const creditStep = 64 * 1024; // grant in steps of this size, not per chunk
const chunkSize = 64 * 1024;
export const inlineLimit = 256 * 1024;

// ------------------------------------------------------------------------------------------------- incoming
// What has arrived of one body. The table holds this and not the IncomingBody: that one is collected when no script can
// read it any more, and then its sender must not be held either.
interface Arrival {
  queue: Uint8Array[];
  finished: boolean;
  failure: { reason: unknown } | null;
  wake: (() => void) | null;
  controller: WeakRef<Controller> | null; // of the stream that scripts read it through
}
interface Controller {
  error(reason: unknown): void;
  close(): void;
}
const incoming = new Map<number, Arrival>();
const abandoned = new FinalizationRegistry<number>((stream) => {
  if (incoming.delete(stream)) port.notify({ bodyCancel: { stream } });
});
const brokenOff = new WeakSet<object>(); // what reads fail with when the sender broke off
function accept(chunk: BodyChunk): void {
  const arrival = incoming.get(chunk.stream);
  if (!arrival) return;
  if (chunk.data.byteLength > 0) arrival.queue.push(chunk.data);
  if (chunk.error) {
    const reason = new TypeError("network error", { cause: chunk.error });
    brokenOff.add(reason);
    arrival.failure = { reason };
  }
  if (chunk.fin || chunk.error) {
    arrival.finished = true;
    incoming.delete(chunk.stream);
  }
  if (!arrival.wake) settle(arrival);
  arrival.wake?.();
  arrival.wake = null;
}
// Ends the stream with its content, also when nobody is reading at the moment.
function settle(arrival: Arrival): void {
  if (!arrival.finished || arrival.queue.length > 0) return;
  const controller = arrival.controller?.deref();
  arrival.controller = null;
  if (arrival.failure) controller?.error(arrival.failure.reason);
  else controller?.close();
}

export class IncomingBody {
  #stream: number;
  #arrival: Arrival = { queue: [], finished: false, failure: null, wake: null, controller: null };
  #owed = 0;
  #held: unknown;

  constructor(stream: number) {
    this.#stream = stream;
    incoming.set(stream, this.#arrival);
    abandoned.register(this, stream);
  }
  static brokeOff(reason: unknown): boolean {
    return typeof reason === "object" && reason !== null && brokenOff.has(reason);
  }
  // The next piece, or null at the end. One caller at a time.
  async next(): Promise<Uint8Array | null> {
    const arrival = this.#arrival;
    while (arrival.queue.length === 0 && !arrival.finished) {
      await new Promise<void>((resolve) => (arrival.wake = resolve));
    }
    const piece = arrival.queue.shift();
    if (piece) {
      this.#pay(piece.byteLength);
      return piece;
    }
    if (arrival.failure) throw arrival.failure.reason;
    return null;
  }
  get failure(): { reason: unknown } | null {
    return this.#arrival.failure;
  }
  // Lives as long as somebody can read this body.
  hold(object: unknown): void {
    this.#held = object;
  }
  // What is not read yet is lost; whoever reads hears of the reason.
  abort(reason: unknown): void {
    const arrival = this.#arrival;
    if (arrival.finished && arrival.queue.length === 0) return;
    arrival.failure = { reason };
    const controller = arrival.controller?.deref();
    this.cancel();
    controller?.error(reason);
  }
  cancel(): void {
    this.#arrival.queue = [];
    this.#arrival.finished = true;
    this.#arrival.controller = null;
    this.#arrival.wake?.();
    if (incoming.delete(this.#stream)) port.notify({ bodyCancel: { stream: this.#stream } });
  }
  #pay(bytes: number): void {
    this.#owed += bytes;
    if (this.#arrival.finished || this.#owed < creditStep) return;
    port.notify({ credit: { stream: this.#stream, bytes: this.#owed } });
    this.#owed = 0;
  }
  asReadableStream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        type: "bytes",
        start: (controller) => {
          this.#arrival.controller = new WeakRef(controller);
          settle(this.#arrival);
        },
        pull: async (controller) => {
          const piece = await this.next();
          if (piece) {
            controller.enqueue(piece as Uint8Array<ArrayBuffer>);
            settle(this.#arrival);
          } else {
            this.#arrival.controller = null;
            controller.close();
            controller.byobRequest?.respond(0);
          }
        },
        cancel: () => this.cancel(),
      },
      { highWaterMark: 0 },
    );
  }
}

// ------------------------------------------------------------------------------------------------- outgoing
interface Outgoing {
  source: ByteSource;
  credit: number;
  cancelled: boolean;
  wake: (() => void) | null;
}
const outgoing = new Map<number, Outgoing>();
let lastOutgoing = 0;

// Something that yields pieces until null.
export interface ByteSource {
  next(): Promise<Uint8Array | null>;
  cancel(reason?: unknown): void;
}

export interface OutgoingBody {
  body: HttpBody | undefined;
  start(): Promise<void>;
  // Nobody wants it any more, for that reason.
  cancel(reason: unknown): void;
}
// Returns what goes into the message; start() must be called after the message was sent. size: of a source that is
// here as a whole.
export function streamOut(source: ByteSource, size: number | undefined): OutgoingBody {
  const stream = ++lastOutgoing;
  const state: Outgoing = { source, credit: initialCredit, cancelled: false, wake: null };
  outgoing.set(stream, state);
  return {
    body: { stream, size },
    start: () => pump(stream, state),
    cancel: (reason) => cancelOutgoing(state, reason),
  };
}
function cancelOutgoing(state: Outgoing, reason?: unknown): void {
  if (state.cancelled) return;
  state.cancelled = true;
  state.source.cancel(reason);
  state.wake?.();
}
async function pump(stream: number, state: Outgoing): Promise<void> {
  try {
    while (!state.cancelled) {
      const piece = await state.source.next();
      if (state.cancelled) break;
      if (!piece) {
        port.notify({ chunk: { stream, fin: true } });
        break;
      }
      await sendPiece(stream, state, piece);
    }
  } catch (error) {
    if (!state.cancelled) port.notify({ chunk: { stream, error: String(error) } });
  } finally {
    outgoing.delete(stream);
  }
}
async function sendPiece(stream: number, state: Outgoing, piece: Uint8Array): Promise<void> {
  let offset = 0;
  while (offset < piece.byteLength && !state.cancelled) {
    if (state.credit <= 0) {
      await new Promise<void>((resolve) => (state.wake = resolve));
      continue;
    }
    const size = Math.min(chunkSize, state.credit, piece.byteLength - offset);
    state.credit -= size;
    port.notify({ chunk: { stream, data: piece.subarray(offset, offset + size) } });
    offset += size;
  }
}
export function sourceOf(bytes: Uint8Array): ByteSource {
  let left: Uint8Array | null = bytes;
  return {
    next: () => {
      const piece = left;
      left = null;
      return Promise.resolve(piece);
    },
    cancel: () => {
      left = null;
    },
  };
}

export function installBodyStreams(): void {
  port.on("chunk", accept);
  port.on("credit", ({ stream, bytes }) => {
    const state = outgoing.get(stream);
    if (!state) return;
    state.credit += bytes;
    state.wake?.();
    state.wake = null;
  });
  port.on("bodyCancel", ({ stream }) => {
    const state = outgoing.get(stream);
    if (state) cancelOutgoing(state);
  });
}
