// V8's inspector in a worker: what a developer tool sees of a scope, and what it can do to it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluator, origin, Scope } from "./harness.ts";
import { Tool } from "./inspector_tool.ts";

// Scripts that were compiled before a tool came are unknown to it.
async function attachedBefore(script: string): Promise<{ scope: Scope; tool: Tool }> {
  let tool: Tool;
  const scope = await Scope.serviceWorker(script, undefined, (early) => {
    tool = new Tool(early).attach();
    return true;
  });
  return { scope, tool: tool! };
}

test("a tool evaluates in a running service worker", async () => {
  await using scope = await Scope.serviceWorker("globalThis.answer = 42");
  const tool = new Tool(scope).attach();
  const evaluated = await tool.call("Runtime.evaluate", { expression: "answer + registration.scope.length" });
  assert.deepEqual(evaluated, { result: { type: "number", value: 42 + `${origin}/`.length, description: "62" } });
});

test("what scripts print and do not catch reaches the tool, and the daemon once", async () => {
  await using scope = await evaluator();
  const tool = new Tool(scope).attach();
  await tool.call("Runtime.enable");
  await scope.run(`console.log("one", { two: [3] }); setTimeout(() => { throw new RangeError("four") })`);
  await scope.advance(1);
  const [logged] = tool.events("Runtime.consoleAPICalled");
  assert.equal(logged.type, "log");
  assert.deepEqual(logged.args.map(({ type, value }: any) => [type, value]), [["string", "one"], ["object", undefined]]);
  assert.equal(logged.args[1].preview.properties[0].name, "two");
  assert.deepEqual(logged.stackTrace.callFrames.map(({ url }: any) => url).filter((url: string) => url.startsWith("vigil:")), []);
  const [thrown] = tool.events("Runtime.exceptionThrown");
  assert.equal(thrown.exceptionDetails.text, "Uncaught");
  assert.match(thrown.exceptionDetails.exception.description, /^RangeError: four\n/);
  assert.deepEqual(scope.lines.filter((line) => /one|four/.test(line)).length, 2);
});

test("a rejection that is handled late is taken back", async () => {
  await using scope = await evaluator();
  const tool = new Tool(scope).attach();
  await tool.call("Runtime.enable");
  await scope.run(`globalThis.late = Promise.reject(new Error("lost")); return 1`);
  const thrown = await tool.event("Runtime.exceptionThrown");
  assert.equal(thrown.exceptionDetails.text, "Uncaught (in promise)");
  await scope.run(`late.catch(() => {}); return 1`);
  const revoked = await tool.event("Runtime.exceptionRevoked");
  assert.equal(revoked.exceptionId, thrown.exceptionDetails.exceptionId);
});

test("promises are awaited, values returned whole, and two tools have results of their own", async () => {
  await using scope = await Scope.serviceWorker("");
  const [one, other] = [new Tool(scope, 1).attach(), new Tool(scope, 2).attach()];
  const code = "fetch('/').then(response => [response.status])";
  scope.answer = () => ({ response: { status: 204 } });
  assert.deepEqual(await one.value(code, { awaitPromise: true, userGesture: true }), [204]);
  assert.equal(await one.value("let twice = 1", { replMode: true }).then(() => one.value("let twice = 2; twice", { replMode: true })), 2);
  assert.deepEqual((await other.call("Runtime.evaluate", { expression: "nothing" })).exceptionDetails.text, "Uncaught");
  one.detach();
  assert.equal(await other.value("twice"), 2);
});

test("the scope is told as Chrome tells it, and nothing of the runtime shows", async () => {
  const { scope: attached, tool } = await attachedBefore("function main() {} main()");
  await using scope = attached;
  await tool.call("Runtime.enable");
  const { context } = await tool.event("Runtime.executionContextCreated");
  assert.deepEqual({ ...context, uniqueId: "" }, {
    id: 1,
    origin,
    name: "",
    uniqueId: "",
    auxData: { isDefault: true, type: "default" },
  });
  await tool.call("Debugger.enable");
  assert.deepEqual(tool.events("Debugger.scriptParsed").map(({ url }) => url), [`${origin}/sw.js`]);
  const self = await tool.call("Runtime.evaluate", { expression: "self" });
  assert.deepEqual([self.result.className, self.result.description], ["ServiceWorkerGlobalScope", "ServiceWorkerGlobalScope"]);
});

const pausing = `addEventListener("sync", (event) => event.waitUntil((async () => {
  const seen = [event.tag];
  debugger;
  seen.push(seen.length);
  console.log(seen.join());
})()));`;

