// navigator.locks: what it asks the daemon, which keeps the locks (src/host/lock_table_test.cc has their rules).
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluator } from "./harness.ts";

test("a lock is asked for, used and given back", async () => {
  await using worker = await evaluator((request) => (request.lockRequest ? { flag: { value: true } } : { ok: {} }));
  assert.deepEqual(
    await worker.run(`
      const asked = await navigator.locks.request("n", { mode: "shared" }, async lock => [lock.name, lock.mode, lock instanceof Lock]);
      const failed = await navigator.locks.request("n", () => { throw new RangeError("mine") }).catch(error => error.message);
      return [asked, failed]`),
    [["n", "shared", true], "mine"],
  );
  assert.deepEqual(worker.requests("lockRequest"), [
    { name: "n", shared: true, ifAvailable: false, steal: false },
    { name: "n", shared: false, ifAvailable: false, steal: false },
  ]);
  const ids = worker.of("request").filter((each) => each.lockRequest).map(({ id }) => id);
  assert.deepEqual(worker.of("cancelRequest"), ids);
});

test("what is not available is null; a request can be aborted while it waits", async () => {
  await using worker = await evaluator((request) => (request.lockRequest?.ifAvailable ? { flag: { value: false } } : undefined));
  assert.equal(await worker.run("return navigator.locks.request('n', { ifAvailable: true }, lock => lock)"), null);
  assert.equal(
    await worker.run(`
      const controller = new AbortController();
      const waiting = navigator.locks.request("n", { signal: controller.signal }, () => "never");
      controller.abort("gave up");
      return waiting.catch(reason => reason)`),
    "gave up",
  );
  const { id } = worker.of("request").findLast((each) => each.lockRequest);
  assert.deepEqual(worker.of("cancelRequest"), [id]);
});

test("a stolen lock rejects, and is not given back", async () => {
  await using worker = await evaluator((request) => (request.lockRequest ? { flag: { value: true } } : { ok: {} }));
  await worker.begin("await navigator.locks.request('n', () => new Promise(() => {}))");
  const { id } = worker.of("request").find((each) => each.lockRequest);
  await worker.send({ lockStolen: id });
  assert.match(worker.lines.at(-1)!, /^!AbortError: Lock broken/);
  assert.deepEqual(worker.of("cancelRequest"), []);
});

test("names that are no well-formed text stay as they are", async () => {
  await using worker = await evaluator((request) => (request.lockRequest ? { flag: { value: true } } : { ok: {} }));
  const names = ["\ud800", '"q', "plain"];
  for (const name of names) {
    const code = `return navigator.locks.request(${JSON.stringify(name)}, lock => lock.name === ${JSON.stringify(name)})`;
    assert.equal(await worker.run(code), true);
  }
  const sent = worker.requests("lockRequest").map(({ name }) => name);
  assert.deepEqual(sent, [JSON.stringify(names[0]), JSON.stringify(names[1]), "plain"]);
});

test("options that exclude each other are refused", async () => {
  await using worker = await evaluator();
  for (
    const options of [
      "{ steal: true, ifAvailable: true }",
      "{ steal: true, mode: 'shared' }",
      "{ ifAvailable: true, signal: new AbortController().signal }",
      "{ steal: true, signal: new AbortController().signal }",
    ]
  ) {
    await assert.rejects(worker.run(`return navigator.locks.request('n', ${options}, () => {})`), {
      message: /^NotSupportedError/,
    }, options);
  }
  await assert.rejects(worker.run("return navigator.locks.request('-n', () => {})"), { message: /^NotSupportedError/ });
  await assert.rejects(worker.run("return navigator.locks.request('n', {}, 5)"), { message: /^TypeError: .*parameter 3/ });
});
