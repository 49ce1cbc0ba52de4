// Streams §8.2: streams can be transferred. The two ends talk over a message channel of their own; each message says
// what happened at one end: a chunk, the close or an error from the writable side, a wish to read from the other.
import { DOMException } from "./domexception.ts";
import { attachPort, MessageChannel, MessagePort, portLeaves } from "./message_ports.ts";
import {
  isLocked,
  isReadableStream,
  isTransformStream,
  isWritableStream,
  joinStreams,
  pipeQuietly,
  ReadableStream,
  sidesOf,
  type TransformStream,
  WritableStream,
} from "./streams.ts";
import { addTransferable } from "./structured_clone.ts";

interface Message {
  type: "chunk" | "close" | "error" | "pull";
  value?: unknown;
}
const unreadable = () => new DOMException("Chunk could not be deserialized.", "DataCloneError");

function sendError(port: MessagePort, value: unknown): void {
  try {
    MessagePort.send(port, { type: "error", value } satisfies Message);
  } catch {
    // An error that cannot be cloned is lost; the channel closes all the same.
  }
}
// What cannot be cloned is an error at both ends.
function sendOrFail(port: MessagePort, message: Message): void {
  try {
    MessagePort.send(port, message);
  } catch (error) {
    sendError(port, error);
    MessagePort.disentangle(port);
    throw error;
  }
}

// The end that is written to here.
function crossRealmWritable(port: MessagePort): WritableStream<unknown> {
  let wanted = Promise.withResolvers<void>(); // resolved: the other end wants a chunk
  return new WritableStream<unknown>({
    start(controller) {
      MessagePort.receive(port, (data) => {
        const message = data as Message | undefined;
        if (message?.type !== "pull") {
          controller.error(message?.type === "error" ? message.value : unreadable());
          if (!message) sendError(port, unreadable());
          MessagePort.disentangle(port);
        }
        wanted.resolve();
      });
    },
    async write(value) {
      await wanted.promise;
      wanted = Promise.withResolvers<void>();
      sendOrFail(port, { type: "chunk", value });
    },
    close() {
      MessagePort.send(port, { type: "close" } satisfies Message);
      MessagePort.disentangle(port);
    },
    abort(reason) {
      sendOrFail(port, { type: "error", value: reason });
      MessagePort.disentangle(port);
    },
  });
}
// The end that is read from here.
function crossRealmReadable(port: MessagePort): ReadableStream<unknown> {
  return new ReadableStream<unknown>(
    {
      start(controller) {
        MessagePort.receive(port, (data) => {
          const message = data as Message | undefined;
          if (message?.type === "chunk") {
            controller.enqueue(message.value);
            return;
          }
          if (message?.type === "close") controller.close();
          else controller.error(message ? message.value : unreadable());
          if (!message) sendError(port, unreadable());
          MessagePort.disentangle(port);
        });
      },
      pull: () => MessagePort.send(port, { type: "pull" } satisfies Message),
      cancel(reason) {
        sendOrFail(port, { type: "error", value: reason });
        MessagePort.disentangle(port);
      },
    },
    { highWaterMark: 0 },
  );
}

type PortPayload = ReturnType<typeof MessagePort.detach>;
function detachReadable(stream: ReadableStream<unknown>): PortPayload {
  const { port1, port2 } = new MessageChannel();
  pipeQuietly(stream, crossRealmWritable(port1));
  return MessagePort.detach(port2);
}
function detachWritable(stream: WritableStream<unknown>): PortPayload {
  const { port1, port2 } = new MessageChannel();
  pipeQuietly(crossRealmReadable(port1), stream);
  return MessagePort.detach(port2);
}
const attachReadable = (payload: unknown) => crossRealmReadable(attachPort(payload as PortPayload));
const attachWritable = (payload: unknown) => crossRealmWritable(attachPort(payload as PortPayload));
const leave = (payload: unknown) => portLeaves(payload as PortPayload);

const locked = (type: string, ...sides: (ReadableStream<unknown> | WritableStream<unknown>)[]): string | null =>
  sides.some(isLocked) ? `A ${type} could not be cloned because it was locked` : null;
addTransferable<ReadableStream<unknown>>({
  isInstance: isReadableStream,
  isPort: false,
  fault: (stream) => locked("ReadableStream", stream),
  detach: detachReadable,
  attach: attachReadable,
  leave,
});
addTransferable<WritableStream<unknown>>({
  isInstance: isWritableStream,
  isPort: false,
  fault: (stream) => locked("WritableStream", stream),
  detach: detachWritable,
  attach: attachWritable,
  leave,
});
addTransferable<TransformStream>({
  isInstance: isTransformStream,
  isPort: false,
  fault: (stream) => locked("TransformStream", sidesOf(stream).readable, sidesOf(stream).writable),
  detach(stream) {
    const { readable, writable } = sidesOf(stream);
    return { readable: detachReadable(readable), writable: detachWritable(writable) };
  },
  attach(payload) {
    const { readable, writable } = payload as { readable: PortPayload; writable: PortPayload };
    return joinStreams(attachReadable(readable), attachWritable(writable));
  },
  leave(payload) {
    const { readable, writable } = payload as { readable: PortPayload; writable: PortPayload };
    leave(readable);
    leave(writable);
  },
});
