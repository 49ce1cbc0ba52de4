// HTML §9.4–9.5: MessageChannel, MessagePort, BroadcastChannel.
//
// The two ends of a channel usually live in one process. When one is transferred to another process, both ends talk over
// a broadcast channel with a name that nobody else knows.
import { DOMException } from "./domexception.ts";
import { defineEventHandlers, EventTarget, fire, getHandler, setHandler } from "./events.ts";
import { MessageEvent } from "./message_events.ts";
import { port as daemon } from "./port.ts";
import { deserializeMessage, serializeMessage, addTransferable, toTransferList } from "./structured_clone.ts";
import { queueTask } from "./timers.ts";
import { environment, uuid } from "./url.ts";
import { any, defineInterface, DOMString } from "./webidl.ts";

const portChannelPrefix = "\0port:";
const remotePorts = new Map<string, MessagePort>(); // by channel: the end that lives here, the other one elsewhere

function dispatchData(target: EventTarget, data: Uint8Array, origin: string): void {
  let event: MessageEvent;
  try {
    const { value, ports } = deserializeMessage(data);
    event = new MessageEvent("message", { data: value, ports, origin });
  } catch {
    event = new MessageEvent("messageerror", { origin });
  }
  fire(target, event);
}

function readMessage(data: Uint8Array): unknown {
  try {
    return deserializeMessage(data).value;
  } catch {
    return undefined;
  }
}

export class MessagePort extends EventTarget {
  #peer: MessagePort | null = null;
  #channel: string | null = null;
  #queue: Uint8Array[] = [];
  #started = false;
  #closed = false;
  #receiver: ((message: unknown) => void) | null = null; // in place of events, for ports that scripts never see

