// DOM §4: Node and the nodes without attributes. The tree that a page's scripts can read and change; nothing is ever laid
// out or painted.
import { DOMException } from "./domexception.ts";
import { EventTarget, setEventParent } from "./events.ts";
import { boolean, converter, defineInterface, DOMString, fail, nullable } from "./webidl.ts";

// What happens when a node becomes part of a document, leaves it, or gets other children (HTML: "insertion steps" …).
export interface NodeHooks {
  connected(node: Node): void;
  disconnected(node: Node): void;
  childrenChanged(node: Node): void;
}
let hooks: NodeHooks = { connected() {}, disconnected() {}, childrenChanged() {} };
export function setNodeHooks(given: NodeHooks): void {
  hooks = given;
}

export const elementNode = 1;
export const textNode = 3;
export const commentNode = 8;
export const documentNode = 9;
export const doctypeNode = 10;
export const fragmentNode = 11;
const typeConstants = {
  ELEMENT_NODE: elementNode,
  ATTRIBUTE_NODE: 2,
  TEXT_NODE: textNode,
  CDATA_SECTION_NODE: 4,
  PROCESSING_INSTRUCTION_NODE: 7,
  COMMENT_NODE: commentNode,
  DOCUMENT_NODE: documentNode,
  DOCUMENT_TYPE_NODE: doctypeNode,
  DOCUMENT_FRAGMENT_NODE: fragmentNode,
};

export class Node extends EventTarget {
  #type: number;
  #parent: Node | null = null;
  #children: Node[] = [];
  #document: Node | null; // a Document; null for the document itself

