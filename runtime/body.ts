// Fetch §5.3: the body of a Request or Response, and the Body mixin.
//
// Bytes that are already here stay bytes; a ReadableStream is only made when a script asks for one. What the other side
// still streams is read straight from its messages.
import type { Body as HttpBody } from "#ipc/storage.ts";
import { Blob } from "./blob.ts";
import { teeWithClones } from "./body_tee.ts";
import { type ByteSource, IncomingBody, inlineLimit, type OutgoingBody, sourceOf, streamOut } from "./body_stream.ts";
import { encodeMultipart, FormData, parseFormBody } from "./formdata.ts";
import { native } from "./native.ts";
import { deserialize, serialize } from "./structured_clone.ts";
import { concatenate, isDisturbed, isReadableStream, ReadableStream, readAllBytes } from "./streams.ts";
import { URLSearchParams } from "./url.ts";
import { bytesOf, fail, isBufferSource, USVString } from "./webidl.ts";

export class BodyState {
  #bytes: Uint8Array<ArrayBuffer> | null = null;
  #incoming: IncomingBody | null = null;
  #stream: ReadableStream<Uint8Array> | null = null;
  #used = false;
  #origin: IncomingBody | null = null; // what the stream reads from
  #failure: { reason: unknown } | null = null;

  static ofBytes(bytes: Uint8Array<ArrayBuffer>): BodyState {
    const body = new BodyState();
    body.#bytes = bytes;
    return body;
  }
  static ofStream(stream: ReadableStream<Uint8Array>): BodyState {
    const body = new BodyState();
    body.#stream = stream;
    return body;
  }
  // A body that a message holds; absent: null.
  static decode(body: HttpBody | undefined): BodyState | null {
    if (!body) return null;
    const result = new BodyState();
    if (body.stream !== undefined) {
      result.#origin = result.#incoming = new IncomingBody(body.stream);
    } else {
      result.#bytes = (body.inline ?? new Uint8Array()) as Uint8Array<ArrayBuffer>;
    }
    return result;
  }

  get used(): boolean {
    return this.#used || (this.#stream !== null && isDisturbed(this.#stream));
  }
  get locked(): boolean {
    return this.#stream?.locked ?? false;
  }
  get unusable(): boolean {
    return this.used || this.locked;
  }
  // The bytes, when they are here and unread.
  get knownBytes(): Uint8Array<ArrayBuffer> | null {
    return this.#stream || this.used ? null : this.#bytes;
  }
  // Why nothing can be read any more.
  get failure(): { reason: unknown } | null {
    return this.#failure ?? this.#incoming?.failure ?? null;
  }
  // Somebody made or gave a stream.
  get isStream(): boolean {
    return this.#stream !== null;
  }

