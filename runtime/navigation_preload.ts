// Service Workers §3.5: NavigationPreloadManager.
import type { NavigationPreloadState } from "#ipc/vigil.ts";
import { port } from "./port.ts";
import { ByteString, defineInterface } from "./webidl.ts";

export class NavigationPreloadManager {
  #registrationId: number;
  constructor(registrationId: number) {
    this.#registrationId = registrationId;
  }
  async enable(): Promise<void> {
    await this.#call({ enabled: true });
  }
  async disable(): Promise<void> {
    await this.#call({ enabled: false });
  }
  async setHeaderValue(headerValue: string): Promise<void> {
    if (/[\0\r\n]/.test(headerValue)) {
      throw new TypeError(
        `The string provided to setHeaderValue ('${headerValue}') is not a valid HTTP header field value.`,
      );
    }
    await this.#call({ headerValue });
  }
  async getState(): Promise<object> {
    const { enabled, headerValue } = await this.#call({});
    return { enabled, headerValue };
  }
  async #call(change: { enabled?: boolean; headerValue?: string }): Promise<NavigationPreloadState> {
    const reply = await port.request({ registrationId: this.#registrationId, navigationPreload: change });
    return reply.navigationPreload!;
  }
  static isInstance(value: unknown): value is NavigationPreloadManager {
    return typeof value === "object" && value !== null && #registrationId in value;
  }
}
defineInterface(NavigationPreloadManager, {
  name: "NavigationPreloadManager",
  operations: { setHeaderValue: [ByteString] },
});
