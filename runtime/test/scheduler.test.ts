// scheduler: tasks in order of priority, and signals that change it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluator } from "./harness.ts";

test("tasks run in the order of their priorities, delayed ones when their time has come", async () => {
  await using worker = await evaluator();
  await worker.begin(`
    const seen = [];
    const post = (name, options) => scheduler.postTask(() => { seen.push(name) }, options);
    await Promise.all([post("late", { delay: 50, priority: "user-blocking" }), post("background", { priority: "background" }),
      post("visible"), post("blocking", { priority: "user-blocking" }), post("visible 2")]);
    return seen`);
  await worker.advance(50);
  assert.equal(worker.lines.at(-1), '=["blocking","visible","visible 2","background","late"]');
});

test("yield() continues before other tasks of the same priority", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const seen = [];
      await Promise.all([
        scheduler.postTask(async () => { seen.push("a1"); await scheduler.yield(); seen.push("a2") }),
        scheduler.postTask(() => { seen.push("b") })]);
      return seen`),
    ["a1", "a2", "b"],
  );
});

test("a controller aborts its tasks and changes their priority", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const seen = [];
      const controller = new TaskController({ priority: "background" });
      controller.signal.onprioritychange = event => seen.push(event.previousPriority);
      const moved = scheduler.postTask(() => { seen.push("moved") }, { signal: controller.signal });
      const other = scheduler.postTask(() => { seen.push("other") });
      controller.setPriority("user-blocking");
      await Promise.all([moved, other]);
      const stopped = scheduler.postTask(() => seen.push("never"), { signal: controller.signal });
      controller.abort("enough");
      const follower = TaskSignal.any([controller.signal], { priority: "background" });
      return [seen, await stopped.catch(reason => reason), follower.priority, follower.aborted, controller.signal.priority]`),
    [["background", "moved", "other"], "enough", "background", true, "user-blocking"],
  );
});