  // What scripts see as .body.
  stream(): ReadableStream<Uint8Array> {
    if (this.#stream) return this.#stream;
    if (this.#incoming) {
      this.#stream = this.#incoming.asReadableStream();
      this.#incoming = null;
    } else {
      this.#stream = Blob.over(this.#bytes!, "").stream();
    }
    if (this.#used) this.#markStreamUsed();
    return this.#stream;
  }
  #markStreamUsed(): void {
    // Its reader stays: a body that was consumed is locked.
    void this.#stream!.getReader().cancel().catch(() => {});
  }

  // The content, when it is here; it counts as read then. Null: it has to be waited for.
  consumeKnown(): Uint8Array<ArrayBuffer> | null {
    const known = this.knownBytes;
    if (known) this.#used = true;
    return known;
  }
  async consume(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#stream) return readAllBytes(this.#stream).catch(toFailedFetch);
    const known = this.consumeKnown();
    if (known) return known;
    this.#used = true;
    const pieces: Uint8Array[] = [];
    for (;;) {
      const piece = await this.#incoming!.next().catch(toFailedFetch);
      if (!piece) return concatenate(pieces);
      pieces.push(piece);
    }
  }
  // The content piece by piece, for sending it on.
  source(): ByteSource {
    if (this.#stream) {
      const reader = this.#stream.getReader();
      return {
        async next() {
          const { value, done } = await reader.read();
          if (done) return null;
          if (!((value as unknown) instanceof Uint8Array)) throw new TypeError("Received non-Uint8Array chunk");
          return value;
        },
        cancel: (reason) => void reader.cancel(reason).catch(() => {}),
      };
    }
    this.#used = true;
    return this.#bytes ? sourceOf(this.#bytes) : this.#incoming!;
  }
  // Keeps an object alive as long as this content can still arrive.
  hold(object: unknown): void {
    this.#origin?.hold(object);
  }
  // Fetch §4 "abort a fetch() call", the response's side: what was not read is gone.
  abort(reason: unknown): void {
    this.#origin?.abort(reason);
    if (this.#bytes && this.#bytes.byteLength > 0 && !this.#stream && !this.#used) this.#failure = { reason };
  }
  cancel(reason: unknown): void {
    if (this.#stream && !this.#stream.locked) void this.#stream.cancel(reason).catch(() => {});
    this.#incoming?.cancel();
  }
  // Hands the content over to a new owner; this one counts as used.
  take(): BodyState {
    const body = new BodyState();
    if (this.#stream) {
      // The new owner reads through a stream of its own, so that the old one is locked.
      body.#stream = this.#stream.pipeThrough(identityTransform());
    } else {
      body.#bytes = this.#bytes;
      body.#incoming = this.#incoming;
    }
    this.#used = true;
    return body;
  }
  clone(): BodyState {
    const copy = new BodyState();
    if (this.#bytes && !this.#stream) {
      copy.#bytes = this.#bytes;
      return copy;
    }
    const stream = this.stream();
    const [mine, theirs] = this.#origin ? stream.tee() : teeWithClones(stream);
    this.#stream = mine as ReadableStream<Uint8Array>;
    copy.#stream = theirs as ReadableStream<Uint8Array>;
    return copy;
  }
}
// Who consumes a whole body learns of a broken connection in the words of fetch(); abort() keeps its own reason.
function toFailedFetch(reason: unknown): never {
  throw IncomingBody.brokeOff(reason) ? new TypeError("Failed to fetch", { cause: (reason as Error).cause }) : reason;
}
function identityTransform(): {
  readable: ReadableStream<Uint8Array>;
  writable: import("web-streams-polyfill").WritableStream<Uint8Array>;
} {
  return new TransformStreamClass<Uint8Array, Uint8Array>();
}
import { TransformStream as TransformStreamClass } from "./streams.ts";

// Fetch "extract a body".
export function extractBody(value: unknown, keepalive = false): { body: BodyState; type: string | null } {
  if (isReadableStream(value)) {
    if (keepalive) fail("ReadableStream uploading is not supported with keepalive");
    if (value.locked || isDisturbed(value)) fail("Response body object should not be disturbed or locked");
    return { body: BodyState.ofStream(value as ReadableStream<Uint8Array>), type: null };
  }
  if (Blob.isInstance(value)) return { body: BodyState.ofBytes(Blob.bytesOf(value)), type: value.type || null };
  if (isBufferSource(value)) return { body: BodyState.ofBytes(bytesOf(value).slice()), type: null };
  if (FormData.isInstance(value)) {
    const { bytes, boundary } = encodeMultipart(value);
    return { body: BodyState.ofBytes(bytes), type: `multipart/form-data; boundary=${boundary}` };
  }
  if (URLSearchParams.isInstance(value)) {
    const bytes = native.utf8Encode(value.toString());
    return { body: BodyState.ofBytes(bytes), type: "application/x-www-form-urlencoded;charset=UTF-8" };
  }
  return { body: BodyState.ofBytes(native.utf8Encode(USVString(value))), type: "text/plain;charset=UTF-8" };
}

const nothing = () => Promise.resolve();
// How a body goes into a message: inline when it is small and here, else as a stream. start() is to be called after the
// message was sent; its promise fulfils when all is sent.
export function encodeBody(body: BodyState | null, limit = inlineLimit): OutgoingBody {
  if (!body) return { body: undefined, start: nothing, cancel: () => {} };
  const known = body.knownBytes;
  if (known && known.byteLength <= limit) {
    void body.consume();
    return { body: { inline: known }, start: nothing, cancel: () => {} };
  }
  return streamOut(body.source(), known?.byteLength);
}

// ------------------------------------------------------------------------------------------------- the mixin
export interface BodyOwner {
  bodyState(): BodyState | null;
  contentType(): string | null;
}
type Read<T> = (bytes: Uint8Array<ArrayBuffer>, owner: BodyOwner) => T;
function reader<T>(name: string, type: string, read: Read<T>): (this: object, owner: BodyOwner) => Promise<T> {
  return async function (this: object, owner: BodyOwner) {
    const body = owner.bodyState();
    if (body?.failure) toFailedFetch(body.failure.reason);
    if (body?.used) throw new TypeError(`Failed to execute '${name}' on '${type}': body stream already read`);
    if (body?.locked) throw new TypeError(`Failed to execute '${name}' on '${type}': body stream is locked`);
    const known = body ? body.consumeKnown() : new Uint8Array();
    return read(known ?? await body!.consume(), owner);
  };
}
export interface BodyMethods {
  arrayBuffer(owner: BodyOwner): Promise<ArrayBuffer>;
  blob(owner: BodyOwner): Promise<Blob>;
  bytes(owner: BodyOwner): Promise<Uint8Array>;
  formData(owner: BodyOwner): Promise<FormData>;
  json(owner: BodyOwner): Promise<unknown>;
  text(owner: BodyOwner): Promise<string>;
}
export function bodyMethods(type: string): BodyMethods {
  const text = (bytes: Uint8Array) => native.utf8Decode(bytes, false, false);
  return {
    arrayBuffer: reader("arrayBuffer", type, (bytes) => bytes.slice().buffer),
    blob: reader("blob", type, (bytes, owner) => Blob.over(bytes, owner.contentType() ?? "")),
    bytes: reader("bytes", type, (bytes) => bytes.slice()),
    formData: reader("formData", type, (bytes, owner) => parseFormBody(bytes, owner.contentType())),
    json: reader("json", type, (bytes) => JSON.parse(text(bytes)) as unknown),
    text: reader("text", type, text),
  };
}
