// HTML §9.4: MessageChannel and MessagePort.
//
// The two ends of a channel usually live in one process and hand messages to each other. A port that is transferred is
// first "in transit": whoever deserializes the message in this process takes it out again. Only when the message leaves
// the process the channel becomes a remote one, and its messages go through the daemon, which keeps them until the end
// they are for has arrived somewhere.
import { type PortFrame, PortFrame_Kind } from "#ipc/vigil.ts";
import { defineEventHandlers, getHandler, setHandler } from "./event_handlers.ts";
import { EventTarget, fire } from "./events.ts";
import { MessageEvent } from "./message_events.ts";
import { port as daemon } from "./port.ts";
import {
  addTransferable,
  dataCloneError,
  deserializeMessage,
  messageLeaves,
  serializeMessage,
  toTransferList,
} from "./structured_clone.ts";
import { setRuntimeTimer } from "./timers.ts";
import { uuid } from "./url.ts";
import { any, defineInterface } from "./webidl.ts";

// One end of a remote channel, and how both ends of it are called.
class End {
  readonly channel: string;
  readonly side: number;
  constructor(channel: string, side: number) {
    this.channel = channel;
    this.side = side;
  }
  get name(): string {
    return `${this.channel}:${this.side}`;
  }
  static parse(name: string): End {
    const [channel = "", side] = name.split(":");
    return new End(channel, Number(side));
  }
  tell(kind: PortFrame_Kind, data?: Uint8Array): void {
    daemon.notify({ port: { channel: this.channel, side: this.side, kind, data } });
  }
  sendToOther(data: Uint8Array): void {
    new End(this.channel, 1 - this.side).tell(PortFrame_Kind.MESSAGE, data);
  }
}
// What a port is beside the object that scripts see; it moves on when the port is transferred.
class Core {
  port: MessagePort | null = null; // null: in transit
  peer: Core | null = null; // the other end, when it is in this process
  end: End | null = null; // when it is elsewhere
  queue: Uint8Array[] = [];
  started = false;
  receiver: ((message: unknown) => void) | null = null; // in place of events, for ports that scripts never see

  deliver(data: Uint8Array): void {
    this.queue.push(data);
    if (this.started) this.#take();
  }
  start(): void {
    this.started = true;
    for (let i = 0; i < this.queue.length; ++i) this.#take();
  }
  // One message, as a task of its own. What is not taken before a transfer goes along.
  #take(): void {
    queueTask(() => {
      const data = this.port && this.started ? this.queue.shift() : undefined;
      if (!data) return;
      if (this.receiver) this.receiver(readMessage(data));
      else dispatchMessage(this.port!, data, "");
    });
  }
  send(data: Uint8Array): void {
    if (this.end) this.end.sendToOther(data);
    else this.peer?.deliver(data);
  }
  // The end of a remote channel that lives here now.
  settle(end: End): void {
    this.end = end;
    remoteEnds.set(end.name, this);
    end.tell(PortFrame_Kind.CLAIM);
  }
  close(): void {
    if (this.end) {
      remoteEnds.delete(this.end.name);
      this.end.tell(PortFrame_Kind.CLOSE);
    }
    if (this.peer) this.peer.peer = null;
    this.peer = this.end = this.port = null;
  }
}
const transits = new Map<string, Core>(); // by the name that stands for it in the message
// The ends of remote channels that are here, by name; an End itself: it left for another process.
const remoteEnds = new Map<string, Core | End>();

function onFrame({ channel, side, kind, data }: PortFrame): void {
  const end = new End(channel, side);
  const here = remoteEnds.get(end.name);
  if (kind === PortFrame_Kind.FENCE) {
    if (here instanceof End) remoteEnds.delete(end.name);
    end.tell(PortFrame_Kind.DRAINED);
  } else if (kind === PortFrame_Kind.MESSAGE) {
    if (here instanceof End) here.tell(PortFrame_Kind.BOUNCE, data);
    else here?.deliver(data);
  } else if (kind === PortFrame_Kind.CLOSE && here instanceof Core) {
    here.end = null;
    remoteEnds.delete(end.name);
  }
}

