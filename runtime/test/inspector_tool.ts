// A developer tool that is attached to a scope: its commands and what it hears, as objects.
import type { Scope } from "./harness.ts";

export class Tool {
  readonly #scope: Scope;
  readonly #session: number;
  #calls = 0;

  constructor(scope: Scope, session = 1) {
    this.#scope = scope;
    this.#session = session;
  }
  attach(waits = false): this {
    this.#post({ attach: {} });
    if (waits) this.#post({ paused: true });
    return this;
  }
  detach(): void {
    this.#post({ detach: {} });
  }
  // The number of the command.
  post(method: string, params: object = {}): number {
    const id = ++this.#calls;
    this.#post({ message: JSON.stringify({ id, method, params }) });
    return id;
  }
  // The result, or the error.
  async call(method: string, params: object = {}): Promise<any> {
    return this.answer(this.post(method, params));
  }
  async answer(id: number): Promise<any> {
    await this.#scope.until(() => this.#heard().some((message) => message.id === id));
    const answer = this.#heard().find((message) => message.id === id);
    return answer.result ?? answer.error;
  }
  async value(expression: string, params: object = {}): Promise<any> {
    const answer = await this.call("Runtime.evaluate", { expression, returnByValue: true, ...params });
    return answer.result?.value ?? answer;
  }
  events(method: string): any[] {
    return this.#heard().filter((message) => message.method === method).map((message) => message.params);
  }
  // The count-th event of that name.
  async event(method: string, count = 1): Promise<any> {
    await this.#scope.until(() => this.events(method).length >= count);
    return this.events(method)[count - 1];
  }

  #post(frame: object): void {
    this.#scope.post({ inspector: { session: this.#session, ...frame } });
  }
  #heard(): any[] {
    return this.#scope.of("inspector")
      .filter(({ session, message }) => session === this.#session && message !== undefined)
      .map(({ message }) => JSON.parse(message));
  }
}
