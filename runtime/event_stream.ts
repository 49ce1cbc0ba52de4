// HTML §9.2.5–9.2.6: an event stream, read piece by piece.
import { TextDecoder } from "./encoding.ts";

export interface StreamEvent {
  type: string; // empty: none was given
  data: string | null; // null: only the id counts
  lastEventId: string;
}
interface Sink {
  event(event: StreamEvent): void;
  retry(ms: number): void;
}

// A line, or an event's data, beyond this is given up, so that a server cannot fill the memory.
const maxText = 32 * 1024 * 1024;

export class EventStreamParser {
  #decoder = new TextDecoder("utf-8"); // takes the byte order mark off
  #sink: Sink;
  #line = "";
  #afterReturn = false; // the last line ended with CR; a LF that follows belongs to it
  #type = "";
  #data: string[] = [];
  #size = 0;
  #id: string;

  constructor(sink: Sink, lastEventId: string) {
    this.#sink = sink;
    this.#id = lastEventId;
  }
  // Throws for a stream that is too large.
  push(bytes: Uint8Array): void {
    let text = this.#decoder.decode(bytes as Uint8Array<ArrayBuffer>, { stream: true });
    if (text === "") return;
    if (this.#afterReturn && text.startsWith("\n")) text = text.slice(1);
    this.#afterReturn = text.endsWith("\r");
    const lines = (this.#line + text).split(/\r\n|\n|\r/);
    this.#line = lines.pop()!;
    for (const line of lines) this.#take(line);
    if (this.#line.length + this.#size > maxText) throw new RangeError("An event is too large");
  }

  #take(line: string): void {
    if (line === "") {
      this.#dispatch();
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const rest = colon < 0 ? "" : line.slice(colon + 1);
    const value = rest.startsWith(" ") ? rest.slice(1) : rest;
    if (field === "event") {
      this.#type = value;
    } else if (field === "data") {
      this.#data.push(value);
      this.#size += value.length + 1;
    } else if (field === "id") {
      if (!value.includes("\0")) this.#id = value;
    } else if (field === "retry" && /^[0-9]+$/.test(value)) {
      this.#sink.retry(Number(value));
    }
  }
  #dispatch(): void {
    const data = this.#data.length > 0 ? this.#data.join("\n") : null;
    const type = this.#type;
    this.#data = [];
    this.#size = 0;
    this.#type = "";
    this.#sink.event({ type, data, lastEventId: this.#id });
  }
}
