// HTML §4: the elements that do something without being seen: they load scripts, images and style sheets, or name
// a URL. All others are plain HTMLElements. Which element fetches what is in element_fetch.ts.
import { Element, htmlNamespace } from "./dom_element.ts";
import { DocumentFragment, elementNode, Node } from "./dom_node.ts";
import { setElementMaker } from "./html.ts";
import { HTMLElement } from "./html_element.ts";
import { print } from "./console.ts";
import { go } from "./page_location.ts";
import { environment, parseUrl, URL } from "./url.ts";
import { boolean, defineInterface, DOMString, type InterfaceClass } from "./webidl.ts";

// HTML §2.6.1 "reflect": text as it is, url resolved, flag as presence.
type Reflection = "text" | "url" | "flag";
function reflect(cls: InterfaceClass, members: Record<string, Reflection>): Record<string, typeof boolean | typeof DOMString> {
  const setters: Record<string, typeof boolean | typeof DOMString> = {};
  for (const [name, how] of Object.entries(members)) {
    const attribute = name === "htmlFor" ? "for" : name.toLowerCase();
    const accessors = how === "flag"
      ? {
        get [name](): unknown {
          return (this as unknown as Element).hasAttribute(attribute);
        },
        set [name](value: unknown) {
          (this as unknown as Element).toggleAttribute(attribute, value as boolean);
        },
      }
      : {
        get [name](): unknown {
          const given = (this as unknown as Element).getAttribute(attribute);
          return how === "url" && given !== null ? (parseUrl(given)?.href ?? given) : (given ?? "");
        },
        set [name](value: unknown) {
          (this as unknown as Element).setAttribute(attribute, value as string);
        },
      };
    Object.defineProperty(cls.prototype, name, Object.getOwnPropertyDescriptor(accessors, name)!);
    setters[name] = (how === "flag" ? boolean : DOMString) as typeof DOMString;
  }
  return setters;
}

type ElementClass = { new (localName: string, document: Node | null): HTMLElement; isInstance(value: unknown): boolean };
const classes = new Map<string, ElementClass>();
// An element class of which scripts see nothing but reflected attributes.
function plainElement(name: string, tags: readonly string[], members: Record<string, Reflection>): ElementClass {
  const cls = class extends HTMLElement {
    static override isInstance(value: unknown): value is HTMLElement {
      return HTMLElement.isInstance(value) && tags.includes(value.localName);
    }
  };
  const setters = reflect(cls, members);
  defineInterface(cls, { name, exposed: "page", setters });
  for (const tag of tags) classes.set(tag, cls);
  return cls;
}

