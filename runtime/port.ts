// The port: how the façades ask for what scripts cannot do alone. Requests with an answer, messages without one, and
// streams of bytes. Here it runs over the worker's socket (native.send and host.receive); any other transport that
// carries the same messages will do.
import { type DeepPartial, type Reply, type Request, ToDaemon, ToWorker } from "#ipc/vigil.ts";
import { exceptionFor } from "./domexception.ts";
import { native } from "./native.ts";
import { encodeWith } from "./wire.ts";

export type PartialRequest = DeepPartial<Omit<Request, "id">>;
export type Ask = Partial<Omit<Request, "id">>;
export type Notice = DeepPartial<ToDaemon>;
export type ToWorkerKind = Exclude<keyof ToWorker, "seq">;
type Handler<K extends ToWorkerKind> = (message: NonNullable<ToWorker[K]>) => void;

export interface CancellableRequest {
  id: number;
  reply: Promise<Reply>;
  cancel(): void;
}

export interface Port {
  // Rejects with the DOMException or TypeError that the other side answers with.
  request(request: PartialRequest): Promise<Reply>;
  // The same, with a way to say that the answer is no longer wanted.
  cancellableRequest(request: PartialRequest): CancellableRequest;
  // Without a promise: answered in a task of its own, before any reaction to a promise. The request is whole. It goes out
  // at the end of the task, so that what a task asks for travels together.
  ask(request: Ask, answered: (reply: Reply) => void, failed: (reason: Error) => void): void;
  // The same for what needs no answer.
  tell(request: Ask): void;
  requestSync(request: PartialRequest): Reply;
  notify(message: Notice): void;
  // One handler per kind of message that is not a reply.
  on<K extends ToWorkerKind>(kind: K, handler: Handler<K>): void;
}

interface Waiting {
  resolve(reply: Reply): void;
  reject(reason: unknown): void;
}

class SocketPort implements Port {
  #nextId = 1;
  #waiting = new Map<number, Waiting>();
  #handlers = new Map<ToWorkerKind, (message: never) => void>();

  request(request: PartialRequest): Promise<Reply> {
    return new Promise((resolve, reject) => this.#send(request, { resolve, reject }));
  }

  cancellableRequest(request: PartialRequest): CancellableRequest {
    let id = 0;
    const reply = new Promise<Reply>((resolve, reject) => {
      id = this.#send(request, { resolve, reject });
    });
    const cancel = () => {
      if (this.#waiting.delete(id)) this.notify({ cancelRequest: id });
    };
    return { id, reply, cancel };
  }

  ask(request: Ask, answered: (reply: Reply) => void, failed: (reason: Error) => void): void {
    const id = this.#nextId++;
    this.#waiting.set(id, { resolve: answered, reject: failed as (reason: unknown) => void });
    this.#sendSoon(request, id);
  }

  tell(request: Ask): void {
    this.#sendSoon(request, 0);
  }

  #sendSoon(request: Ask, id: number): void {
    native.send(encodeWith(ToDaemon, { request: { registrationId: 0, ...request, id } } as ToDaemon), true);
  }

  requestSync(request: PartialRequest): Reply {
    const bytes = encode({ request: { ...request, id: this.#nextId++ } });
    const { reply } = ToWorker.decode(native.requestSync(bytes));
    if (!reply) throw new TypeError("No answer");
    if (reply.failure) throw exceptionFor(reply.failure);
    return reply;
  }

  notify(message: Notice): void {
    native.send(encode(message));
  }

  on<K extends ToWorkerKind>(kind: K, handler: Handler<K>): void {
    this.#handlers.set(kind, handler as (message: never) => void);
  }

  // Called with every message but the first.
  receive(message: ToWorker): void {
    if (message.reply) {
      const { reply } = message;
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (!waiting) return;
      if (reply.failure) waiting.reject(exceptionFor(reply.failure));
      else waiting.resolve(reply);
      return;
    }
    for (const kind in message) {
      const body = message[kind as ToWorkerKind];
      if (body === undefined || kind === "seq") continue;
      const handler = this.#handlers.get(kind as ToWorkerKind);
      if (handler) handler(body as never);
    }
  }

  #send(request: PartialRequest, waiting: Waiting): number {
    const id = this.#nextId++;
    this.#waiting.set(id, waiting);
    native.send(encode({ request: { ...request, id } }));
    return id;
  }
}

function encode(message: Notice): Uint8Array {
  return encodeWith(ToDaemon, ToDaemon.fromPartial(message));
}

export const socketPort = new SocketPort();
export const port: Port = socketPort;
