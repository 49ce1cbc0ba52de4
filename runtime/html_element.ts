// HTML §3.2: HTMLElement, and CSSOM's style as far as scripts can tell without a layout.
import { Element, htmlNamespace } from "./dom_element.ts";
import type { Node } from "./dom_node.ts";
import { defineEventHandlers } from "./event_handlers.ts";
import { Event, fire } from "./events.ts";
import { boolean, defineInterface, DOMString, nullable } from "./webidl.ts";

const camel = (name: string): string => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
const dashed = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

export class HTMLElement extends Element {
  #style: Record<string, string> | null = null;
  constructor(localName: string, document: Node | null) {
    super(localName, htmlNamespace, document);
  }
  // Kept, and read by nobody.
  get style(): object {
    return (this.#style ??= makeStyle());
  }
  get dataset(): object {
    const element = this;
    const name = (key: string | symbol) => `data-${dashed(String(key))}`;
    return new Proxy({}, {
      get: (_, key) => element.getAttribute(name(key)) ?? undefined,
      set(_, key, value) {
        element.setAttribute(name(key), DOMString(value));
        return true;
      },
      has: (_, key) => element.hasAttribute(name(key)),
      deleteProperty(_, key) {
        element.removeAttribute(name(key));
        return true;
      },
      ownKeys: () =>
        element.getAttributeNames().filter((each) => each.startsWith("data-")).map((each) => camel(each.slice(5))),
      getOwnPropertyDescriptor: (_, key) => {
        const value = element.getAttribute(name(key));
        return value === null ? undefined : { value, writable: true, enumerable: true, configurable: true };
      },
    });
  }
  get hidden(): boolean {
    return this.hasAttribute("hidden");
  }
  set hidden(value: boolean) {
    this.toggleAttribute("hidden", value);
  }
  get innerText(): string {
    return this.textContent ?? "";
  }
  set innerText(value: string) {
    this.textContent = value;
  }
  get title(): string {
    return this.getAttribute("title") ?? "";
  }
  set title(value: string) {
    this.setAttribute("title", value);
  }
  get lang(): string {
    return this.getAttribute("lang") ?? "";
  }
  set lang(value: string) {
    this.setAttribute("lang", value);
  }
  get dir(): string {
    return (this.getAttribute("dir") ?? "").toLowerCase();
  }
  set dir(value: string) {
    this.setAttribute("dir", value);
  }
  click(): void {
    const event = new Event("click", { bubbles: true, cancelable: true, composed: true });
    if (fire(this, event)) HTMLElement.activate(this);
  }
  focus(): void {}
  blur(): void {}
  static override isInstance(value: unknown): value is HTMLElement {
    return typeof value === "object" && value !== null && #style in value;
  }
  // HTML "activation behavior"; set by the file that knows what elements do.
  static activate: (element: HTMLElement) => void = () => {};
}
function makeStyle(): Record<string, string> {
  const style: Record<string, string> = {};
  Object.defineProperties(style, {
    setProperty: { value: (name: unknown, value: unknown) => void (style[camel(String(name))] = String(value)) },
    getPropertyValue: { value: (name: unknown) => style[camel(String(name))] ?? "" },
    removeProperty: { value: (name: unknown) => void delete style[camel(String(name))] },
    cssText: { value: "", writable: true },
  });
  return style;
}
const elementEvents = ["load", "error", "abort", "click", "change", "input", "submit", "keydown", "mousedown"];
defineEventHandlers(HTMLElement.prototype, elementEvents, HTMLElement.isInstance);
defineInterface(HTMLElement, {
  name: "HTMLElement",
  exposed: "page",
  setters: { hidden: boolean, innerText: nullable(DOMString), title: DOMString, lang: DOMString, dir: DOMString },
});
