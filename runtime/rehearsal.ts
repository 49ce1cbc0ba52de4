// What a spare child does while nobody waits for it: it walks once through what every worker's start and every event
// walk through. A forked child gets its own copy of a page of memory when it first writes to it; those copies are made
// here, not while an event waits. Leaves nothing behind that a script could see: the global has no listener, and what
// would be sent is dropped by the native half.
import { HttpRequest, HttpResponse } from "#ipc/storage.ts";
import { SyncEvent } from "./background_sync.ts";
import { EventTarget } from "./events.ts";
import { runFunctionalEvent } from "./extendable.ts";
import { Headers } from "./headers.ts";
import { native } from "./native.ts";
import { port } from "./port.ts";

const script = `(async () => {
  const listeners = new Map([["sync", (event) => event.tag]]);
  const text = JSON.stringify({ tags: [...listeners.keys()], at: Date.now() });
  await Promise.all([text].map(async (value) => JSON.parse(value)));
})()`;

export function rehearse(): void {
  const target = new EventTarget();
  target.addEventListener("sync", () => {});
  native.runScript(script, "vigil:rehearsal");
  const headers = new Headers({ accept: "*/*" });
  const list = Headers.listOf(headers).map(([name, value]) => ({ name, value }));
  const request = HttpRequest.encode(HttpRequest.fromPartial({ method: "GET", headers: list })).finish();
  HttpResponse.decode(HttpResponse.encode(HttpResponse.fromPartial({ status: 200 })).finish());
  port.notify({ console: { level: "debug", text: String(request.length), source: "" } });
  runFunctionalEvent(0, new SyncEvent("sync", { tag: "", lastChance: false }));
}
