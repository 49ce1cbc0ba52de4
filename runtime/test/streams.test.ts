// Streams as scripts see them: their shape, and their way through messages.
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluator, Scope } from "./harness.ts";

test("the interfaces have their names and hidden globals", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const names = ["ReadableStream", "ReadableStreamDefaultReader", "ReadableStreamBYOBReader", "WritableStream",
        "ReadableStreamDefaultController", "ReadableByteStreamController", "ReadableStreamBYOBRequest",
        "WritableStreamDefaultWriter", "WritableStreamDefaultController", "TransformStream",
        "TransformStreamDefaultController", "ByteLengthQueuingStrategy", "CountQueuingStrategy"];
      return names.filter(name => {
        const { value, enumerable, writable, configurable } = Object.getOwnPropertyDescriptor(self, name);
        return value.name !== name || enumerable || !writable || !configurable ||
          value.prototype[Symbol.toStringTag] !== name;
      });`),
    [],
  );
});

test("a readable stream is iterated, teed, piped with a signal, and made from an iterable", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const seen = [];
      for await (const chunk of ReadableStream.from(["a", Promise.resolve("b")])) seen.push(chunk);
      const [one, two] = ReadableStream.from([1, 2]).tee();
      for (const side of [one, two]) for await (const chunk of side) seen.push(chunk);
      const controller = new AbortController();
      const reasons = [];
      const source = new ReadableStream({ cancel: reason => void reasons.push("cancel " + reason) });
      const sink = new WritableStream({ abort: reason => void reasons.push("abort " + reason) });
      const piped = source.pipeTo(sink, { signal: controller.signal });
      controller.abort("enough");
      await piped.catch(reason => reasons.push("pipe " + reason));
      return [seen, reasons.sort()];`),
    [["a", "b", 1, 2, 1, 2], ["abort enough", "cancel enough", "pipe enough"]],
  );
});

test("a replaced global is not what streams use", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      self.AbortController = self.queueMicrotask = self.Promise = undefined;
      let signal;
      const sink = new WritableStream({ start(controller) { signal = controller.signal; } });
      await sink.abort("over");
      return [signal instanceof AbortSignal, signal.aborted, signal.reason];`),
    [true, true, "over"],
  );
});

test("a readable stream can be transferred; the sender keeps it locked and feels the reader's pace", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      let pulls = 0;
      const stream = new ReadableStream({
        pull(controller) { ++pulls; controller.enqueue({ n: pulls }); if (pulls === 50) controller.close(); },
      }, { highWaterMark: 0 });
      const copy = structuredClone({ stream }, { transfer: [stream] }).stream;
      const { locked } = stream;
      const reader = copy.getReader();
      const first = (await reader.read()).value;
      const early = pulls < 10;
      let count = 1;
      for (;;) { const { done } = await reader.read(); if (done) break; ++count; }
      return [locked, copy instanceof ReadableStream, first, early, count];`),
    [true, true, { n: 1 }, true, 50],
  );
});

test("errors and cancels cross a transferred stream in both directions", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const seen = [];
      const failing = new ReadableStream({ pull(controller) { controller.error(new RangeError("gone")); } });
      const received = structuredClone(failing, { transfer: [failing] });
      await received.getReader().read().catch(error => seen.push(error.name + " " + error.message));
      let cancelled;
      const wasCancelled = new Promise(resolve => cancelled = resolve);
      const endless = new ReadableStream({ cancel: cancelled });
      await structuredClone(endless, { transfer: [endless] }).cancel("no more");
      seen.push(await wasCancelled);
      const functions = new ReadableStream({ pull(controller) { controller.enqueue(() => {}); } });
      await structuredClone(functions, { transfer: [functions] }).getReader().read().catch(error => seen.push(error.name));
      return seen;`),
    ["RangeError gone", "no more", "DataCloneError"],
  );
});

test("writable and transform streams can be transferred", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const written = [];
      let closed;
      const whenClosed = new Promise(resolve => closed = resolve);
      const sink = new WritableStream({ write: chunk => void written.push(chunk), close: closed });
      const upper = new TransformStream({ transform: (chunk, controller) => controller.enqueue(chunk.toUpperCase()) });
      const there = structuredClone({ sink, upper }, { transfer: [sink, upper] });
      const locked = [sink.locked, upper.readable.locked, upper.writable.locked];
      await ReadableStream.from(["a", "b"]).pipeThrough(there.upper).pipeTo(there.sink);
      await whenClosed; // there it is only known that the end is on its way
      return [there.upper instanceof TransformStream, locked, written];`),
    [true, [true, true, true], ["A", "B"]],
  );
});

test("streams that are locked, or not in the transfer list, cannot be cloned", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const outcome = run => { try { run(); return "fine"; } catch (error) { return error.name; } };
      const locked = new ReadableStream();
      locked.getReader();
      const whole = new TransformStream(), other = new TransformStream();
      return [
        outcome(() => structuredClone(locked, { transfer: [locked] })),
        outcome(() => structuredClone(null, { transfer: [whole, whole.readable] })),
        outcome(() => structuredClone(null, { transfer: [other.writable, other] })),
        outcome(() => structuredClone(new ReadableStream())),
        outcome(() => structuredClone(new WritableStream())),
        outcome(() => structuredClone(new CountQueuingStrategy({ highWaterMark: 1 }))),
      ];`),
    Array(6).fill("DataCloneError"),
  );
});

test("pages have the same streams", async () => {
  await using page = await Scope.page("<title>x</title>");
  assert.equal(
    await page.evaluate("new Response(ReadableStream.from(['a', 'b']).pipeThrough(new TextEncoderStream())).text()"),
    "ab",
  );
});
