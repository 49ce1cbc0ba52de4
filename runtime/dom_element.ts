// DOM §4.9: Element, and the mixins of DOM §4.2 that it shares with others.
import { DocumentFragment, elementNode, Node, Text } from "./dom_node.ts";
import { matchesSelector, selectAll, setTreeReader } from "./dom_selectors.ts";
import { DOMTokenList } from "./dom_token_list.ts";
import { setHandler } from "./event_handlers.ts";
import { parseHtmlFragment, serializeHtml } from "./html.ts";
import { native } from "./native.ts";
import { any, boolean, defineInterface, DOMString, nullable } from "./webidl.ts";

export const htmlNamespace = "http://www.w3.org/1999/xhtml";

// ParentNode and ChildNode of DOM §4.2 for every class that has them.
type NodeOrText = Node | string;
function toNodes(parent: Node, given: readonly NodeOrText[]): Node[] {
  const document = parent.ownerDocument ?? parent;
  return given.map((each) => (Node.isInstance(each) ? each : new Text(DOMString(each), document)));
}
const childElements = (node: Node): Element[] => Node.childrenOf(node).filter(Element.isInstance);

export interface ParentNode {
  readonly children: readonly Element[];
  readonly firstElementChild: Element | null;
  readonly lastElementChild: Element | null;
  readonly childElementCount: number;
  append(...nodes: NodeOrText[]): void;
  prepend(...nodes: NodeOrText[]): void;
  replaceChildren(...nodes: NodeOrText[]): void;
  querySelector(selectors: string): Element | null;
  querySelectorAll(selectors: string): readonly Element[];
}
const parentNode = {
  get children(): readonly Element[] {
    return childElements(this as unknown as Node);
  },
  get firstElementChild(): Element | null {
    return childElements(this as unknown as Node)[0] ?? null;
  },
  get lastElementChild(): Element | null {
    return childElements(this as unknown as Node).at(-1) ?? null;
  },
  get childElementCount(): number {
    return childElements(this as unknown as Node).length;
  },
  append(this: Node, ...nodes: NodeOrText[]): void {
    for (const node of toNodes(this, nodes)) this.appendChild(node);
  },
  prepend(this: Node, ...nodes: NodeOrText[]): void {
    const first = this.firstChild;
    for (const node of toNodes(this, nodes)) this.insertBefore(node, first);
  },
  replaceChildren(this: Node, ...nodes: NodeOrText[]): void {
    Node.replaceAll(this, toNodes(this, nodes));
  },
  querySelector(this: Node, selectors: string): Element | null {
    return selectAll(this, DOMString(selectors), 1)[0] ?? null;
  },
  querySelectorAll(this: Node, selectors: string): readonly Element[] {
    return selectAll(this, DOMString(selectors));
  },
};
const childNode = {
  before(this: Node, ...nodes: NodeOrText[]): void {
    for (const node of toNodes(this, nodes)) this.parentNode?.insertBefore(node, this);
  },
  after(this: Node, ...nodes: NodeOrText[]): void {
    const { parentNode: parent, nextSibling } = this;
    for (const node of toNodes(this, nodes)) parent?.insertBefore(node, nextSibling);
  },
  replaceWith(this: Node, ...nodes: NodeOrText[]): void {
    Reflect.apply(childNode.before, this, nodes);
    Node.detach(this);
  },
  remove(this: Node): void {
    Node.detach(this);
  },
};
export function mixin(prototype: object, members: object): void {
  Object.defineProperties(prototype, Object.getOwnPropertyDescriptors(members));
}
export { parentNode as parentNodeMembers };
mixin(DocumentFragment.prototype, parentNode);
defineInterface(DocumentFragment, { name: "DocumentFragment", exposed: "page" });

export interface Attribute {
  readonly name: string;
  readonly value: string;
}

