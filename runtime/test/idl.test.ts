// The interfaces of Background Sync and Periodic Background Sync as Web IDL wants them, in a worker and in a page:
// exposure, constructors, prototypes, attributes, operations, and what happens on objects of another kind.
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluator, Scope } from "./harness.ts";

interface Interface {
  exposed: ("worker" | "page")[];
  parent: string; // "" for none
  construct?: string[]; // the events: arguments that make one
  attributes: string[];
  operations: Record<string, number>; // promise-returning, with their length
}
const interfaces: Record<string, Interface> = {
  SyncManager: {
    exposed: ["worker", "page"],
    parent: "",
    attributes: [],
    operations: { register: 1, getTags: 0 },
  },
  PeriodicSyncManager: {
    exposed: ["worker", "page"],
    parent: "",
    attributes: [],
    operations: { register: 1, getTags: 0, unregister: 1 },
  },
  SyncEvent: {
    exposed: ["worker"],
    parent: "ExtendableEvent",
    construct: ["'sync'", "{ tag: 't' }"],
    attributes: ["tag", "lastChance"],
    operations: {},
  },
  PeriodicSyncEvent: {
    exposed: ["worker"],
    parent: "ExtendableEvent",
    construct: ["'periodicsync'", "{ tag: 't' }"],
    attributes: ["tag"],
    operations: {},
  },
};

// Runs in the scope under test: everything that is wrong, as sentences. Its text is all that goes there.
async function faultsOf(name: string, expected: Interface): Promise<string[]> {
  const scope = globalThis as any;
  const faults: string[] = [];
  const check = (right: boolean, fault: string) => void (right || faults.push(`${name}: ${fault}`));
  const flags = (d: PropertyDescriptor | undefined) =>
    d && `${d.writable ? "w" : "-"}${d.enumerable ? "e" : "-"}${d.configurable ? "c" : "-"}`;
  const throws = (run: () => unknown) => {
    try {
      run();
      return "";
    } catch (error) {
      return (error as Error).name;
    }
  };
  const own = (object: object, key: PropertyKey) => Object.getOwnPropertyDescriptor(object, key);

  check(flags(own(scope, name)) === "w-c", "is not a writable, hidden, configurable global");
  const made = scope[name];
  check(typeof made === "function" && made.name === name, "is not a function of that name");
  check(made.length === (expected.construct?.length ?? 0), `takes ${made.length} arguments`);
  check(flags(own(made, "prototype")) === "---", "has a prototype that can be changed");
  const parent = expected.parent ? scope[expected.parent] : Function.prototype;
  check(Object.getPrototypeOf(made) === parent, "inherits from another constructor");
  const prototype = made.prototype;
  const above = expected.parent ? scope[expected.parent].prototype : Object.prototype;
  check(Object.getPrototypeOf(prototype) === above, "has a prototype that inherits from another");
  check(prototype.constructor === made && flags(own(prototype, "constructor")) === "w-c", "has another constructor");
  const tag = own(prototype, Symbol.toStringTag);
  check(tag?.value === name && flags(tag) === "--c", "has no proper class string");
  check(throws(() => made()) === "TypeError", "can be called");
  if (!expected.construct) check(throws(() => new made()) === "TypeError", "can be constructed");

  for (const attribute of expected.attributes) {
    const descriptor = own(prototype, attribute);
    check(descriptor?.get?.name === `get ${attribute}` && !descriptor.set, `${attribute} is not a read-only accessor`);
    check(descriptor?.enumerable === true && descriptor.configurable === true, `${attribute} is hidden or fixed`);
    for (const other of [{}, prototype, undefined]) {
      check(throws(() => descriptor!.get!.call(other)) === "TypeError", `${attribute} answers for another object`);
    }
  }
  for (const [operation, length] of Object.entries(expected.operations)) {
    const descriptor = own(prototype, operation);
    check(flags(descriptor) === "wec", `${operation} is not an ordinary method`);
    check(descriptor?.value.length === length && descriptor.value.name === operation, `${operation} has another length`);
    for (const other of [{}, prototype]) {
      // Operations that return promises reject; they do not throw.
      let ended = "";
      check(throws(() => descriptor!.value.call(other, "t").then(null, (error: Error) => (ended = error.name))) === "", `${operation} throws`);
      await null;
      await null;
      check(ended === "TypeError", `${operation} works on another object`);
    }
    if (length === 0) continue;
    const manager = name === "SyncManager" ? scope.__registration.sync : scope.__registration.periodicSync;
    let ended = "";
    await manager[operation]().then(null, (error: Error) => (ended = error.name));
    check(ended === "TypeError", `${operation} needs no argument`);
  }
  const expectedNames = ["constructor", ...expected.attributes, ...Object.keys(expected.operations)].sort();
  check(Object.getOwnPropertyNames(prototype).sort().join() === expectedNames.join(), "has other members");
  return faults;
}

