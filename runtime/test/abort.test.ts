// AbortSignal: signals that follow others, and listeners that follow signals.
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluator, Scope } from "./harness.ts";

test("signals that follow others abort before anybody hears of it, in order", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const controller = new AbortController(), { signal } = controller;
      const one = AbortSignal.any([signal]), two = AbortSignal.any([one, new AbortController().signal]);
      const seen = [];
      for (const [name, each] of Object.entries({ signal, one, two })) each.onabort = () => seen.push(name, two.aborted);
      controller.abort("why");
      return [seen, two.reason, AbortSignal.any([two]).reason]`),
    [["signal", true, "one", true, "two", true], "why", "why"],
  );
});

test("a following signal that somebody listens to is not lost", async () => {
  await using worker = await Scope.serviceWorker(
    `const controller = new AbortController();
     AbortSignal.any([controller.signal]).addEventListener("abort", () => console.log("heard"))`,
    (start) => (start.testNatives = true),
  );
  await worker.send({ evaluate: { id: 1, code: "__vigilTest.gc(); controller.abort()", name: "x" } });
  assert.deepEqual(worker.lines, ["heard"]);
});

test("listener options are read as Web IDL says", async () => {
  await using worker = await evaluator();
  await assert.rejects(worker.run("new EventTarget().addEventListener('a', null, { signal: null })"), {
    message: /^TypeError: .*Failed to read the 'signal' property from 'AddEventListenerOptions'/,
  });
  await assert.rejects(worker.run("new EventTarget().addEventListener('a', 5)"), {
    message: "TypeError: Failed to execute 'addEventListener' on 'EventTarget': parameter 2 is not of type 'Object'.",
  });
  assert.deepEqual(
    await worker.run(`
      const seen = [], target = new EventTarget(), controller = new AbortController();
      target.addEventListener("a", event => { event.preventDefault(); seen.push(event.defaultPrevented) }, { passive: true });
      target.addEventListener("a", () => seen.push("signalled"), { signal: controller.signal });
      target.dispatchEvent(new Event("a", { cancelable: true }));
      controller.abort();
      target.dispatchEvent(new Event("a"));
      return seen`),
    [false, "signalled", false],
  );
});
