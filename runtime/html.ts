// HTML §13.2: text becomes a tree of nodes, and back (npm parse5).
import { type DefaultTreeAdapterMap, parse, parseFragment, serialize, serializeOuter, type Token, type TreeAdapter } from "parse5";
import type { Element } from "./dom_element.ts";
import { Comment, DocumentFragment, DocumentType, Node, Text } from "./dom_node.ts";

// What makes elements; html_elements.ts gives it, since it needs this file.
export interface ElementMaker {
  make(localName: string, namespace: string | null, document: Node): Element;
  isElement(node: Node): node is Element;
  setAttribute(element: Element, name: string, value: string): void;
  templateContent(element: Element): DocumentFragment | null;
  disarm(node: Node): void; // a script that came by innerHTML never runs
}
let maker: ElementMaker;
export function setElementMaker(given: ElementMaker): void {
  maker = given;
}

interface Types extends DefaultTreeAdapterMap {}
// parse5 is generic over the tree, but its types for that need a map of every node kind.
type Adapter = TreeAdapter<Types>;

function adapterFor(document: Node): Adapter {
  const insertText = (parent: Node, text: string, before: Node | null) => {
    const neighbour = before ? before.previousSibling : parent.lastChild;
    if (neighbour && Text.isInstance(neighbour)) neighbour.appendData(text);
    else parent.insertBefore(new Text(text, document), before);
  };
  const adapter = {
    createDocument: () => document,
    createDocumentFragment: () => new DocumentFragment(document),
    createElement(name: string, namespace: string, attributes: Token.Attribute[]) {
      const element = maker.make(name, namespace, document);
      for (const { name: key, value, prefix } of attributes) {
        maker.setAttribute(element, prefix ? `${prefix}:${key}` : key, value);
      }
      return element;
    },
    createCommentNode: (data: string) => new Comment(data, document),
    createTextNode: (data: string) => new Text(data, document),
    appendChild: (parent: Node, child: Node) => void parent.appendChild(child),
    insertBefore: (parent: Node, child: Node, before: Node) => void parent.insertBefore(child, before),
    setTemplateContent: (template: Element, content: Node) =>
      void maker.templateContent(template)?.appendChild(content),
    getTemplateContent: (template: Element) => maker.templateContent(template),
    setDocumentType(to: Node, name: string) {
      to.appendChild(new DocumentType(name, document));
    },
    setDocumentMode() {},
    getDocumentMode: () => "no-quirks",
    detachNode: (node: Node) => Node.detach(node),
    insertText: (parent: Node, text: string) => insertText(parent, text, null),
    insertTextBefore: insertText,
    adoptAttributes(to: Element, attributes: Token.Attribute[]) {
      for (const { name, value } of attributes) if (!to.hasAttribute(name)) maker.setAttribute(to, name, value);
    },
    getFirstChild: (node: Node) => node.firstChild,
    getChildNodes: (node: Node) => Node.childrenOf(node),
    getParentNode: (node: Node) => node.parentNode,
    getAttrList: (element: Element) => element.attributes.map(({ name, value }) => ({ name, value })),
    getTagName: (element: Element) => element.localName,
    getNamespaceURI: (element: Element) => element.namespaceURI,
    getTextNodeContent: (node: Text) => node.data,
    getCommentNodeContent: (node: Comment) => node.data,
    getDocumentTypeNodeName: (node: DocumentType) => node.name,
    getDocumentTypeNodePublicId: () => "",
    getDocumentTypeNodeSystemId: () => "",
    isTextNode: (node: Node) => Text.isInstance(node),
    isCommentNode: (node: Node) => Comment.isInstance(node),
    isDocumentTypeNode: (node: Node) => DocumentType.isInstance(node),
    isElementNode: (node: Node) => maker.isElement(node),
    setNodeSourceCodeLocation() {},
    getNodeSourceCodeLocation: () => null,
    updateNodeSourceCodeLocation() {},
  };
  return adapter as unknown as Adapter;
}

// Fills an empty document.
export function parseInto(document: Node, html: string): void {
  parse<Types>(html, { treeAdapter: adapterFor(document) });
}
export function parseHtmlFragment(html: string, context: Element): Node[] {
  const treeAdapter = adapterFor(context.ownerDocument!);
  const fragment = parseFragment<Types>(context as never, html, { treeAdapter });
  Node.visit(fragment as unknown as Node, (node) => maker.disarm(node));
  return [...Node.childrenOf(fragment as unknown as Node)];
}
export function serializeHtml(node: Element, outer = false): string {
  const treeAdapter = adapterFor(node.ownerDocument!);
  return outer ? serializeOuter<Types>(node as never, { treeAdapter }) : serialize<Types>(node as never, { treeAdapter });
}
