// CompressionStream and DecompressionStream, against the zlib of the Node that runs this test.
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync, deflateSync, gunzipSync, gzipSync, inflateRawSync, inflateSync } from "node:zlib";
import { evaluator } from "./harness.ts";

const formats = {
  gzip: [gzipSync, gunzipSync],
  deflate: [deflateSync, inflateSync],
  "deflate-raw": [deflateRawSync, inflateRawSync],
} as const;
const helpers = `
  const bytes = base64 => Uint8Array.fromBase64(base64);
  const through = async (pair, chunks) => {
    const writer = pair.writable.getWriter();
    const written = Promise.all([...chunks.map(chunk => writer.write(chunk)), writer.close()]);
    const result = new Uint8Array(await new Response(pair.readable).arrayBuffer());
    await written;
    return result;
  };
  const fault = (pair, chunks) => through(pair, chunks).then(() => "fine", error => error.name + ": " + error.message);
`;
const base64 = (data: Uint8Array) => Buffer.from(data).toString("base64");

for (const [format, [compress, decompress]] of Object.entries(formats)) {
  test(`${format} can be read by others, and what others wrote is read`, async () => {
    await using worker = await evaluator();
    const text = "Hello, hello, hello! ".repeat(5000);
    const made = await worker.run(`${helpers}
      const text = new TextEncoder().encode("Hello, hello, hello! ".repeat(5000));
      const half = text.length / 2;
      return (await through(new CompressionStream("${format}"), [text.subarray(0, half), text.subarray(half)])).toBase64();`);
    assert.equal(decompress(Buffer.from(made, "base64")).toString(), text);
    const data = base64(compress(Buffer.from(text)));
    // One byte at a time.
    const read = await worker.run(`${helpers}
      const chunks = [...bytes("${data}")].map(byte => new Uint8Array([byte]));
      return new TextDecoder().decode(await through(new DecompressionStream("${format}"), chunks));`);
    assert.equal(read, text);
  });

  test(`${format} that is cut, damaged or followed by something is an error`, async () => {
    await using worker = await evaluator();
    const data = base64(compress(Buffer.from("some text")));
    const stream = `new DecompressionStream("${format}")`;
    assert.deepEqual(
      await worker.run(`${helpers}
        const data = bytes("${data}");
        return [await fault(${stream}, [data.subarray(0, -1)]), await fault(${stream}, [data, new Uint8Array([1])]),
          await fault(${stream}, [new Uint8Array([255, 255, 255])]), await fault(${stream}, [])];`),
      [
        "TypeError: Compressed input was truncated.",
        "TypeError: Junk found after end of compressed data.",
        "TypeError: The compressed data was not valid.",
        "TypeError: Compressed input was truncated.",
      ],
    );
  });
}

test("only the three formats and only bytes are taken", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`${helpers}
      const message = run => { try { run(); } catch (error) { return error.name + ": " + error.message; } };
      return [message(() => new CompressionStream("zip")), message(() => new DecompressionStream()),
        await fault(new CompressionStream("gzip"), ["text"]), CompressionStream.length, CompressionStream.name,
        Object.keys(CompressionStream.prototype), message(() => CompressionStream.prototype.readable)];`),
    [
      "TypeError: Failed to construct 'CompressionStream': Unsupported compression format: 'zip'",
      "TypeError: Failed to construct 'DecompressionStream': 1 argument required, but only 0 present.",
      "TypeError: The provided value is not of type '(ArrayBuffer or ArrayBufferView)'.",
      1,
      "CompressionStream",
      ["readable", "writable"],
      "TypeError: Illegal invocation",
    ],
  );
});

test("a small bomb is unpacked only as fast as it is read", async () => {
  await using worker = await evaluator(undefined, undefined, "little memory");
  // Three times the memory that the worker may have.
  const bomb = base64(gzipSync(Buffer.alloc(48 << 20)));
  assert.deepEqual(
    await worker.run(`
      const pair = new DecompressionStream("gzip");
      const writer = pair.writable.getWriter();
      const written = writer.write(Uint8Array.fromBase64("${bomb}")).then(() => writer.close());
      let size = 0;
      for await (const chunk of pair.readable) size += chunk.byteLength;
      await written;
      return size;`),
    48 << 20,
  );
});

test("a reader that gives up in the middle of a bomb ends the writer, too", async () => {
  await using worker = await evaluator();
  const bomb = base64(gzipSync(Buffer.alloc(16 << 20)));
  assert.deepEqual(
    await worker.run(`
      const pair = new DecompressionStream("gzip");
      const writer = pair.writable.getWriter();
      const written = writer.write(Uint8Array.fromBase64("${bomb}")).then(() => "fine", () => "refused");
      const reader = pair.readable.getReader();
      await reader.read();
      await reader.cancel("enough");
      return [await written, await writer.closed.then(() => "closed", error => error)];`),
    ["refused", "enough"],
  );
});

test("codecs that nobody holds are given back: hundreds can be made", async () => {
  await using worker = await evaluator(undefined, undefined, "little memory");
  assert.equal(
    await worker.run(`
      for (let i = 0; i < 300; ++i) {
        const pair = new CompressionStream("gzip");
        const writer = pair.writable.getWriter();
        writer.write(new Uint8Array(10));
        writer.close();
        await new Response(pair.readable).arrayBuffer();
      }
      return "done";`),
    "done",
  );
});
