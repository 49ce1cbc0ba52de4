// HTML §10.3: WorkerLocation. (A page has Location, page_location.ts.)
import { defineInterface } from "./webidl.ts";
import { URL } from "./url.ts";

export class WorkerLocation {
  #url: URL;
  constructor(url: string) {
    this.#url = new URL(url);
  }
  get origin(): string {
    return this.#url.origin;
  }
  get protocol(): string {
    return this.#url.protocol;
  }
  get host(): string {
    return this.#url.host;
  }
  get hostname(): string {
    return this.#url.hostname;
  }
  get port(): string {
    return this.#url.port;
  }
  get pathname(): string {
    return this.#url.pathname;
  }
  get search(): string {
    return this.#url.search;
  }
  get hash(): string {
    return this.#url.hash;
  }
  get href(): string {
    return this.#url.href;
  }
  toString(): string {
    return this.#url.href;
  }
  static isInstance(value: unknown): value is WorkerLocation {
    return typeof value === "object" && value !== null && #url in value;
  }
}
defineInterface(WorkerLocation, { name: "WorkerLocation", exposed: "service-worker" });
