#!/usr/bin/env node
// Makes runtime/test/surface/chromium.txt: what of Chromium's service worker scope Vigil's is compared with.
// usage: surface-table.mjs REFERENCE.json > runtime/test/surface/chromium.txt
// REFERENCE.json describes the global object of a real service worker: {globals: {name: {k, e, c, w, len, statics,
// proto, parent}}}. Of the families that lacking.txt names with a * only the names are kept; the language's own objects
// are left out.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { interfaceMembers, membersOf, readDeviations, toLine } from "../runtime/test/surface/surface.ts";

const directory = join(import.meta.dirname, "../runtime/test/surface");
const lacking = readDeviations(readFileSync(join(directory, "lacking.txt"), "utf8"));
const language = new Set(runInNewContext("Object.getOwnPropertyNames(globalThis)"));
const { globals } = JSON.parse(readFileSync(process.argv[2], "utf8"));

function factOf({ k, e, c, w, len = 0, v = 0 }) {
  const flags = (w ? "w" : "") + (e ? "e" : "") + (c ? "c" : "");
  const kinds = { "accessor-rw": "attribute", "accessor-ro": "readonly", function: "function", number: "number" };
  return { kind: kinds[k] ?? "other", type: k, flags, length: len, value: v };
}
function factsOf(given = {}) {
  const entries = Object.entries(given);
  return Object.fromEntries(
    entries.map(([name, each]) => [name.replace(/^Symbol\(Symbol\.(.*)\)$/, "@@$1"), factOf(each)]),
  );
}
function lineOf(name, given) {
  const { parent, statics, proto } = given;
  const length = given.len ?? proto?.constructor?.len ?? 0;
  const fact = { ...factOf(given), flags: `${given.w === 0 ? "" : "w"}${given.e ? "e" : ""}${given.c ? "c" : ""}` };
  return toLine(interfaceMembers(name, { parent, length, prototype: factsOf(proto), statics: factsOf(statics), fact }));
}

const lines = [];
const absent = [];
const others = {};
for (const [name, given] of Object.entries(globals)) {
  if (language.has(name)) continue;
  if (lacking.some((each) => each.name.endsWith("*") && each.matches(name))) absent.push(name);
  else if (given.proto) lines.push(lineOf(name, given));
  else others[name] = { ...given, w: given.k === "function" ? 1 : 0 };
}
const members = [...membersOf(factsOf(others)).values()].sort();
console.log(`# Made by tools/surface-table.mjs from a description of Chromium 156's service worker scope; notation: surface.ts
(absent) : ${absent.sort().join(" ")}
(global) : ${members.join(" ")}
${lines.sort().join("\n")}`);
