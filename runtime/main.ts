// The bundle's entry: install() dresses a fresh V8 context as a service worker's or a page's global scope. It runs once
// per context in the zygote; start() and everything after it runs in the forked child.
import { ToWorker } from "#ipc/vigil.ts";
import { configureTextEncoding } from "@bufbuild/protobuf/wire";
import { installBodyStreams } from "./body_stream.ts";
import { installBroadcastChannels } from "./broadcast_channel.ts";
import "./compression.ts";
import { installConsole, print } from "./console.ts";
import { rejectionHandled, reportException, unhandledRejection } from "./errors.ts";
import "./event_source.ts";
import { setFetchWarning } from "./fetch.ts";
import "./file_reader.ts";
import { installMessagePorts } from "./message_ports.ts";
import { type Native, native, runCheckpointEnd, type ScopeKind, setNative, type StartMessage } from "./native.ts";
import { defineNavigator, installNavigatorMessages, setIdentity, setNetwork } from "./navigator.ts";
import { installNotifications } from "./notifications.ts";
import { installPageScope, startPageScope } from "./page_scope.ts";
import { socketPort } from "./port.ts";
import { endRehearsal } from "./rehearsal.ts";
import { mayGenerateCode } from "./security_policy.ts";
import { shapeStack } from "./stack_traces.ts";
import "./stream_transfer.ts";
import { dataCloneError } from "./structured_clone.ts";
import { beginTime } from "./time.ts";
import { runTimer } from "./timers.ts";
import { environment } from "./url.ts";
import "./url_pattern.ts";
import { installWasmStreaming } from "./wasm_streaming.ts";
import { exposeInterfaces } from "./webidl.ts";
import { installWebSockets } from "./websocket.ts";
import { installWorkerScope, startWorkerScope } from "./worker_scope.ts";

// What the embedder calls.
interface Host {
  start(start: StartMessage): void;
  rehearsed(): void; // a spare child has started a worker of ours and sent it an event; its own start follows
  receive(message: Uint8Array): void;
  timer(id: number): void;
  unhandledRejection(promise: Promise<unknown>, reason: unknown): void;
  rejectionHandled(promise: Promise<unknown>): void;
  uncaught(error: unknown): void;
  checkpointEnd(): void;
  dataCloneError(message: string): object;
  mayGenerateCode(kind: string): boolean;
  shapeStack: typeof shapeStack;
}

// The messages carry UTF-8; the coder must not look for a TextEncoder that a script may have replaced.
function useNativeText(): void {
  configureTextEncoding({
    encodeUtf8: (text) => native.utf8Encode(text),
    decodeUtf8: (bytes) => native.utf8Decode(bytes, false, true),
    checkUtf8: (text) => text.isWellFormed(),
  });
}

export function install(given: Native, scope: ScopeKind): Host {
  setNative(given, scope);
  useNativeText();
  installBodyStreams();
  installBroadcastChannels();
  installMessagePorts();
  installNavigatorMessages();
  installNotifications(scope);
  installWebSockets();
  defineNavigator(scope);
  setFetchWarning((text) => print("error", text));
  if (scope === "service-worker") installWorkerScope(globalThis);
  else installPageScope(globalThis);
  installConsole(globalThis);
  exposeInterfaces(globalThis, scope);
  installWasmStreaming();
  // Shared memory is for cross-origin isolated scopes, which these are not.
  Reflect.deleteProperty(globalThis, "SharedArrayBuffer");
  const host: Host = {
    rehearsed: endRehearsal,
    start: startScope,
    receive(message) {
      const decoded = read(message);
      if (decoded) socketPort.receive(decoded);
    },
    timer: runTimer,
    unhandledRejection,
    rejectionHandled,
    uncaught: reportException,
    checkpointEnd: runCheckpointEnd,
    mayGenerateCode,
    dataCloneError,
    shapeStack,
  };
  return host;
}

// What waits for a message that cannot be read would wait for ever.
function read(message: Uint8Array): ToWorker | undefined {
  try {
    return ToWorker.decode(message);
  } catch (error) {
    native.exit(`a message of the daemon cannot be read: ${String(error)}`);
    return undefined;
  }
}

function startScope(start: StartMessage): void {
  environment.url = environment.baseUrl = start.url;
  environment.origin = start.origin;
  setIdentity(start.userAgent, start.languages);
  if (start.network) setNetwork(start.network);
  beginTime();
  if (start.serviceWorker) startWorkerScope(start);
  else if (start.page) startPageScope(start);
}
