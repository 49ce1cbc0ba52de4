// What the bundle gets from whoever embeds it: in the worker process these are C++ functions (src/worker). The embedder
// calls install(native, scope) once per context; nothing here ever becomes reachable for the scripts of an app.

export interface SerializeHost {
  // Turns a platform object into a tag and a value that can itself be serialized; undefined: it cannot be cloned.
  write(value: object): { tag: number; payload: unknown } | undefined;
}
export interface DeserializeHost {
  read(tag: number, payload: unknown): object;
}
export interface ModuleSource {
  url: string; // the URL of the response: base of further imports, identity of the module
  source: string | Uint8Array;
}

// The state of one compression or decompression.
export type Codec = object & { readonly codec: never };

export interface Native {
  send(message: Uint8Array): void;
  requestSync(message: Uint8Array): Uint8Array;
  setTimer(id: number, delayMs: number): void;
  clearTimer(id: number): void;
  wallNowMs(): number;
  monoNowMs(): number;
  realMonoUs(): number;
  runScript(source: string | Uint8Array, url: string): unknown;
  compileCheck(source: string, url: string): void;
  runModule(
    url: string,
    source: string | Uint8Array,
    resolve: (specifier: string, referrer: string) => ModuleSource,
  ): Promise<unknown>;
  serialize(value: unknown, transfer?: ArrayBuffer[], host?: SerializeHost): Uint8Array;
  deserialize(data: Uint8Array, host?: DeserializeHost): unknown;
  utf8Encode(text: string): Uint8Array<ArrayBuffer>;
  utf8EncodeInto(text: string, target: Uint8Array): [read: number, written: number];
  utf8Decode(data: Uint8Array, fatal: boolean, ignoreBOM: boolean): string;
  latin1Decode(data: Uint8Array): string;
  urlParse(input: string, base: string | undefined, parts: Uint32Array): string | null;
  urlSet(href: string, setter: number, value: string, parts: Uint32Array): string | null;
  codecOpen(compress: boolean, format: string): Codec;
  codecRun(codec: Codec, input: Uint8Array, finish: boolean): Uint8Array<ArrayBuffer> | null;
  codecClose(codec: Codec): void;
  randomFill(data: Uint8Array): void;
  digest(algorithm: string, data: Uint8Array): Uint8Array<ArrayBuffer>;
  hmac(algorithm: string, key: Uint8Array, data: Uint8Array): Uint8Array<ArrayBuffer>;
  previewPromise(promise: Promise<unknown>): { state: "pending" | "fulfilled" | "rejected"; value?: unknown };
  isProxy(value: unknown): boolean;
  exit(reason: string): void;
}

export type ScopeKind = "service-worker" | "page";

// Set once by install(), before any script runs.
export let native: Native;
export let scopeKind: ScopeKind;
export function setNative(given: Native, kind: ScopeKind): void {
  native = given;
  scopeKind = kind;
}