export interface Element extends ParentNode {
  before(...nodes: NodeOrText[]): void;
  after(...nodes: NodeOrText[]): void;
  replaceWith(...nodes: NodeOrText[]): void;
  remove(): void;
}
export class Element extends Node {
  #localName: string;
  #namespace: string | null;
  #attributes = new Map<string, string>();
  constructor(localName: string, namespace: string | null, document: Node | null) {
    super(elementNode, document);
    this.#localName = localName;
    this.#namespace = namespace;
  }
  get localName(): string {
    return this.#localName;
  }
  get namespaceURI(): string | null {
    return this.#namespace;
  }
  get tagName(): string {
    return this.#namespace === htmlNamespace ? this.#localName.toUpperCase() : this.#localName;
  }
  override get nodeName(): string {
    return this.tagName;
  }
  get attributes(): readonly Attribute[] {
    return [...this.#attributes].map(([name, value]) => ({ name, value }));
  }
  getAttributeNames(): string[] {
    return [...this.#attributes.keys()];
  }
  getAttribute(name: string): string | null {
    return this.#attributes.get(this.#key(name)) ?? null;
  }
  setAttribute(name: string, value: string): void {
    Element.set(this, this.#key(name), value);
  }
  setAttributeNS(_namespace: unknown, name: string, value: string): void {
    Element.set(this, name, value);
  }
  removeAttribute(name: string): void {
    Element.set(this, this.#key(name), null);
  }
  hasAttribute(name: string): boolean {
    return this.#attributes.has(this.#key(name));
  }
  hasAttributes(): boolean {
    return this.#attributes.size > 0;
  }
  toggleAttribute(name: string, force: boolean | undefined): boolean {
    const wanted = force ?? !this.hasAttribute(name);
    if (wanted !== this.hasAttribute(name)) Element.set(this, this.#key(name), wanted ? "" : null);
    return wanted;
  }
  #key(name: string): string {
    return this.#namespace === htmlNamespace ? name.toLowerCase() : name;
  }
  get id(): string {
    return this.getAttribute("id") ?? "";
  }
  set id(value: string) {
    this.setAttribute("id", value);
  }
  get className(): string {
    return this.getAttribute("class") ?? "";
  }
  set className(value: string) {
    this.setAttribute("class", value);
  }
  get classList(): object {
    return new DOMTokenList(this);
  }
  get innerHTML(): string {
    return serializeHtml(this);
  }
  set innerHTML(value: string) {
    Node.replaceAll(this, parseHtmlFragment(value, this));
  }
  get outerHTML(): string {
    return serializeHtml(this, true);
  }
  insertAdjacentHTML(position: string, html: string): void {
    this.#insertAdjacent(position, parseHtmlFragment(html, this));
  }
  insertAdjacentElement(position: string, element: Element): Element {
    this.#insertAdjacent(position, [element]);
    return element;
  }
  #insertAdjacent(position: string, nodes: readonly Node[]): void {
    const where = position.toLowerCase();
    if (where === "beforebegin") this.before(...nodes);
    else if (where === "afterbegin") this.prepend(...nodes);
    else if (where === "beforeend") this.append(...nodes);
    else this.after(...nodes);
  }
  matches(selectors: string): boolean {
    return matchesSelector(this, selectors);
  }
  closest(selectors: string): Element | null {
    for (let node: Node | null = this; Element.isInstance(node); node = node.parentElement) {
      if (matchesSelector(node, selectors)) return node;
    }
    return null;
  }
  getElementsByTagName(name: string): readonly Element[] {
    return elementsByTagName(this, name);
  }
  getElementsByClassName(names: string): readonly Element[] {
    return elementsByClassName(this, names);
  }
  // Nothing is laid out.
  getBoundingClientRect(): object {
    return { x: 0, y: 0, width: 0, height: 0, top: 0, right: 0, bottom: 0, left: 0 };
  }
  scrollIntoView(): void {}

  static override isInstance(value: unknown): value is Element {
    return typeof value === "object" && value !== null && #localName in value;
  }
  static set(element: Element, name: string, value: string | null): void {
    if (value === null) element.#attributes.delete(name);
    else element.#attributes.set(name, value);
    if (name.startsWith("on")) setContentHandler(element, name, value);
    Element.attributeChanged(element, name);
  }
  // Set by the file that knows what elements do.
  static attributeChanged: (element: Element, name: string) => void = () => {};
  static copy(element: Element, to: Element): void {
    for (const [name, value] of element.#attributes) Element.set(to, name, value);
  }
}
mixin(Element.prototype, parentNode);
mixin(Element.prototype, childNode);
const text = DOMString;
defineInterface(Element, {
  name: "Element",
  exposed: "page",
  operations: {
    getAttribute: [text],
    setAttribute: [text, text],
    setAttributeNS: [any, text, text],
    removeAttribute: [text],
    hasAttribute: [text],
    toggleAttribute: [text, boolean.optional()],
    insertAdjacentHTML: [text, text],
    matches: [text],
    closest: [text],
    getElementsByTagName: [text],
    getElementsByClassName: [text],
  },
  setters: { id: text, className: text, innerHTML: nullable(text) },
});
setTreeReader({
  isElement: Element.isInstance,
  name: (element) => element.localName,
  attribute: (element, name) => element.getAttribute(name),
});

export function elementsByTagName(root: Node, name: string): readonly Element[] {
  const wanted = name.toLowerCase();
  const found: Element[] = [];
  Node.visit(root, (node) => {
    if (node !== root && Element.isInstance(node) && (wanted === "*" || node.localName === wanted)) found.push(node);
  });
  return found;
}
export function elementsByClassName(root: Node, names: string): readonly Element[] {
  const wanted = names.split(/[\t\n\f\r ]+/).filter(Boolean);
  const found: Element[] = [];
  Node.visit(root, (node) => {
    if (node === root || !Element.isInstance(node) || wanted.length === 0) return;
    const has = node.className.split(/[\t\n\f\r ]+/);
    if (wanted.every((each) => has.includes(each))) found.push(node);
  });
  return found;
}

// HTML "event handler content attributes": the text is the body of a function.
function setContentHandler(element: Element, name: string, value: string | null): void {
  if (value === null) {
    setHandler(element, name.slice(2), null);
    return;
  }
  try {
    setHandler(element, name.slice(2), native.runScript(`(function ${name}(event) {\n${value}\n})`, ""));
  } catch (error) {
    setHandler(element, name.slice(2), () => {
      throw error;
    });
  }
}
