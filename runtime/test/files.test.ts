// Blob, File, FileReader, FormData and the encodings that turn their bytes into text.
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluator, Scope } from "./harness.ts";

test("a blob's parts are converted one by one, before its options are looked at", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const log = [];
      const part = name => ({ toString() { log.push(name); if (name === "bad") throw new SyntaxError("x"); return name; } });
      const options = { get type() { log.push("type"); return ""; }, get endings() { log.push("endings"); return "native"; } };
      const parts = [part("a"), part("bad")];
      try { new Blob(parts, options); } catch (error) { log.push(error.name); }
      const shrinking = [{ toString() { shrinking.pop(); return "one\\r\\n"; } }, part("never")];
      log.push(await new Blob(shrinking, options).text());
      return log;`),
    ["a", "bad", "SyntaxError", "endings", "type", "one\n"],
  );
});

test("slices are clamped, shared memory is refused, other bytes are copied", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const bytes = new Uint8Array([97, 98, 99, 100]);
      const blob = new Blob([bytes, bytes.buffer, new DataView(bytes.buffer, 1, 2)]);
      bytes.fill(0);
      const sizes = [[-2], [1, 3], [-1e40, 1e40], [3, 1], [NaN, Infinity], [8.5]].map(range => blob.slice(...range).size);
      const shared = new Uint8Array(new WebAssembly.Memory({ shared: true, initial: 1, maximum: 1 }).buffer);
      let refused = "";
      try { new Blob([shared]); } catch (error) { refused = error.name; }
      return [await blob.text(), sizes, refused, [...await blob.slice(0, 2).bytes()]];`),
    ["abcdabcdbc", [2, 2, 10, 0, 10, 2], "TypeError", [97, 98]],
  );
});

test("a blob streams its bytes, and its text even where a character is cut", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const text = "ü€😀".repeat(20000);
      const blob = new Blob([text]);
      let pieces = 0, joined = "";
      for await (const piece of blob.textStream()) { ++pieces; joined += piece; }
      const reader = blob.stream().getReader({ mode: "byob" });
      const { value } = await reader.read(new Uint8Array(3));
      return [joined === text, pieces > 1, [...value]];`),
    [true, true, [195, 188, 226]],
  );
});

test("the events of a FileReader are tasks of their own; an aborted read is quiet", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const read = (start, then = () => {}) => new Promise(resolve => {
        const reader = new FileReader();
        const seen = [];
        for (const type of ["loadstart", "progress", "load", "abort", "error"]) {
          reader.addEventListener(type, event => {
            seen.push(type + reader.readyState);
            Promise.resolve().then(() => seen.push("."));
            then(reader, event);
          });
        }
        reader.onloadend = () => resolve(seen.join(" ") + " " + reader.result);
        start(reader);
      });
      return [
        await read(reader => reader.readAsText(new Blob(["hi"]))),
        await read(reader => reader.readAsText(new Blob([]))),
        await read(reader => reader.readAsText(new Blob(["hi"])), (reader, { type }) => type === "loadstart" && reader.abort()),
      ];`),
    ["loadstart1 . progress1 . load2 . hi", "loadstart1 . load2 . ", "loadstart1 abort2 null"],
  );
});

