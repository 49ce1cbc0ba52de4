// What of an HTML document matters to a page without a DOM: its scripts in document order, title, base URL and manifest.
import { type DefaultTreeAdapterTypes, parse } from "parse5";

export interface ScriptElement {
  attributes: Map<string, string>;
  text: string;
}
export interface DocumentContent {
  title: string;
  base: string | null; // href of the first <base>
  manifest: string | null; // href of <link rel=manifest>
  language: string;
  scripts: ScriptElement[];
}

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;

function textOf(element: Element): string {
  return element.childNodes.map((node) => ("value" in node ? node.value : "")).join("");
}

export function parseDocument(html: string): DocumentContent {
  const content: DocumentContent = { title: "", base: null, manifest: null, language: "", scripts: [] };
  let titleSeen = false;
  const visit = (node: Node) => {
    if ("tagName" in node) {
      const attributes = new Map(node.attrs.map(({ name, value }): [string, string] => [name, value]));
      switch (node.tagName) {
        case "html":
          content.language = attributes.get("lang") ?? "";
          break;
        case "title":
          if (!titleSeen) content.title = textOf(node).replace(/[\t\n\f\r ]+/g, " ").trim();
          titleSeen = true;
          break;
        case "base":
          content.base ??= attributes.get("href") ?? null;
          break;
        case "link":
          if ((attributes.get("rel") ?? "").toLowerCase().split(/\s+/).includes("manifest")) {
            content.manifest ??= attributes.get("href") ?? null;
          }
          break;
        case "script":
          content.scripts.push({ attributes, text: textOf(node) });
          break;
      }
    }
    // The content of <template> is inert; parse5 keeps it apart from the children.
    if ("childNodes" in node) node.childNodes.forEach(visit);
  };
  visit(parse(html));
  return content;
}
