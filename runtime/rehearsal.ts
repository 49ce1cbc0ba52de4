// What every worker's start and every event walk through, walked through while nobody waits. The zygote does so until V8
// has learnt the shapes of the objects that pass by. A spare child does it once: a forked child gets its own copy of a
// page of memory when it first writes to it, and those copies are made here. Leaves nothing behind that a script could
// see: the global has no listener, and what would be sent is dropped by the native half.
import { HttpRequest, HttpResponse } from "#ipc/storage.ts";
import { ToWorker } from "#ipc/vigil.ts";
import { SyncEvent } from "./background_sync.ts";
import { EventTarget, listenerTypes } from "./events.ts";
import { runFunctionalEvent } from "./extendable.ts";
import { Headers } from "./headers.ts";
import { native } from "./native.ts";
import { port } from "./port.ts";
import { registrationChanged, registrationObject, versionGone, workerObject } from "./service_worker.ts";

const script = `(async () => {
  const listeners = new Map([["sync", (event) => event.tag]]);
  const text = JSON.stringify({ tags: [...listeners.keys()], at: Date.now() });
  await Promise.all([text].map(async (value) => JSON.parse(value)));
})()`;

const worker = { versionId: 0, scriptUrl: "https://vigil.invalid/sw.js", state: "activated" };
const registration = { id: 0, scope: "https://vigil.invalid/", active: worker, updateViaCache: "imports" };
const messages = [
  {
    start: {
      origin: "https://vigil.invalid",
      url: worker.scriptUrl,
      clock: {},
      network: { online: true },
      limits: { cpuSeconds: 1 },
      seed: new Uint8Array(32),
      userAgent: "Mozilla/5.0",
      languages: ["en"],
      serviceWorker: {
        registration,
        versionState: worker.state,
        scripts: [{ url: worker.scriptUrl, source: new Uint8Array(64) }],
      },
    },
  },
  { event: { sync: { tag: "sync" } } },
];

// The objects of a registration that does not exist, and that is forgotten again.
function rehearseObjects(): void {
  const info = ToWorker.fromPartial({ registration }).registration!;
  registrationObject(info);
  workerObject(info.active!);
  registrationChanged({ ...info, active: undefined, unregistered: true });
  versionGone(worker.versionId);
}

export function rehearse(): void {
  for (const message of messages) ToWorker.decode(ToWorker.encode(ToWorker.fromPartial(message)).finish());
  rehearseObjects();
  const target = new EventTarget();
  target.addEventListener("sync", () => {});
  port.notify({ started: { ok: true, listeners: listenerTypes(target) } });
  native.runScript(script, "vigil:rehearsal");
  const headers = new Headers({ accept: "*/*" });
  const list = Headers.listOf(headers).map(([name, value]) => ({ name, value }));
  const request = HttpRequest.encode(HttpRequest.fromPartial({ method: "GET", headers: list })).finish();
  HttpResponse.decode(HttpResponse.encode(HttpResponse.fromPartial({ status: 200 })).finish());
  port.notify({ console: { level: "debug", text: String(request.length), source: "" } });
  runFunctionalEvent(0, new SyncEvent("sync", { tag: "", lastChance: false }));
}
