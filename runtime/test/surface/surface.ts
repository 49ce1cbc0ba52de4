// What a global scope shows of itself, as facts that can be compared: interfaces with their members, how each is
// defined and how many arguments it takes. The notation is that of chromium.txt:
//
//   Name < Parent LENGTH : prototype members ; static members        (no "< Parent": Object)
//   (global) : own members of the global object that are no interfaces
//
// A member is name (read-only attribute), name= (attribute), name/2 (method that takes 2 arguments), name#5 (number),
// name:type (anything else); where it is not writable, enumerable and configurable as Web IDL has it, !flags follows.

export interface Fact {
  kind: "attribute" | "readonly" | "function" | "number" | "other";
  type: string;
  flags: string; // of "wec"
  length: number;
  value: number;
}
export type Facts = Record<string, Fact>;
export interface InterfaceFacts {
  parent: string;
  length: number;
  prototype: Facts;
  statics: Facts;
  fact: Fact;
}
export interface Surface {
  interfaces: Record<string, InterfaceFacts>;
  others: Facts;
}

// Runs in the scope under test: its text is all that goes there.
export function walk(): Surface {
  const factOf = (d: PropertyDescriptor): Fact => {
    const flags = (d.writable ? "w" : "") + (d.enumerable ? "e" : "") + (d.configurable ? "c" : "");
    const base = { type: typeof d.value, flags, length: 0, value: 0 };
    if (d.get) return { ...base, kind: d.set ? "attribute" : "readonly" };
    if (typeof d.value === "function") return { ...base, kind: "function", length: d.value.length };
    if (typeof d.value === "number") return { ...base, kind: "number", value: d.value };
    return { ...base, kind: "other" };
  };
  const factsOf = (object: object) => {
    const facts: Facts = {};
    for (const key of Reflect.ownKeys(object)) {
      facts[String(key).replace(/^Symbol\(Symbol\.(.*)\)$/, "@@$1")] = factOf(
        Object.getOwnPropertyDescriptor(object, key)!,
      );
    }
    return facts;
  };
  const surface: Surface = { interfaces: {}, others: {} };
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    const descriptor = Object.getOwnPropertyDescriptor(globalThis, name)!;
    const { value } = descriptor;
    if (typeof value === "function" && Object.hasOwn(value, "prototype") && /^[A-Z]/.test(name)) {
      surface.interfaces[name] = {
        parent: (Object.getPrototypeOf(value.prototype) as object | null)?.constructor.name ?? "",
        length: value.length,
        prototype: factsOf(value.prototype as object),
        statics: factsOf(value as object),
        fact: factOf(descriptor),
      };
    } else {
      surface.others[name] = factOf(descriptor);
    }
  }
  return surface;
}

const usual = { attribute: "ec", readonly: "ec", function: "wec", number: "e", other: "c" };
function notation(name: string, fact: Fact): string {
  const { kind, type, flags, length, value } = fact;
  const suffix = { attribute: "=", readonly: "", function: `/${length}`, number: `#${value}`, other: `:${type}` }[kind];
  return name + suffix + (flags === usual[kind] ? "" : `!${flags}`);
}
// What every interface has, and so says nothing.
const understood = new Set(["@@toStringTag:string", "name:string", "prototype:object!"]);
export function membersOf(facts: Facts): Map<string, string> {
  const members = new Map<string, string>();
  for (const [name, fact] of Object.entries(facts)) {
    const text = notation(name, fact);
    const length = name === "length" && fact.kind === "number" && fact.flags === "c";
    if (length || understood.has(text) || (name === "constructor" && fact.flags === "wc")) continue;
    members.set(name, text);
  }
  return members;
}

// One interface as it is compared: what stands for itself, then each member by its place and name.
export function interfaceMembers(name: string, facts: InterfaceFacts): Map<string, string> {
  const parent = facts.parent === "Object" ? "" : ` < ${facts.parent}`;
  const hidden = facts.fact.flags === "wc" ? "" : `!${facts.fact.flags}`;
  const members = new Map([["", `${name}${hidden}${parent} ${facts.length}`]]);
  for (const [member, text] of membersOf(facts.prototype)) members.set(`.${member}`, text);
  for (const [member, text] of membersOf(facts.statics)) members.set(`::${member}`, text);
  return members;
}

// A line of chromium.txt and back.
export function toLine(members: Map<string, string>): string {
  const of = (mark: string) => [...members].filter(([key]) => key.startsWith(mark)).map(([, text]) => text).join(" ");
  const statics = of("::");
  return `${members.get("")} : ${of(".")}${statics ? ` ; ${statics}` : ""}`.trimEnd();
}
export function fromLine(line: string): { name: string; members: Map<string, string> } {
  const [head, rest = ""] = line.split(/ :(?: |$)/, 2) as [string, string?];
  const [prototype = "", statics = ""] = rest.split(/(?:^| ); /);
  const members = new Map([["", head]]);
  const take = (mark: string, list: string) => {
    for (const text of list.split(" ").filter(Boolean)) members.set(mark + /^[^=/#:!]+/.exec(text)![0], text);
  };
  take(".", prototype);
  take("::", statics);
  return { name: /^[^ !]+/.exec(head)![0], members };
}

// lacking.txt and beyond.txt: a name, or the beginning of names and *, then why.
export interface Deviation {
  matches(key: string): boolean;
  name: string;
  reason: string;
}
export function readDeviations(text: string): Deviation[] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => {
    const [, name, reason] = /^(\S+)\s+(.+)$/.exec(line)!;
    const start = name!.endsWith("*") ? name!.slice(0, -1) : null;
    return { name: name!, reason: reason!, matches: (key) => (start === null ? key === name : key.startsWith(start)) };
  });
}
