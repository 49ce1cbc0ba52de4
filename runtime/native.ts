// What the bundle gets from whoever embeds it: in the worker process these are C++ functions (src/worker). The embedder
// calls install(native, scope) once per context; nothing here ever becomes reachable for the scripts of an app.
import type { Script, ServiceWorkerStart, Start } from "#ipc/vigil.ts";

export interface SerializeHost {
  // Turns a platform object into a tag and a value that can itself be serialized; undefined: it cannot be cloned.
  write(value: object): { tag: number; payload: unknown } | undefined;
}
export interface DeserializeHost {
  read(tag: number, payload: unknown): object;
}
export type ModuleType = "" | "json" | "text"; // as import attributes name it; "": JavaScript
export interface ModuleSource {
  url: string; // the URL of the response: base of further imports, identity of the module
  source: string | Uint8Array;
}

// What the native half has read of Start.
export type StartMessage = Pick<Start, "origin" | "url" | "network" | "userAgent" | "languages" | "page"> & {
  serviceWorker: WorkerStart | undefined;
};
export type WorkerStart = Omit<ServiceWorkerStart, "scripts"> & { scripts: ScriptFile[] };
export type ScriptFile = Omit<Script, "source"> & { source: string | Uint8Array };

// The state of one compression or decompression.
export type Codec = object & { readonly codec: never };

// Cryptography without objects: a key is the bytes of its SubjectPublicKeyInfo or PKCS #8 structure, or of a secret.
// What fails gives undefined.
export interface NativeCrypto {
  digest(hash: string, data: Uint8Array): Bytes;
  hmac(hash: string, key: Uint8Array, data: Uint8Array): Bytes;
  isEqual(one: Uint8Array, other: Uint8Array): boolean;
  copy(source: ArrayBuffer | ArrayBufferView): Bytes; // of a detached buffer: nothing
  sizeOf(bytes: ArrayBufferView): number;
  derive(
    algorithm: string, // HKDF or PBKDF2
    hash: string,
    key: Uint8Array,
    salt: Uint8Array,
    info: Uint8Array,
    iterations: number,
    size: number,
  ): Bytes | undefined;
  firstBits(bytes: Uint8Array, bits: number): Bytes;
  pointOf(x: Uint8Array, y: Uint8Array): Bytes; // uncompressed (SEC 1 §2.3.3)
  toBase64Url(bytes: Uint8Array, start?: number, end?: number): string;
  fromBase64Url(text: string): Bytes | undefined;
  aes(
    mode: string,
    isDecryption: boolean,
    key: Uint8Array,
    iv: Uint8Array,
    parameter: number, // CTR: bits of the counter; GCM: bytes of the tag
    additionalData: Uint8Array,
    data: Uint8Array,
  ): Bytes | undefined;
  generateKeyPair(kind: string, modulusLength?: number, publicExponent?: Uint8Array): [Bytes, Bytes] | undefined;
  readKey(kind: string, isPrivate: boolean, der: Uint8Array): Bytes | undefined;
  partsOfKey(kind: string, isPrivate: boolean, key: Uint8Array): Bytes[] | undefined;
  keyFromParts(kind: string, isPrivate: boolean, parts: Uint8Array[]): Bytes | undefined;
  publicKeyOf(kind: string, key: Uint8Array): Bytes | undefined;
  sign(
    kind: string,
    key: Uint8Array,
    hash: string,
    parameter: number | Uint8Array | undefined, // RSA-PSS: length of the salt; ML-DSA: context
    data: Uint8Array,
  ): Bytes | undefined;
  verify(
    kind: string,
    key: Uint8Array,
    hash: string,
    parameter: number | Uint8Array | undefined,
    data: Uint8Array,
    signature: Uint8Array,
  ): boolean;
  rsaOaep(isDecryption: boolean, key: Uint8Array, hash: string, label: Uint8Array, data: Uint8Array): Bytes | undefined;
  agree(kind: string, key: Uint8Array, publicKey: Uint8Array): Bytes | undefined;
  encapsulate(kind: string, publicKey: Uint8Array): [Bytes, Bytes] | undefined; // the capsule, the secret in it
  decapsulate(kind: string, key: Uint8Array, capsule: Uint8Array): Bytes | undefined;
}
type Bytes = Uint8Array<ArrayBuffer>;

export interface Native {
  send(message: Uint8Array, soon?: boolean): void; // soon: at the end of the task, together with others
  requestSync(message: Uint8Array): Uint8Array;
  setTimer(id: number, delayMs: number): void;
  clearTimer(id: number): void;
  wallNowMs(): number;
  monoNowMs(): number;
  realMonoUs(): number;
  runScript(source: string | Uint8Array, url: string): unknown;
  compileCheck(source: string, url: string): void;
  guardCode(evalRefusal: string, wasmRefusal: string): void; // host.mayGenerateCode is asked from here on
  // Once, before the first of a scope that may have modules.
  setModuleLoader(
    resolve: (specifier: string, referrer: string, type: ModuleType) => ModuleSource,
    resolveUrl: (specifier: string, referrer: string) => string, // import.meta.resolve()
    onlyStatic: boolean, // neither top-level await nor import()
  ): void;
  runModule(url: string, source: string | Uint8Array): Promise<unknown>;
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
  randomFill(data: ArrayBufferView): void;
  crypto: NativeCrypto;
  previewPromise(promise: Promise<unknown>): { state: "pending" | "fulfilled" | "rejected"; value?: unknown };
  isProxy(value: unknown): boolean;
  // Tells developer tools what nobody caught. The number is for exceptionRevoked; 0: no tool is attached.
  exceptionThrown(error: unknown, inPromise: boolean): number;
  exceptionRevoked(number: number): void;
  exit(reason: string): void;
  // Between two calls of scripts in one task: runs microtasks and reports rejections, as after a task. Does nothing
  // inside a microtask.
  checkpoint(): void;
  // host.checkpointEnd() is called once, when the microtask queue is next empty.
  wantCheckpointEnd(): void;
}

export type ScopeKind = "service-worker" | "page";

// Set once by install(), before any script runs.
export let native: Native;
export let scopeKind: ScopeKind;
export function setNative(given: Native, kind: ScopeKind): void {
  native = given;
  scopeKind = kind;
}

// What asked for the end of a microtask checkpoint (HTML §8.1.7.3, step "clean up Indexed Database transactions").
let checkpointEnd: () => void = () => {};
export function onCheckpointEnd(action: () => void): void {
  checkpointEnd = action;
}
export function runCheckpointEnd(): void {
  checkpointEnd();
}