test("a script that stands still hears the tool alone, and goes on with what waited", async () => {
  const { scope: attached, tool } = await attachedBefore(pausing);
  await using scope = attached;
  await tool.call("Debugger.enable");
  scope.post({ event: { id: 1, sync: { tag: "held" } } });
  const paused = await tool.event("Debugger.paused");
  const [script] = tool.events("Debugger.scriptParsed");
  assert.deepEqual(paused.callFrames.map(({ location }: any) => location.scriptId), [script.scriptId, script.scriptId]);
  scope.post({ event: { id: 2, sync: { tag: "waits" } } });
  const [{ callFrameId }] = paused.callFrames;
  const local = await tool.call("Debugger.evaluateOnCallFrame", { callFrameId, expression: "seen[0]" });
  assert.equal(local.result.value, "held");
  await tool.call("Debugger.stepOver");
  const stepped = await tool.event("Debugger.paused", 2);
  assert.equal(stepped.callFrames[0].location.lineNumber, 3);
  assert.equal(scope.finished(2), undefined);
  await tool.call("Debugger.resume");
  await tool.event("Debugger.paused", 3);
  tool.detach();
  await scope.quiet();
  assert.deepEqual([scope.finished(1).outcome, scope.finished(2).outcome], [0, 0]);
  assert.deepEqual(scope.lines, ["held,1", "waits,1"]);
  assert.deepEqual(scope.of("inspector").filter(({ paused: told }) => told !== undefined).map((each) => each.paused), [
    true,
    false,
    true,
    false,
    true,
    false,
  ]);
});

test("a tool that is attached before the start holds the first run", async () => {
  let tool!: Tool;
  await using scope = await Scope.serviceWorker("const first = 1;\nself.second = first + 1;", undefined, (early) => {
    tool = new Tool(early).attach(true);
    tool.post("Debugger.enable");
    tool.post("Debugger.setBreakpointByUrl", { url: `${origin}/sw.js`, lineNumber: 1 });
    return false;
  });
  assert.deepEqual((await tool.answer(2)).locations, []);
  assert.equal(scope.of("started").length, 0);
  tool.post("Runtime.runIfWaitingForDebugger");
  const paused = await tool.event("Debugger.paused");
  assert.equal(paused.hitBreakpoints.length, 1);
  await tool.call("Debugger.resume");
  await scope.quiet();
  assert.equal(scope.of("started")[0].ok, true);
});

test("a timer's stack leads to whoever set it", async () => {
  await using scope = await Scope.serviceWorker("function later() { setTimeout(() => { debugger; }, 5); } later();");
  const tool = new Tool(scope).attach();
  await tool.call("Debugger.enable");
  await tool.call("Debugger.setAsyncCallStackDepth", { maxDepth: 8 });
  await tool.value("later(); 1");
  scope.post({ clock: { virtualTime: true, wallUs: 1_700_000_001_000_000, monoUs: 2_000_000 } });
  const paused = [await tool.event("Debugger.paused"), (tool.post("Debugger.resume"), await tool.event("Debugger.paused", 2))];
  assert.ok(paused.some((each) => each.asyncStackTrace?.callFrames.some((frame: any) => frame.functionName === "later")));
  tool.detach();
  await scope.quiet();
});

test("a heap snapshot comes in pieces", async () => {
  await using scope = await Scope.serviceWorker("self.marked = 'a text that the snapshot holds'");
  const tool = new Tool(scope).attach();
  await tool.call("HeapProfiler.enable");
  await tool.call("HeapProfiler.takeHeapSnapshot", { reportProgress: false });
  const pieces = tool.events("HeapProfiler.addHeapSnapshotChunk").map(({ chunk }) => chunk);
  assert.ok(pieces.length > 1);
  assert.ok(JSON.parse(pieces.join("")).strings.includes("a text that the snapshot holds"));
});

test("code coverage is taken; a profile by samples, which needs a thread, is refused and harms nobody", async () => {
  await using scope = await Scope.serviceWorker("function used() {} function unused() {} used();");
  const tool = new Tool(scope).attach();
  await tool.call("Profiler.enable");
  await tool.call("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  await tool.value("used(); console.profile('p'); console.profileEnd('p'); 1");
  const { result } = await tool.call("Profiler.takePreciseCoverage");
  const covered = result.find(({ url }: any) => url === `${origin}/sw.js`).functions;
  assert.equal(covered.find(({ functionName }: any) => functionName === "used").ranges[0].count, 1);
  assert.match((await tool.call("Profiler.start")).message, /one thread/);
  assert.equal(await tool.value("1 + 1"), 2);
});
