import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, csv, csvCell, duration, lineText, linkable, visible } from "../src/format.ts";
import { explainAll, planned } from "../src/summary.ts";
import type { LogLine, Sync } from "../src/types.ts";

test("a duration is told in its two largest units", () => {
  assert.equal(duration(0), "now");
  assert.equal(duration(-5e6), "now");
  assert.equal(duration(1), "1 s");
  assert.equal(duration(245e6), "4 min 05 s");
  assert.equal(duration(3600e6), "1 h 00 min");
  assert.equal(duration((2 * 86400 + 3 * 3600) * 1e6), "2 d 3 h");
});

test("sizes have a unit that fits", () => {
  assert.equal(bytes(0), "0 B");
  assert.equal(bytes(1536), "1.5 KiB");
  assert.equal(bytes(64 * 1024 * 1024), "64 MiB");
});

test("a cell that a spreadsheet would calculate is text in the export", () => {
  for (const formula of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1"]) assert.match(csvCell(formula), /^"?'/);
  assert.equal(csvCell("plain"), "plain");
  assert.equal(csvCell('a "b", c'), '"a ""b"", c"');
});

test("an exported line keeps to its line", () => {
  const line: LogLine = { type: "console", at: "2026-11-23T14:05:07Z", at_us: 0, origin: "https://shop.example", level: "log", text: "a\r\n=cmd()" };
  const text = csv([line]);
  assert.equal(text, 'time,type,origin,service,tag,text\r\n2026-11-23T14:05:07Z,console,https://shop.example,log,,"a\r\n=cmd()"\r\n');
});

test("only http and https addresses become links", () => {
  assert.equal(linkable("https://shop.example/"), true);
  assert.equal(linkable("http://127.0.0.1:8080/"), true);
  for (const url of ["javascript:alert(1)", "data:text/html,x", "//shop.example", "", "file:///etc/passwd"]) assert.equal(linkable(url), false);
});

test("marks of writing direction are shown, not obeyed", () => {
  assert.equal(visible("a\u202egpj.exe\n"), "a\\u{202e}gpj.exe\\u{a}");
});

test("a recorded event is told with its details", () => {
  const line: LogLine = { type: "event", at: "", at_us: 0, origin: "", event: "Sync completed", tag: "post", metadata: { Status: "succeeded" } };
  assert.equal(lineText(line), "Sync completed “post” · Status: succeeded");
});

const sync = (more: Partial<Sync>): Sync => ({
  tag: "t", kind: "sync", origin: "o", scope: "s", registration_id: 1, state: "pending", attempts: 0, max_attempts: 3, reason: "offline",
  explanation: "offline: waiting for the network", next_time_us: null, registered_at_us: 0, ...more,
});

test("a periodic sync that waits for its period leaves nothing unsynced", () => {
  const rests = sync({ kind: "periodicsync", reason: "waiting-for-period" });
  assert.deepEqual(explainAll([rests]), { waiting: [], running: [], reasons: [] });
});

test("what waits is told by reason, the most common first", () => {
  const retry = sync({ tag: "r", reason: "waiting-for-retry", explanation: "retry 2 of 3 at 14:05" });
  const { waiting, reasons } = explainAll([retry, sync({}), sync({ tag: "u" })]);
  assert.equal(waiting.length, 3);
  assert.deepEqual(reasons.map(({ reason, syncs }) => [reason, syncs.length]), [["offline", 2], ["waiting-for-retry", 1]]);
});

test("planned events are those with a time, soonest first", () => {
  const list = planned([sync({ tag: "b", next_time_us: 20 }), sync({ tag: "c" }), sync({ tag: "a", next_time_us: 10 })]);
  assert.deepEqual(list.map(({ tag }) => tag), ["a", "b"]);
});