const source = (name: string) => `(${faultsOf.toString()})(${JSON.stringify(name)}, ${JSON.stringify(interfaces[name])})`;

test("the interfaces of both specifications are right in a worker", async () => {
  await using worker = await evaluator();
  await worker.run("globalThis.__registration = registration");
  for (const name of Object.keys(interfaces)) {
    assert.deepEqual(await worker.run(`return await ${source(name)}`), [], name);
  }
});

test("pages have those of the managers, and nothing of the events", async () => {
  await using page = await Scope.page("<title>x</title>");
  await page.evaluate("navigator.serviceWorker.ready.then(found => { globalThis.__registration = found; })");
  for (const [name, { exposed }] of Object.entries(interfaces)) {
    if (exposed.includes("page")) assert.deepEqual(await page.evaluate(source(name)), [], name);
    else assert.equal(await page.evaluate(`'${name}' in globalThis`), false, name);
  }
  assert.deepEqual(
    await page.evaluate("['onsync', 'onperiodicsync', 'registration', 'ExtendableEvent'].map(name => name in globalThis)"),
    [false, false, false, false],
  );
});

test("a registration has both managers, always the same and read-only", async () => {
  const code = (registration: string) => `(() => {
    const found = ${registration};
    return [["sync", SyncManager], ["periodicSync", PeriodicSyncManager]].map(([name, type]) => {
      const descriptor = Object.getOwnPropertyDescriptor(ServiceWorkerRegistration.prototype, name);
      const first = found[name];
      found[name] = 5;
      let wrong = "";
      try { descriptor.get.call({}); } catch (error) { wrong = error.name; }
      return [first instanceof type, found[name] === first, descriptor.set === undefined, descriptor.enumerable, wrong,
        Object.prototype.toString.call(first)];
    });
  })()`;
  const expected = [
    [true, true, true, true, "TypeError", "[object SyncManager]"],
    [true, true, true, true, "TypeError", "[object PeriodicSyncManager]"],
  ];
  await using worker = await evaluator();
  assert.deepEqual(await worker.run(`return ${code("registration")}`), expected);
  await using page = await Scope.page("<title>x</title>");
  await page.evaluate("navigator.serviceWorker.ready.then(found => { globalThis.__registration = found; })");
  assert.deepEqual(await page.evaluate(code("__registration")), expected);
});

test("onsync and onperiodicsync are event handlers that hear their events", async () => {
  await using worker = await evaluator();
  for (const type of ["sync", "periodicsync"]) {
    assert.deepEqual(
      await worker.run(`
        const d = Object.getOwnPropertyDescriptor(globalThis, "on${type}");
        const heard = [];
        on${type} = event => heard.push(event.type, event.tag);
        dispatchEvent(new ${type === "sync" ? "SyncEvent" : "PeriodicSyncEvent"}("${type}", { tag: "t" }));
        on${type} = null;
        return [typeof d.get, typeof d.set, d.enumerable, d.configurable, ...heard, on${type}];`),
      ["function", "function", true, true, type, "t", null],
    );
  }
});
