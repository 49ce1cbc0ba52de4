// The end of what a spare child does while nobody waits for it (src/worker/native/rehearsal.h): the rehearsed worker is
// forgotten, so that no script sees a trace of it. The start of the child's own worker replaces the rest.
import { HttpRequest, HttpResponse } from "#ipc/storage.ts";
import { Headers } from "./headers.ts";
import { port } from "./port.ts";
import { forgetScripts } from "./scripts.ts";
import { forgetRegistrations } from "./service_worker.ts";

export function endRehearsal(): void {
  rehearseFetch();
  forgetScripts();
  forgetRegistrations();
}

// What most events go on with.
function rehearseFetch(): void {
  const headers = new Headers({ accept: "*/*" });
  const list = Headers.listOf(headers).map(([name, value]) => ({ name, value }));
  const request = HttpRequest.encode(HttpRequest.fromPartial({ method: "GET", headers: list })).finish();
  HttpResponse.decode(HttpResponse.encode(HttpResponse.fromPartial({ status: 200 })).finish());
  port.notify({ console: { level: "debug", text: String(request.length), source: "" } });
}
