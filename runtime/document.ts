// DOM §4.5 and HTML §3.1: Document. A tree that scripts can read and change, without layout, styles or a user.
import { CustomEvent } from "./custom_event.ts";
import {
  Element,
  elementsByClassName,
  elementsByTagName,
  htmlNamespace,
  mixin,
  type ParentNode,
  parentNodeMembers,
} from "./dom_element.ts";
import { Comment, DocumentFragment, documentNode, Node, Text } from "./dom_node.ts";
import { DOMException } from "./domexception.ts";
import { defineEventHandlers } from "./event_handlers.ts";
import { Event } from "./events.ts";
import { makeElement } from "./html_elements.ts";
import { MessageEvent } from "./message_events.ts";
import { documentUrl } from "./page_location.ts";
import { currentScript } from "./page_scripts.ts";
import { environment } from "./url.ts";
import { defineInterface, DOMString, nullable } from "./webidl.ts";

// document.cookie: page_cookies.ts gives it.
export interface CookieAccess {
  get(): string;
  set(cookie: string): void;
}
let cookies: CookieAccess = { get: () => "", set() {} };
export function setCookieAccess(access: CookieAccess): void {
  cookies = access;
}

const validName = /^[A-Za-z_:\u0080-\uffff][^\s/>]*$/;
const legacyEvents: Record<string, new (type: string) => Event> = {
  event: Event,
  events: Event,
  htmlevents: Event,
  customevent: CustomEvent,
  messageevent: MessageEvent,
};

export interface Document extends ParentNode {}
export class Document extends Node {
  #readyState = "loading";
  #referrer = "";
  #visible = true;
  #contentType = "text/html";
  constructor() {
    super(documentNode, null);
  }
  override get nodeName(): string {
    return "#document";
  }
  get title(): string {
    const title = elementsByTagName(this, "title")[0];
    return (title?.textContent ?? "").replace(/[\t\n\f\r ]+/g, " ").trim();
  }
  set title(value: string) {
    const title = elementsByTagName(this, "title")[0] ?? this.createElement("title");
    if (!title.parentNode) this.head?.appendChild(title);
    title.textContent = value;
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
    return this.#contentType;
  }
  get compatMode(): string {
    return "CSS1Compat";
  }
  get cookie(): string {
    return cookies.get();
  }
  set cookie(value: string) {
    cookies.set(value);
  }
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
  set location(value: object) {
    (globalThis as unknown as { location: { href: unknown } }).location.href = value;
  }
  get documentElement(): Element | null {
    return this.firstElementChild;
  }
  get head(): Element | null {
    return this.#part("head");
  }
  get body(): Element | null {
    return this.#part("body");
  }
  #part(name: string): Element | null {
    const root = this.documentElement;
    return root ? (Node.childrenOf(root).filter(Element.isInstance).find((each) => each.localName === name) ?? null) : null;
  }
  get activeElement(): Element | null {
    return this.body;
  }
  get scripts(): readonly Element[] {
    return elementsByTagName(this, "script");
  }
  get forms(): readonly Element[] {
    return elementsByTagName(this, "form");
  }
  get images(): readonly Element[] {
    return elementsByTagName(this, "img");
  }
  get links(): readonly Element[] {
    return this.querySelectorAll("a[href]");
  }
  hasFocus(): boolean {
    return true;
  }
  createElement(name: string): Element {
    if (!validName.test(name)) {
      throw new DOMException(`The tag name provided ('${name}') is not a valid name.`, "InvalidCharacterError");
    }
    return makeElement(name.toLowerCase(), htmlNamespace, this);
  }
  createElementNS(namespace: string | null, name: string): Element {
    return makeElement(name, namespace, this);
  }
  createTextNode(data: string): Text {
    return new Text(data, this);
  }
  createComment(data: string): Comment {
    return new Comment(data, this);
  }
  createDocumentFragment(): DocumentFragment {
    return new DocumentFragment(this);
  }
  createEvent(name: string): Event {
    const cls = legacyEvents[name.toLowerCase()];
    if (!cls) {
      throw new DOMException(`The provided event type ('${name}') is invalid.`, "NotSupportedError");
    }
    return new cls("");
  }
  importNode(node: Node, deep: boolean): Node {
    return node.cloneNode(deep);
  }
  getElementById(id: string): Element | null {
    let found: Element | null = null;
    if (id) Node.visit(this, (node) => (Element.isInstance(node) && node.id === id ? (found ??= node) : null));
    return found;
  }
  getElementsByTagName(name: string): readonly Element[] {
    return elementsByTagName(this, name);
  }
  getElementsByClassName(names: string): readonly Element[] {
    return elementsByClassName(this, names);
  }
  getElementsByName(name: string): readonly Element[] {
    return elementsByTagName(this, "*").filter((each) => each.getAttribute("name") === name);
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
  static initialize(document: Document, referrer: string, contentType: string): void {
    document.#referrer = referrer;
    document.#contentType = contentType.split(";")[0]!.trim().toLowerCase() || "text/html";
  }
}
mixin(Document.prototype, parentNodeMembers);
defineEventHandlers(
  Document.prototype,
  ["readystatechange", "visibilitychange", "click", "keydown", "mousedown"],
  Document.isInstance,
);
const text = DOMString;
defineInterface(Document, {
  name: "Document",
  exposed: "page",
  setters: { title: text, cookie: text },
  operations: {
    createElement: [text],
    createElementNS: [nullable(text), text],
    createTextNode: [text],
    createComment: [text],
    createEvent: [text],
    getElementById: [text],
    getElementsByTagName: [text],
    getElementsByClassName: [text],
    getElementsByName: [text],
  },
});