  postMessage(message: unknown, options: unknown = undefined): void {
    const transfer = toTransferList(options);
    if (transfer.includes(this)) {
      throw new DOMException(
        "Failed to execute 'postMessage' on 'MessagePort': Port at index 0 contains the source port.",
        "DataCloneError",
      );
    }
    MessagePort.send(this, message, transfer);
  }
  static send(port: MessagePort, message: unknown, transfer: readonly object[] = []): void {
    const data = serializeMessage(message, transfer);
    if (port.#closed) return;
    if (port.#peer) MessagePort.deliver(port.#peer, data);
    else if (port.#channel) daemon.notify({ broadcast: { channel: port.#channel, data } });
  }
  // For the runtime's own channels. undefined stands for a message that cannot be read.
  static receive(port: MessagePort, receiver: (message: unknown) => void): void {
    port.#receiver = receiver;
    MessagePort.#start(port);
  }
  static disentangle(port: MessagePort): void {
    MessagePort.#close(port);
  }
  start(): void {
    MessagePort.#start(this);
  }
  static #start(port: MessagePort): void {
    if (port.#started || port.#closed) return;
    port.#started = true;
    for (const data of port.#queue.splice(0)) port.#schedule(data);
  }
  close(): void {
    MessagePort.#close(this);
  }
  static #close(port: MessagePort): void {
    port.#closed = true;
    if (port.#channel) remotePorts.delete(port.#channel);
    const peer = port.#peer;
    port.#peer = null;
    if (peer) peer.#peer = null;
  }
  get onmessage(): object | null {
    return getHandler(this, "message");
  }
  set onmessage(value: unknown) {
    setHandler(this, "message", value);
    this.start();
  }
  #schedule(data: Uint8Array): void {
    queueTask(() => {
      if (this.#closed) return;
      if (this.#receiver) this.#receiver(readMessage(data));
      else dispatchData(this, data, "");
    });
  }
  static deliver(port: MessagePort, data: Uint8Array): void {
    if (port.#closed) return;
    if (port.#started) port.#schedule(data);
    else port.#queue.push(data);
  }
  static override isInstance(value: unknown): value is MessagePort {
    return typeof value === "object" && value !== null && #queue in value;
  }
  static entangle(one: MessagePort, other: MessagePort): void {
    one.#peer = other;
    other.#peer = one;
    one.#channel = other.#channel = null;
  }
  static isDetached(port: MessagePort): boolean {
    return port.#closed;
  }
  // Takes the port out of this scope; what is returned makes it again elsewhere.
  static detach(port: MessagePort): { channel: string; queue: Uint8Array[] } {
    const channel = port.#channel ?? `${portChannelPrefix}${uuid()}`;
    const peer = port.#peer;
    if (peer) {
      peer.#peer = null;
      peer.#channel = channel;
      remotePorts.set(channel, peer);
    } else {
      remotePorts.delete(channel);
    }
    port.#peer = null;
    port.#closed = true;
    return { channel, queue: port.#queue.splice(0) };
  }
  static attach({ channel, queue }: { channel: string; queue: Uint8Array[] }): MessagePort {
    const port = new MessagePort();
    port.#queue = queue;
    const peer = remotePorts.get(channel);
    if (peer) {
      remotePorts.delete(channel);
      MessagePort.entangle(port, peer);
    } else {
      port.#channel = channel;
      remotePorts.set(channel, port);
    }
    return port;
  }
}
defineEventHandlers(MessagePort.prototype, ["messageerror"], MessagePort.isInstance);
defineInterface(MessagePort, { name: "MessagePort", operations: { postMessage: [any, any.optional()] } });
addTransferable<MessagePort>({
  isInstance: MessagePort.isInstance,
  isPort: true,
  fault: (port) => (MessagePort.isDetached(port) ? "A MessagePort is already transferred or closed." : null),
  detach: MessagePort.detach,
  attach: (payload) => MessagePort.attach(payload as { channel: string; queue: Uint8Array[] }),
});

export class MessageChannel {
  #port1 = new MessagePort();
  #port2 = new MessagePort();
  constructor() {
    MessagePort.entangle(this.#port1, this.#port2);
  }
  get port1(): MessagePort {
    return this.#port1;
  }
  get port2(): MessagePort {
    return this.#port2;
  }
  static isInstance(value: unknown): value is MessageChannel {
    return typeof value === "object" && value !== null && #port1 in value;
  }
}
defineInterface(MessageChannel, { name: "MessageChannel", constructorArguments: [] });

const broadcastChannels = new Set<BroadcastChannel>();
export class BroadcastChannel extends EventTarget {
  #name: string;
  #closed = false;
  constructor(name: string) {
    super();
    this.#name = name;
    broadcastChannels.add(this);
  }
  get name(): string {
    return this.#name;
  }
  postMessage(message: unknown): void {
    if (this.#closed) {
      throw new DOMException(
        "Failed to execute 'postMessage' on 'BroadcastChannel': Channel is closed",
        "InvalidStateError",
      );
    }
    const data = serializeMessage(message, []);
    for (const channel of broadcastChannels) {
      if (channel !== this && channel.#name === this.#name) channel.#receive(data);
    }
    daemon.notify({ broadcast: { channel: this.#name, data } });
  }
  close(): void {
    this.#closed = true;
    broadcastChannels.delete(this);
  }
  #receive(data: Uint8Array): void {
    queueTask(() => {
      if (!this.#closed) dispatchData(this, data, environment.origin);
    });
  }
  static override isInstance(value: unknown): value is BroadcastChannel {
    return typeof value === "object" && value !== null && #closed in value;
  }
  static receive(name: string, data: Uint8Array): void {
    for (const channel of broadcastChannels) if (channel.#name === name) channel.#receive(data);
  }
}
defineEventHandlers(BroadcastChannel.prototype, ["message", "messageerror"], BroadcastChannel.isInstance);
defineInterface(BroadcastChannel, {
  name: "BroadcastChannel",
  constructorArguments: [DOMString],
  operations: { postMessage: [any] },
});

export function installMessaging(): void {
  daemon.on("broadcast", ({ channel, data }) => {
    if (!channel.startsWith(portChannelPrefix)) {
      BroadcastChannel.receive(channel, data);
      return;
    }
    const target = remotePorts.get(channel);
    if (target) MessagePort.deliver(target, data);
  });
}
