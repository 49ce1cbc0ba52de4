// HTML §9.5: BroadcastChannel. The daemon carries messages to the other pages and workers of the origin.
import { DOMException } from "./domexception.ts";
import { defineEventHandlers } from "./event_handlers.ts";
import { EventTarget } from "./events.ts";
import { dispatchMessage, queueTask } from "./message_ports.ts";
import { port as daemon } from "./port.ts";
import { serializeMessage } from "./structured_clone.ts";
import { environment } from "./url.ts";
import { any, defineInterface, DOMString } from "./webidl.ts";

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
    const data = serializeMessage(message, [], "stays");
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
      if (!this.#closed) dispatchMessage(this, data, environment.origin);
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

export function installBroadcastChannels(): void {
  daemon.on("broadcast", ({ channel, data }) => BroadcastChannel.receive(channel, data));
}
