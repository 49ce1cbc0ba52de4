// Selectors §3–15: which elements a selector means. css-what reads it; here it is matched, from right to left. What
// depends on layout or on a user's pointer matches nothing.
import { AttributeAction, parse, type Selector, SelectorType } from "css-what";
import type { Element } from "./dom_element.ts";
import { Node } from "./dom_node.ts";
import { DOMException } from "./domexception.ts";

// How the tree is read; Element gives it, since it needs this file.
export interface TreeReader {
  isElement(node: Node | null): node is Element;
  name(element: Element): string;
  attribute(element: Element, name: string): string | null;
}
let tree: TreeReader;
export function setTreeReader(reader: TreeReader): void {
  tree = reader;
}

const parsed = new Map<string, Selector[][]>();
const mostParsed = 200;
function parseSelector(text: string): Selector[][] {
  let selector = parsed.get(text);
  if (!selector) {
    try {
      selector = parse(text);
    } catch {
      throw new DOMException(`'${text}' is not a valid selector.`, "SyntaxError");
    }
    if (parsed.size >= mostParsed) parsed.clear();
    parsed.set(text, selector);
  }
  return selector;
}

export function matchesSelector(element: Element, text: string): boolean {
  return matchesAny(element, parseSelector(text));
}
export function selectAll(root: Node, text: string, most = Infinity): Element[] {
  const selector = parseSelector(text);
  const found: Element[] = [];
  const walk = (node: Node): void => {
    for (const child of Node.childrenOf(node)) {
      if (found.length >= most) return;
      if (!tree.isElement(child)) continue;
      if (matchesAny(child, selector)) found.push(child);
      walk(child);
    }
  };
  walk(root);
  return found.slice(0, most);
}

function matchesAny(element: Element, alternatives: readonly Selector[][]): boolean {
  return alternatives.some((tokens) => matchesFrom(element, tokens, tokens.length - 1));
}
function matchesFrom(element: Element, tokens: readonly Selector[], last: number): boolean {
  for (let i = last; i >= 0; --i) {
    const token = tokens[i]!;
    switch (token.type) {
      case SelectorType.Descendant:
        return ancestors(element).some((each) => matchesFrom(each, tokens, i - 1));
      case SelectorType.Child: {
        const parent = element.parentElement;
        return tree.isElement(parent) && matchesFrom(parent, tokens, i - 1);
      }
      case SelectorType.Adjacent: {
        const [before] = siblingsBefore(element).slice(-1);
        return before !== undefined && matchesFrom(before, tokens, i - 1);
      }
      case SelectorType.Sibling:
        return siblingsBefore(element).some((each) => matchesFrom(each, tokens, i - 1));
      default:
        if (!matchesSimple(element, token)) return false;
    }
  }
  return true;
}
function ancestors(element: Element): Element[] {
  const list: Element[] = [];
  for (let node = element.parentElement; tree.isElement(node); node = node.parentElement) list.push(node);
  return list;
}
function elementSiblings(element: Element): Element[] {
  const parent = element.parentNode;
  return parent ? Node.childrenOf(parent).filter((each) => tree.isElement(each)) : [element];
}
function siblingsBefore(element: Element): Element[] {
  const all = elementSiblings(element);
  return all.slice(0, all.indexOf(element));
}

function matchesSimple(element: Element, token: Selector): boolean {
  switch (token.type) {
    case SelectorType.Universal:
      return true;
    case SelectorType.Tag:
      return tree.name(element) === token.name.toLowerCase();
    case SelectorType.Attribute: {
      const value = tree.attribute(element, token.name);
      const fold = token.ignoreCase === true;
      return value !== null && matchesValue(fold ? value.toLowerCase() : value, token.action,
        fold ? token.value.toLowerCase() : token.value);
    }
    case SelectorType.Pseudo:
      return matchesPseudo(element, token.name, token.data);
    default:
      return false;
  }
}
function matchesValue(value: string, action: AttributeAction, wanted: string): boolean {
  switch (action) {
    case AttributeAction.Exists:
      return true;
    case AttributeAction.Equals:
      return value === wanted;
    case AttributeAction.Element:
      return wanted !== "" && value.split(/[\t\n\f\r ]+/).includes(wanted);
    case AttributeAction.Start:
      return wanted !== "" && value.startsWith(wanted);
    case AttributeAction.End:
      return wanted !== "" && value.endsWith(wanted);
    case AttributeAction.Any:
      return wanted !== "" && value.includes(wanted);
    case AttributeAction.Hyphen:
      return value === wanted || value.startsWith(`${wanted}-`);
    default:
      return value !== wanted;
  }
}
function matchesPseudo(element: Element, name: string, data: Selector[][] | string | null): boolean {
  const siblings = elementSiblings(element);
  switch (name) {
    case "not":
      return !matchesAny(element, data as Selector[][]);
    case "is":
    case "where":
      return matchesAny(element, data as Selector[][]);
    case "first-child":
      return siblings[0] === element;
    case "last-child":
      return siblings.at(-1) === element;
    case "only-child":
      return siblings.length === 1;
    case "empty":
      return Node.childrenOf(element).every((child) => !tree.isElement(child) && child.textContent === "");
    case "root":
      return !element.parentElement;
    case "checked":
      return tree.attribute(element, "checked") !== null;
    case "disabled":
      return tree.attribute(element, "disabled") !== null;
    case "enabled":
      return tree.attribute(element, "disabled") === null;
    default:
      return false;
  }
}
