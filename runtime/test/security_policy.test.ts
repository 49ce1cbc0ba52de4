// Content security policies, as far as the worker's own process knows them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Scope } from "./harness.ts";

const violation = (blockedUri: string, reportOnly = false) => ({
  blockedUri,
  effectiveDirective: "script-src",
  originalPolicy: "default-src 'self'",
  reportOnly,
  consoleText: `${blockedUri} is against the policy`,
});
const listen = `addEventListener("securitypolicyviolation", e => console.log([e.constructor.name, e.blockedURI,
  e.violatedDirective, e.effectiveDirective, e.originalPolicy, e.disposition, e.documentURI, e.isTrusted, e.statusCode].join()));`;
const told = (blocked: string, disposition = "enforce") =>
  `SecurityPolicyViolationEvent,${blocked},script-src,script-src,default-src 'self',${disposition},https://app.example/sw.js,true,0`;
const wasm = "0,97,115,109,1,0,0,0";

test("strings make no code when the policy refuses it", async () => {
  await using worker = await Scope.serviceWorker(
    `${listen} const tries = [() => eval("1"), () => new Function("1"), () => (0, eval)("1"),
      () => setTimeout("console.log('ran')", 0), () => eval(7)];
    for (const each of tries) try { console.log("gave", each()) } catch (x) { console.log(x.name + ": " + x.message) }`,
    (start) => (start.serviceWorker.eval = { refusal: "not here", violations: [violation("eval")] }),
  );
  await worker.advance(5);
  const lines = worker.lines.filter((line) => line !== "eval is against the policy");
  assert.deepEqual(lines.slice(0, 5), [
    "EvalError: not here",
    "EvalError: not here",
    "EvalError: not here",
    "gave 0",
    "gave 7",
  ]);
  assert.deepEqual(lines.slice(5), Array(4).fill(told("eval")));
  assert.equal(worker.lines.length, lines.length + 4);
});

test("what is only reported happens, and is told", async () => {
  await using worker = await Scope.serviceWorker(
    `${listen} console.log(eval("6 * 7"))`,
    (start) => (start.serviceWorker.eval = { refusal: "", violations: [violation("eval", true)] }),
  );
  await worker.advance(5);
  assert.deepEqual(worker.lines, ["eval is against the policy", "42", told("eval", "report")]);
});

test("WebAssembly is compiled unless the policy refuses it", async () => {
  const script = `${listen} WebAssembly.compile(new Uint8Array([${wasm}])).then(() => console.log("compiled"),
    x => console.log(x.name + ": " + x.message.includes("not this")))`;
  await using refused = await Scope.serviceWorker(
    script,
    (start) => (start.serviceWorker.wasm = { refusal: "not this", violations: [violation("wasm-eval")] }),
  );
  await refused.advance(5);
  assert.deepEqual(refused.lines.toSorted(), ["CompileError: true", told("wasm-eval"), "wasm-eval is against the policy"]);
  await using free = await Scope.serviceWorker(script);
  assert.deepEqual(free.lines, ["compiled"]);
});

test("what the daemon kept from the network becomes an event", async () => {
  await using worker = await Scope.serviceWorker(listen);
  await worker.send({ cspViolation: violation("https://other.example/") });
  assert.deepEqual(worker.lines, ["https://other.example/ is against the policy", told("https://other.example/")]);
});

test("the developer's own code and scripts' events are not held back", async () => {
  await using worker = await Scope.serviceWorker(
    `const e = new SecurityPolicyViolationEvent("x", { disposition: "report", lineNumber: 3, sample: "s" });
    console.log(e.disposition, e.lineNumber, e.sample, e.blockedURI === "")`,
    (start) => (start.serviceWorker.eval = { refusal: "not here", violations: [] }),
  );
  await worker.send({ evaluate: { id: 1, code: "1 + 1", name: "dev" } });
  assert.equal(worker.of("evaluateResult")[0].json, "2");
  assert.deepEqual(worker.lines, ["report 3 s true"]);
});
