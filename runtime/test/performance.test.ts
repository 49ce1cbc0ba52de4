// performance: User Timing and the Performance Timeline.
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluator } from "./harness.ts";

test("marks and measures have times, details and JSON", async () => {
  await using worker = await evaluator();
  await worker.advance(250);
  assert.deepEqual(
    await worker.run(`
      const first = performance.mark("a", { startTime: 5, detail: { x: 1 } });
      performance.mark("b");
      const measures = [performance.measure("m", "a", "b"), performance.measure("n", { start: 1, duration: 2 }),
        performance.measure("o", { end: 9, duration: 4, detail: "d" }), performance.measure("p", undefined, "a")];
      return [first.toJSON(), measures.map(m => [m.startTime, m.duration, m.detail]), performance.now(),
        performance.getEntriesByType("mark").map(e => e.name), performance.getEntriesByName("a", "measure").length];`),
    [
      { name: "a", entryType: "mark", startTime: 5, duration: 0, navigationId: 0, detail: { x: 1 } },
      [[5, 245, null], [1, 2, null], [5, 4, "d"], [0, 5, null]],
      250,
      ["a", "b"],
      0,
    ],
  );
});

test("what cannot be measured is refused with a reason", async () => {
  await using worker = await evaluator();
  for (
    const [code, error] of [
      ["performance.measure('m', 'none')", /^SyntaxError: .*The mark 'none' does not exist/],
      ["performance.mark('m', { startTime: -1 })", /^TypeError: .*'m' cannot have a negative start time/],
      ["performance.measure('m', { start: 1 }, 'b')", /^TypeError/],
      ["performance.measure('m', { duration: 1 })", /^TypeError/],
      ["performance.measure('m', { start: 1, end: 2, duration: 1 })", /^TypeError/],
      ["performance.measure('m', 'navigationStart')", /^TypeError: .*only available to documents/],
      ["performance.mark('m', { detail: () => {} })", /^DataCloneError/],
    ] as const
  ) {
    await assert.rejects(worker.run(code), { message: error }, code);
  }
});

test("observers get entries as a task, buffered ones too, and only the types they ask for", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const seen = [];
      const watch = (options) => new PerformanceObserver((list, observer, { droppedEntriesCount }) =>
        seen.push([list.getEntries().map(e => e.name).join(), droppedEntriesCount])).observe(options);
      performance.mark("early");
      watch({ type: "mark", buffered: true });
      watch({ entryTypes: ["measure", "unknown"] });
      const gone = new PerformanceObserver(() => seen.push("gone"));
      gone.observe({ type: "mark" });
      performance.mark("late");
      performance.measure("m");
      const taken = gone.takeRecords().length;
      gone.disconnect();
      seen.push("sync");
      await new Promise(resolve => setTimeout(resolve));
      return [taken, seen, PerformanceObserver.supportedEntryTypes];`),
    [1, ["sync", ["early,late", 0], ["m", 0]], ["mark", "measure"]],
  );
});

test("an observer that throws is reported, and the next one still hears", async () => {
  await using worker = await evaluator();
  await worker.begin(`
    new PerformanceObserver(() => { throw new Error("first") }).observe({ type: "mark" });
    new PerformanceObserver(() => console.log("second")).observe({ type: "mark" });
    performance.mark("m")`);
  assert.match(worker.lines.join("\n"), /Uncaught Error: first[^]*second/);
});