export class HTMLScriptElement extends HTMLElement {
  #started = false;
  get text(): string {
    return this.textContent ?? "";
  }
  set text(value: string) {
    this.textContent = value;
  }
  // A script that was inserted by a script is asynchronous, unless it says otherwise.
  #forceAsync = true;
  get async(): boolean {
    return this.#forceAsync || this.hasAttribute("async");
  }
  set async(value: boolean) {
    this.#forceAsync = false;
    this.toggleAttribute("async", value);
  }
  static override isInstance(value: unknown): value is HTMLScriptElement {
    return typeof value === "object" && value !== null && #started in value;
  }
  // True once: then it may run.
  static begin(script: HTMLScriptElement): boolean {
    if (script.#started) return false;
    return (script.#started = true);
  }
  static parserInserted(script: HTMLScriptElement): void {
    script.#forceAsync = false;
  }
}
const scriptMembers = reflect(HTMLScriptElement, {
  src: "url",
  type: "text",
  charset: "text",
  crossOrigin: "text",
  integrity: "text",
  referrerPolicy: "text",
  nonce: "text",
  defer: "flag",
  noModule: "flag",
});
defineInterface(HTMLScriptElement, {
  name: "HTMLScriptElement",
  exposed: "page",
  setters: { ...scriptMembers, text: DOMString, async: boolean },
});
classes.set("script", HTMLScriptElement);

export class HTMLTemplateElement extends HTMLElement {
  #content: DocumentFragment | null = null;
  get content(): DocumentFragment {
    return (this.#content ??= new DocumentFragment(this.ownerDocument));
  }
  static override isInstance(value: unknown): value is HTMLTemplateElement {
    return typeof value === "object" && value !== null && #content in value;
  }
}
defineInterface(HTMLTemplateElement, { name: "HTMLTemplateElement", exposed: "page" });
classes.set("template", HTMLTemplateElement);

export class HTMLImageElement extends HTMLElement {
  #loaded = true;
  get complete(): boolean {
    return this.#loaded;
  }
  // An image has no size where nothing is decoded.
  get naturalWidth(): number {
    return 0;
  }
  get naturalHeight(): number {
    return 0;
  }
  static override isInstance(value: unknown): value is HTMLImageElement {
    return typeof value === "object" && value !== null && #loaded in value;
  }
  static setComplete(image: HTMLImageElement, complete: boolean): void {
    image.#loaded = complete;
  }
}
const imageMembers = reflect(HTMLImageElement, {
  src: "url",
  srcset: "text",
  alt: "text",
  crossOrigin: "text",
  referrerPolicy: "text",
  loading: "text",
});
defineInterface(HTMLImageElement, { name: "HTMLImageElement", exposed: "page", setters: imageMembers });
classes.set("img", HTMLImageElement);

export class HTMLAnchorElement extends HTMLElement {
  #brand = true;
  get href(): string {
    const given = this.getAttribute("href");
    return given === null ? "" : (parseUrl(given)?.href ?? given);
  }
  set href(value: string) {
    this.setAttribute("href", value);
  }
  override toString(): string {
    return this.href;
  }
  static override isInstance(value: unknown): value is HTMLAnchorElement {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
for (const part of ["origin", "protocol", "host", "hostname", "port", "pathname", "search", "hash"] as const) {
  const accessors = {
    get [part](): string {
      const url = URL.parse((this as unknown as HTMLAnchorElement).href);
      return url ? url[part] : "";
    },
  };
  Object.defineProperty(HTMLAnchorElement.prototype, part, Object.getOwnPropertyDescriptor(accessors, part)!);
}
const anchorMembers = reflect(HTMLAnchorElement, {
  target: "text",
  rel: "text",
  download: "text",
  type: "text",
  referrerPolicy: "text",
});
defineInterface(HTMLAnchorElement, {
  name: "HTMLAnchorElement",
  exposed: "page",
  setters: { ...anchorMembers, href: DOMString },
});
classes.set("a", HTMLAnchorElement);
// HTML §4.6.4 "follow the hyperlink", in this window.
HTMLElement.activate = (element) => {
  const link = element.closest("a[href]");
  if (!HTMLAnchorElement.isInstance(link) || link.hasAttribute("download")) return;
  const target = link.getAttribute("target") ?? "";
  if (target === "" || target === "_self" || target === "_top") go(link.href);
};

// HTML §4.10.21. Forms are not sent: nobody fills them in.
export class HTMLFormElement extends HTMLElement {
  #brand = true;
  submit(): void {
    HTMLFormElement.submitted(this);
  }
  get elements(): readonly Element[] {
    return this.querySelectorAll("input, textarea, select, button");
  }
  static override isInstance(value: unknown): value is HTMLFormElement {
    return typeof value === "object" && value !== null && #brand in value;
  }
  static submitted: (form: HTMLFormElement) => void = (form) =>
    print("warn", `A form was not sent to ${form.getAttribute("action") ?? environment.url}: use fetch().`);
}
const formMembers = reflect(HTMLFormElement, { action: "url", method: "text", target: "text", enctype: "text", name: "text" });
defineInterface(HTMLFormElement, { name: "HTMLFormElement", exposed: "page", setters: formMembers });
classes.set("form", HTMLFormElement);

plainElement("HTMLHtmlElement", ["html"], {});
plainElement("HTMLHeadElement", ["head"], {});
plainElement("HTMLBodyElement", ["body"], {});
plainElement("HTMLDivElement", ["div"], {});
plainElement("HTMLSpanElement", ["span"], {});
plainElement("HTMLParagraphElement", ["p"], {});
plainElement("HTMLTitleElement", ["title"], {});
plainElement("HTMLStyleElement", ["style"], { media: "text", type: "text" });
plainElement("HTMLBaseElement", ["base"], { href: "url", target: "text" });
plainElement("HTMLMetaElement", ["meta"], { name: "text", content: "text", httpEquiv: "text" });
export const HTMLLinkElement = plainElement("HTMLLinkElement", ["link"], {
  href: "url",
  rel: "text",
  as: "text",
  type: "text",
  media: "text",
  crossOrigin: "text",
  integrity: "text",
  referrerPolicy: "text",
});
plainElement("HTMLInputElement", ["input"], {
  value: "text",
  type: "text",
  name: "text",
  placeholder: "text",
  checked: "flag",
  disabled: "flag",
});
plainElement("HTMLTextAreaElement", ["textarea"], { value: "text", name: "text", disabled: "flag" });
plainElement("HTMLButtonElement", ["button"], { value: "text", type: "text", name: "text", disabled: "flag" });
plainElement("HTMLLabelElement", ["label"], { htmlFor: "text" });

export function makeElement(localName: string, namespace: string | null, document: Node | null): Element {
  if (namespace !== htmlNamespace) return new Element(localName, namespace, document);
  const cls = classes.get(localName) ?? HTMLElement;
  return new cls(localName, document);
}
setElementMaker({
  make: makeElement,
  isElement: Element.isInstance,
  setAttribute: Element.set,
  disarm(node) {
    if (HTMLScriptElement.isInstance(node)) HTMLScriptElement.begin(node);
  },
  templateContent: (element) => (HTMLTemplateElement.isInstance(element) ? element.content : null),
});
const copyNode = Node.copyOf;
Node.copyOf = (node) => {
  if (node.nodeType !== elementNode) return copyNode(node);
  const element = node as Element;
  const copy = makeElement(element.localName, element.namespaceURI, element.ownerDocument);
  Element.copy(element, copy);
  return copy;
};
