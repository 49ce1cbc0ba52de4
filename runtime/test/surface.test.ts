// The service worker's global scope beside Chromium's, interface by interface and member by member: names, how they are
// defined, numbers of arguments. What differs is listed with its reason, and nothing else may differ.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { evaluator } from "./harness.ts";
import {
  fromLine,
  interfaceMembers,
  membersOf,
  readDeviations,
  type Surface,
  walk,
} from "./surface/surface.ts";

const read = (name: string) => readFileSync(new URL(`./surface/${name}`, import.meta.url), "utf8");
const lacking = readDeviations(read("lacking.txt"));
const beyond = readDeviations(read("beyond.txt"));

// Everything by one name: "Interface", "Interface.member", "Interface::static", "globalMember".
function chromium(): Map<string, string> {
  const all = new Map<string, string>();
  for (const line of read("chromium.txt").split("\n").filter((each) => each !== "" && !each.startsWith("#"))) {
    const { name, members } = fromLine(line);
    for (const [key, text] of members) {
      if (name === "(global)" && key !== "") all.set(key.slice(1), text);
      else if (name === "(absent)" && key !== "") all.set(text, text);
      else if (!name.startsWith("(")) all.set(name + key, text);
    }
  }
  return all;
}
function ours(surface: Surface): Map<string, string> {
  const language = new Set(runInNewContext("Object.getOwnPropertyNames(globalThis)") as string[]);
  const all = new Map<string, string>();
  for (const [name, facts] of Object.entries(surface.interfaces)) {
    if (language.has(name)) continue;
    for (const [key, text] of interfaceMembers(name, facts)) all.set(name + key, text);
  }
  for (const [name, text] of membersOf(surface.others)) if (!language.has(name)) all.set(name, text);
  return all;
}

test("the scope has what Chromium's has, but for what is listed with a reason", async () => {
  await using worker = await evaluator();
  const expected = chromium();
  const found = ours((await worker.run(`return (${walk.toString()})()`)) as Surface);
  const faults: string[] = [];
  for (const [key, text] of expected) {
    const owner = key.replace(/(\.|::).*/, "");
    if (owner !== key && !found.has(owner)) continue; // said once, for the interface
    const listed = lacking.find((each) => each.matches(key) || each.matches(owner));
    const present = found.get(key);
    if (present === undefined) {
      if (!listed) faults.push(`${key} is missing: Chromium has "${text}"`);
    } else if (listed) {
      faults.push(`${key} is there: take "${listed.name}" out of lacking.txt`);
    } else if (present !== text) {
      faults.push(`${key} is "${present}": Chromium has "${text}"`);
    }
  }
  for (const [key, text] of found) {
    if (!expected.has(key) && !beyond.some((each) => each.matches(key))) {
      faults.push(`"${text}" (${key}) is there: Chromium does not have it`);
    }
  }
  assert.deepEqual(faults, []);
});

test("no line of the lists is out of date", () => {
  const expected = [...chromium().keys()];
  assert.deepEqual(lacking.filter((each) => !expected.some(each.matches)).map(({ name }) => name), []);
  assert.deepEqual(beyond.filter((each) => expected.some(each.matches)).map(({ name }) => name), []);
});
