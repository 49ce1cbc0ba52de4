// The bundle's entry: install() dresses a fresh V8 context as a service worker's or a page's global scope. It runs once
// per context in the zygote; start() and everything after it runs in the forked child.
import { ToWorker } from "#ipc/vigil.ts";
import { configureTextEncoding } from "@bufbuild/protobuf/wire";
import { DOMException } from "./domexception.ts";
import { installBodyStreams } from "./body_stream.ts";
import { installFetch } from "./fetch.ts";
import { exposeStreams } from "./streams.ts";
import { exposeUrls } from "./url.ts";
import { type Native, type ScopeKind, native, setNative } from "./native.ts";
import { socketPort } from "./port.ts";
import { exposeInterfaces } from "./webidl.ts";

// The messages carry UTF-8; the coder must not look for a TextEncoder that a script may have replaced.
function useNativeText(): void {
  configureTextEncoding({
    encodeUtf8: (text) => native.utf8Encode(text),
    decodeUtf8: (bytes) => native.utf8Decode(bytes, false, true),
    checkUtf8: (text) => text.isWellFormed(),
  });
}

export function install(given: Native, scope: ScopeKind): object {
  setNative(given, scope);
  useNativeText();
  installBodyStreams();
  exposeInterfaces(globalThis, scope);
  exposeStreams(globalThis);
  exposeUrls(globalThis, scope);
  installFetch(globalThis, scope === "page" ? "Window" : "WorkerGlobalScope");
  return {
    start(bytes: Uint8Array): void {
      ToWorker.decode(bytes);
    },
    receive(bytes: Uint8Array): void {
      socketPort.receive(ToWorker.decode(bytes));
    },
    timer(id: number): void {
      void id;
    },
    dataCloneError: (message: string) => new DOMException(message, "DataCloneError"),
  };
}