test("a FileReader's text goes by byte order mark, label, type, UTF-8", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const text = (bytes, type, label) => new Promise(resolve => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result);
        reader.readAsText(new Blob([new Uint8Array(bytes)], { type }), label);
      });
      return [await text([0xfe, 0xff, 0, 104], "", "utf-8"), await text([0xe4], "", "latin1"), await text([0x83, 0x41], "text/plain;charset=shift_jis"),
        await text([0xe4], "text/plain;charset=none"), await text([0xef, 0xbb, 0xbf, 104], "text/plain", "koi8-r")];`),
    ["h", "ä", "ア", "\ufffd", "h"],
  );
});

test("service workers have no synchronous reader and no object URLs; pages have object URLs", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run("return ['FileReaderSync' in self, 'createObjectURL' in URL, typeof FileList, String(FileList.prototype)]"),
    [false, false, "function", "[object FileList]"],
  );
  await using page = await Scope.page("<title>x</title>");
  assert.deepEqual(
    await page.evaluate(`(async () => {
      const url = URL.createObjectURL(new Blob(["abc"], { type: "text/x" }));
      const { origin, pathname } = new URL(url);
      const response = await fetch(url + "#part");
      const held = new Request(url);
      const read = [response.headers.get("content-type"), await response.text()];
      URL.revokeObjectURL(url);
      return [origin === location.origin, pathname.startsWith(location.origin), ...read, await fetch(url).catch(error => error.name),
        await (await fetch(held)).text(), await (await fetch(held.clone())).text()];
    })()`),
    [true, true, "text/x", "abc", "TypeError", "abc", "abc"],
  );
});

test("form data goes out with its names escaped and comes back the same", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const form = new FormData();
      form.append('a"b\\n', "line\\nline");
      form.append("file", new File(["bytes"], 'x\\r"y\\n.txt', { type: "text/x" }));
      const response = new Response(form);
      const type = response.headers.get("content-type");
      const copy = await response.clone().formData();
      const sent = (await response.text()).replaceAll(type.split("boundary=")[1], "BOUNDARY");
      const file = copy.get("file");
      return [sent, [...copy.keys()], file.name, file.type, await file.text()];`),
    [
      '--BOUNDARY\r\nContent-Disposition: form-data; name="a%22b%0D%0A"\r\n\r\nline\r\nline\r\n' +
      '--BOUNDARY\r\nContent-Disposition: form-data; name="file"; filename="x%0D%22y%0A.txt"\r\n' +
      "Content-Type: text/x\r\n\r\nbytes\r\n--BOUNDARY--\r\n",
      ['a"b\r\n', "file"],
      'x\r"y\n.txt',
      "text/x",
      "bytes",
    ],
  );
});

test("encodeInto() writes whole characters only, and nothing into a detached buffer", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const into = (text, size) => {
        const target = new Uint8Array(size);
        const { read, written } = new TextEncoder().encodeInto(text, target);
        return [read, written, ...target];
      };
      const gone = new Uint8Array(4);
      structuredClone(gone, { transfer: [gone.buffer] });
      return [into("a€b", 3), into("a€b", 4), into("😀", 4), into("\\ud800x", 4), new TextEncoder().encodeInto("x", gone)];`),
    [
      [1, 1, 97, 0, 0],
      [2, 4, 97, 226, 130, 172],
      [2, 4, 240, 159, 152, 128],
      [2, 4, 239, 191, 189, 120],
      { read: 0, written: 0 },
    ],
  );
});

test("a decoder keeps cut characters, tells impossible bytes at once, and knows the old encodings", async () => {
  await using worker = await evaluator();
  assert.deepEqual(
    await worker.run(`
      const streamed = (label, ...chunks) => {
        const decoder = new TextDecoder(label);
        return [...chunks.map(chunk => decoder.decode(new Uint8Array(chunk), { stream: true })), decoder.decode()];
      };
      const fatal = bytes => { try { return new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(bytes)); } catch (error) { return error.name; } };
      return [
        streamed("utf-8", [0xf0, 0x9f], [0x98], [0x80], [0xff], [0xc0]),
        streamed("utf-8", [0xef, 0xbb], [0xbf, 0x61]),
        streamed("big5", [0xa4], [0xa4]), streamed("euc-kr", [0xb0, 0xa1]), streamed("gb18030", [0x81, 0x30], [0x81, 0x30]),
        streamed("iso-2022-jp", [0x1b, 0x24, 0x42, 0x24], [0x22]), streamed("x-user-defined", [0x80]), streamed("utf-16be", [0x00], [0x61]),
        fatal([0xc3]), fatal([0x61]), new TextDecoder(" LATIN1\\n").encoding,
      ];`),
    [
      ["", "", "😀", "\ufffd", "\ufffd", ""],
      ["", "a", ""],
      ["", "中", ""],
      ["가", ""],
      ["", "\u0080", ""],
      ["", "あ", ""],
      ["\uf780", ""],
      ["", "a", ""],
      "TypeError",
      "a",
      "windows-1252",
    ],
  );
});
