// DOM §7.1: DOMTokenList, of the attribute "class".
import type { Element } from "./dom_element.ts";
import { boolean, defineInterface, DOMString } from "./webidl.ts";

export class DOMTokenList {
  #element: Element;
  constructor(element: Element) {
    this.#element = element;
  }
  #tokens(): string[] {
    return this.#element.className.split(/[\t\n\f\r ]+/).filter(Boolean);
  }
  #write(tokens: readonly string[]): void {
    this.#element.className = [...new Set(tokens)].join(" ");
  }
  get length(): number {
    return this.#tokens().length;
  }
  get value(): string {
    return this.#element.className;
  }
  item(index: number): string | null {
    return this.#tokens()[index] ?? null;
  }
  contains(token: string): boolean {
    return this.#tokens().includes(token);
  }
  add(...tokens: string[]): void {
    this.#write([...this.#tokens(), ...tokens]);
  }
  remove(...tokens: string[]): void {
    this.#write(this.#tokens().filter((each) => !tokens.includes(each)));
  }
  toggle(token: string, force: boolean | undefined): boolean {
    const wanted = force ?? !this.contains(token);
    if (wanted) this.add(token);
    else this.remove(token);
    return wanted;
  }
  toString(): string {
    return this.#element.className;
  }
  static isInstance(value: unknown): value is DOMTokenList {
    return typeof value === "object" && value !== null && #element in value;
  }
}
defineInterface(DOMTokenList, {
  name: "DOMTokenList",
  exposed: "page",
  operations: { contains: [DOMString], toggle: [DOMString, boolean.optional()] },
});
