// WebAssembly from responses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluator } from "./harness.ts";

// (module (func (export "f") (result i32) i32.const 42))
const bytes = "0,97,115,109,1,0,0,0,1,5,1,96,0,1,127,3,2,1,0,7,5,1,1,102,0,0,10,6,1,4,0,65,42,11";
const response = (type: string) => `new Response(new Uint8Array([${bytes}]), { headers: { "content-type": "${type}" } })`;

test("modules are compiled and instantiated from responses with their MIME type", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const module = await WebAssembly.compileStreaming(Promise.resolve(${response("application/wasm")}));
      const { instance } = await WebAssembly.instantiateStreaming(${response("Application/WASM")});
      return [module instanceof WebAssembly.Module, instance.exports.f(), WebAssembly.compileStreaming.length]`),
    [true, 42, 1],
  );
});

test("other responses and values are refused", async () => {
  await using worker = await evaluator();
  for (
    const [source, message] of [
      [response("text/plain"), /^TypeError: .*Incorrect response MIME type/],
      [response("application/wasm; charset=utf-8"), /^TypeError: .*Incorrect response MIME type/],
      ["new Response('', { status: 404, headers: { 'content-type': 'application/wasm' } })", /^TypeError: .*not ok/],
      ["{}", /^TypeError: .*must be a Response/],
      ["Promise.reject(new RangeError('mine'))", "RangeError: mine"],
    ] as const
  ) {
    await assert.rejects(worker.run(`return WebAssembly.compileStreaming(${source})`), { message }, source);
  }
});