  constructor(type: number, document: Node | null) {
    super();
    this.#type = type;
    this.#document = document;
  }
  get nodeType(): number {
    return this.#type;
  }
  get nodeName(): string {
    return "#node";
  }
  get nodeValue(): string | null {
    return null;
  }
  set nodeValue(_: string | null) {}
  get ownerDocument(): Node | null {
    return this.#document;
  }
  get parentNode(): Node | null {
    return this.#parent;
  }
  get parentElement(): Node | null {
    const parent = this.#parent;
    return parent && parent.#type === elementNode ? parent : null;
  }
  get isConnected(): boolean {
    return this.getRootNode().#type === documentNode;
  }
  get childNodes(): readonly Node[] {
    return [...this.#children];
  }
  get firstChild(): Node | null {
    return this.#children[0] ?? null;
  }
  get lastChild(): Node | null {
    return this.#children.at(-1) ?? null;
  }
  get previousSibling(): Node | null {
    return this.#sibling(-1);
  }
  get nextSibling(): Node | null {
    return this.#sibling(1);
  }
  #sibling(step: number): Node | null {
    const parent = this.#parent;
    return parent ? (parent.#children[parent.#children.indexOf(this) + step] ?? null) : null;
  }
  get textContent(): string | null {
    return this.#children.map((child) => (child.#type === commentNode ? "" : (child.textContent ?? ""))).join("");
  }
  set textContent(value: string | null) {
    if (this.#type !== elementNode && this.#type !== fragmentNode) return;
    Node.replaceAll(this, value ? [new Text(value, this.#document)] : []);
  }
  hasChildNodes(): boolean {
    return this.#children.length > 0;
  }
  getRootNode(): Node {
    let root: Node = this;
    while (root.#parent) root = root.#parent;
    return root;
  }
  contains(other: Node | null): boolean {
    for (let node = other; node; node = node.#parent) if (node === this) return true;
    return false;
  }
  isSameNode(other: Node | null): boolean {
    return this === other;
  }
  appendChild(node: Node): Node {
    return this.insertBefore(node, null);
  }
  insertBefore(node: Node, child: Node | null): Node {
    if (node.contains(this) || ![documentNode, elementNode, fragmentNode].includes(this.#type)) {
      throw new DOMException("The new child element contains the parent.", "HierarchyRequestError");
    }
    if (child && child.#parent !== this) {
      throw new DOMException(
        "The node before which the new node is to be inserted is not a child of this node.",
        "NotFoundError",
      );
    }
    const before = child === node ? node.nextSibling : child;
    const added = node.#type === fragmentNode ? [...node.#children] : [node];
    for (const each of added) if (each.#parent) Node.detach(each);
    const index = before ? this.#children.indexOf(before) : this.#children.length;
    this.#children.splice(index, 0, ...added);
    for (const each of added) {
      each.#parent = this;
      setEventParent(each, this);
      Node.#adopt(each, this.#document ?? this);
    }
    if (added.length > 0) hooks.childrenChanged(this);
    if (this.isConnected) for (const each of added) Node.visit(each, (inside) => hooks.connected(inside));
    return node;
  }
  removeChild(child: Node): Node {
    if (child.#parent !== this) {
      throw new DOMException("The node to be removed is not a child of this node.", "NotFoundError");
    }
    Node.detach(child);
    return child;
  }
  replaceChild(node: Node, child: Node): Node {
    this.insertBefore(node, child);
    if (child !== node) this.removeChild(child);
    return child;
  }
  cloneNode(deep: boolean): Node {
    const copy = Node.copyOf(this);
    if (deep) for (const child of this.#children) copy.appendChild(child.cloneNode(true));
    return copy;
  }

  static override isInstance(value: unknown): value is Node {
    return typeof value === "object" && value !== null && #children in value;
  }
  static childrenOf(node: Node): readonly Node[] {
    return node.#children;
  }
  static detach(node: Node): void {
    const parent = node.#parent;
    if (!parent) return;
    const wasConnected = node.isConnected;
    parent.#children.splice(parent.#children.indexOf(node), 1);
    node.#parent = null;
    setEventParent(node, null);
    hooks.childrenChanged(parent);
    if (wasConnected) Node.visit(node, (inside) => hooks.disconnected(inside));
  }
  static replaceAll(parent: Node, nodes: readonly Node[]): void {
    for (const child of [...parent.#children]) Node.detach(child);
    for (const node of nodes) parent.appendChild(node);
  }
  // In tree order; what a visit changes is not visited again.
  static visit(node: Node, action: (node: Node) => void): void {
    const all: Node[] = [];
    const collect = (each: Node) => {
      all.push(each);
      each.#children.forEach(collect);
    };
    collect(node);
    all.forEach(action);
  }
  static #adopt(node: Node, document: Node): void {
    if (node.#document === document) return;
    Node.visit(node, (each) => (each.#document = document));
  }
  // Set by the classes that know how.
  static copyOf: (node: Node) => Node = (node) => {
    if (CharacterData.isInstance(node)) {
      return node.nodeType === textNode
        ? new Text(node.data, node.ownerDocument)
        : new Comment(node.data, node.ownerDocument);
    }
    return new DocumentFragment(node.ownerDocument);
  };
}

const node = converter((value): Node => {
  if (!Node.isInstance(value)) fail("parameter 1 is not of type 'Node'.");
  return value;
});
defineInterface(Node, {
  name: "Node",
  exposed: "page",
  constants: typeConstants,
  operations: {
    appendChild: [node],
    insertBefore: [node, nullable(node)],
    removeChild: [node],
    replaceChild: [node, node],
    cloneNode: [boolean.optional(false)],
    contains: [nullable(node)],
  },
  setters: { textContent: nullable(DOMString), nodeValue: nullable(DOMString) },
});

export class CharacterData extends Node {
  #data: string;
  constructor(type: number, data: string, document: Node | null) {
    super(type, document);
    this.#data = data;
  }
  override get nodeName(): string {
    return this.nodeType === textNode ? "#text" : "#comment";
  }
  get data(): string {
    return this.#data;
  }
  set data(value: string) {
    this.#data = value;
  }
  get length(): number {
    return this.#data.length;
  }
  override get nodeValue(): string {
    return this.#data;
  }
  override set nodeValue(value: string | null) {
    this.#data = value ?? "";
  }
  override get textContent(): string {
    return this.#data;
  }
  override set textContent(value: string | null) {
    this.#data = value ?? "";
  }
  appendData(data: string): void {
    this.#data += data;
  }
  remove(): void {
    Node.detach(this);
  }
  static override isInstance(value: unknown): value is CharacterData {
    return typeof value === "object" && value !== null && #data in value;
  }
}
defineInterface(CharacterData, {
  name: "CharacterData",
  exposed: "page",
  operations: { appendData: [DOMString] },
  setters: { data: DOMString, textContent: nullable(DOMString), nodeValue: nullable(DOMString) },
});
export class Text extends CharacterData {
  constructor(data: string, document: Node | null) {
    super(textNode, data, document);
  }
  get wholeText(): string {
    return this.data;
  }
  static override isInstance(value: unknown): value is Text {
    return CharacterData.isInstance(value) && value.nodeType === textNode;
  }
}
defineInterface(Text, { name: "Text", exposed: "page" });
export class Comment extends CharacterData {
  constructor(data: string, document: Node | null) {
    super(commentNode, data, document);
  }
  static override isInstance(value: unknown): value is Comment {
    return CharacterData.isInstance(value) && value.nodeType === commentNode;
  }
}
defineInterface(Comment, { name: "Comment", exposed: "page" });

export class DocumentType extends Node {
  #name: string;
  constructor(name: string, document: Node | null) {
    super(doctypeNode, document);
    this.#name = name;
  }
  get name(): string {
    return this.#name;
  }
  override get nodeName(): string {
    return this.#name;
  }
  static override isInstance(value: unknown): value is DocumentType {
    return typeof value === "object" && value !== null && #name in value;
  }
}
defineInterface(DocumentType, { name: "DocumentType", exposed: "page" });

export class DocumentFragment extends Node {
  #brand = true;
  constructor(document: Node | null) {
    super(fragmentNode, document);
  }
  override get nodeName(): string {
    return "#document-fragment";
  }
  static override isInstance(value: unknown): value is DocumentFragment {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
