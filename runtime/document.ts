// The part of a Document that scripts of a page without a DOM can use. Look-ups find nothing; that is the truth here.
import { defineEventHandlers, EventTarget } from "./events.ts";
import { currentScript } from "./page_scripts.ts";
import { documentUrl } from "./page_location.ts";
import { environment } from "./url.ts";
import { defineInterface, DOMString } from "./webidl.ts";

export class Document extends EventTarget {
  #title = "";
  #readyState = "loading";
  #referrer = "";
  #visible = true;
  get title(): string {
    return this.#title;
  }
  set title(value: string) {
    this.#title = value;
  }
  get readyState(): string {
    return this.#readyState;
  }
  get referrer(): string {
    return this.#referrer;
  }
  get URL(): string {
    return documentUrl().href;
  }
  get documentURI(): string {
    return documentUrl().href;
  }
  get baseURI(): string {
    return environment.baseUrl;
  }
  get domain(): string {
    return documentUrl().hostname;
  }
  get characterSet(): string {
    return "UTF-8";
  }
  get contentType(): string {
    return "text/html";
  }
  get compatMode(): string {
    return "CSS1Compat";
  }
  get cookie(): string {
    return "";
  }
  set cookie(_: string) {}
  get hidden(): boolean {
    return !this.#visible;
  }
  get visibilityState(): string {
    return this.#visible ? "visible" : "hidden";
  }
  get currentScript(): object | null {
    return currentScript;
  }
  get defaultView(): object {
    return globalThis;
  }
  get location(): object {
    return (globalThis as unknown as { location: object }).location;
  }
  get documentElement(): null {
    return null;
  }
  get head(): null {
    return null;
  }
  get body(): null {
    return null;
  }
  get activeElement(): null {
    return null;
  }
  get scripts(): readonly object[] {
    return [];
  }
  hasFocus(): boolean {
    return true;
  }
  getElementById(_id: string): null {
    return null;
  }
  querySelector(_selectors: string): null {
    return null;
  }
  querySelectorAll(_selectors: string): readonly object[] {
    return [];
  }
  getElementsByTagName(_name: string): readonly object[] {
    return [];
  }
  getElementsByClassName(_name: string): readonly object[] {
    return [];
  }
  getElementsByName(_name: string): readonly object[] {
    return [];
  }
  static override isInstance(value: unknown): value is Document {
    return typeof value === "object" && value !== null && #readyState in value;
  }
  static setReadyState(document: Document, state: string): void {
    document.#readyState = state;
  }
  static setVisible(document: Document, visible: boolean): void {
    document.#visible = visible;
  }
  static initialize(document: Document, title: string, referrer: string): void {
    document.#title = title;
    document.#referrer = referrer;
  }
}
defineEventHandlers(Document.prototype, ["readystatechange", "visibilitychange"], Document.isInstance);
defineInterface(Document, {
  name: "Document",
  exposed: "page",
  setters: { title: DOMString, cookie: DOMString },
  operations: {
    getElementById: [DOMString],
    querySelector: [DOMString],
    querySelectorAll: [DOMString],
    getElementsByTagName: [DOMString],
    getElementsByClassName: [DOMString],
    getElementsByName: [DOMString],
  },
});