function readMessage(data: Uint8Array): unknown {
  try {
    return deserializeMessage(data).value;
  } catch {
    return undefined;
  }
}
export function queueTask(run: () => void): void {
  setRuntimeTimer(run, 0);
}
export function dispatchMessage(target: EventTarget, data: Uint8Array, origin: string): void {
  let event: MessageEvent;
  try {
    const { value, ports } = deserializeMessage(data);
    event = MessageEvent.carrying(new MessageEvent("message", { ports, origin }), value);
  } catch {
    event = new MessageEvent("messageerror", { origin });
  }
  fire(target, event);
}

export class MessagePort extends EventTarget {
  #core: Core | null; // null: closed or transferred
  constructor(core = new Core()) {
    super();
    this.#core = core;
    core.port = this;
  }
  postMessage(message: unknown, options: unknown = undefined): void {
    const transfer = toTransferList(options);
    const index = transfer.indexOf(this);
    if (index >= 0) {
      throw dataCloneError(`Port at index ${index} contains the source port.`);
    }
    MessagePort.send(this, message, transfer);
  }
  start(): void {
    if (this.#core && !this.#core.started) this.#core.start();
  }
  close(): void {
    MessagePort.disentangle(this);
  }
  get onmessage(): object | null {
    return getHandler(this, "message");
  }
  set onmessage(value: unknown) {
    setHandler(this, "message", value);
    this.start();
  }

  static override isInstance(value: unknown): value is MessagePort {
    return typeof value === "object" && value !== null && #core in value;
  }
  static isDetached(port: MessagePort): boolean {
    return port.#core === null;
  }
  static send(port: MessagePort, message: unknown, transfer: readonly object[] = []): void {
    const data = serializeMessage(message, transfer, port.#core?.end ? "leaves" : "stays");
    port.#core?.send(data);
  }
  // For the runtime's own channels. undefined stands for a message that cannot be read.
  static receive(port: MessagePort, receiver: (message: unknown) => void): void {
    if (!port.#core) return;
    port.#core.receiver = receiver;
    port.#core.start();
  }
  static disentangle(port: MessagePort): void {
    port.#core?.close();
    port.#core = null;
  }
  static entangle(one: MessagePort, other: MessagePort): void {
    one.#core!.peer = other.#core;
    other.#core!.peer = one.#core;
  }
  // Transfer steps: takes the port out of this scope. What is returned stands for it in the message.
  static detach(port: MessagePort): string {
    const core = port.#core!;
    port.#core = core.port = null;
    core.started = false;
    const name = core.end?.name ?? `${uuid()}:1`;
    transits.set(name, core);
    return name;
  }
}
defineEventHandlers(MessagePort.prototype, ["messageerror"], MessagePort.isInstance);
defineInterface(MessagePort, { name: "MessagePort", operations: { postMessage: [any, any.optional()] } });

// Transfer-receiving steps.
export function attachPort(name: string): MessagePort {
  const core = transits.get(name) ?? new Core();
  if (!transits.delete(name)) core.settle(End.parse(name));
  return new MessagePort(core);
}
// The message with this port goes to another process.
export function portLeaves(name: string): void {
  const core = transits.get(name);
  if (!core) return;
  transits.delete(name);
  const end = End.parse(name);
  const { peer, queue } = core;
  if (core.end) {
    end.tell(PortFrame_Kind.RELEASE);
    remoteEnds.set(name, end);
    for (const data of queue) end.tell(PortFrame_Kind.BOUNCE, messageLeaves(data));
  } else if (peer) {
    peer.peer = null;
    peer.settle(new End(end.channel, 0));
    for (const data of queue) peer.send(messageLeaves(data));
  }
}
addTransferable<MessagePort>({
  isInstance: MessagePort.isInstance,
  isPort: true,
  fault: (port) => (MessagePort.isDetached(port) ? "A MessagePort is already transferred or closed." : null),
  detach: MessagePort.detach,
  attach: (name) => attachPort(name as string),
  leave: (name) => portLeaves(name as string),
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

export function installMessagePorts(): void {
  daemon.on("port", onFrame);
}
