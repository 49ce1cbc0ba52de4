// The coder of messages, quicker at what every message has. Numbers of 64 bits are below 2^53 here and nearly all fit
// into 32: its detours over BigInt cost more than the rest of a small message.
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";

const readAny = BinaryReader.prototype.uint64;
const writeAny = BinaryWriter.prototype.uint64;
const mostHigh = 0x1fffff; // of a safe integer's upper word

// What a reader has read last, in two words.
interface Words {
  varint64(): void;
  varint64Lo: number;
  varint64Hi: number;
}

BinaryReader.prototype.uint64 = function (this: BinaryReader) {
  const { pos } = this;
  const words = this as unknown as Words;
  words.varint64();
  const [low, high] = [words.varint64Lo >>> 0, words.varint64Hi >>> 0];
  if (high <= mostHigh) return (high * 2 ** 32 + low) as never;
  this.pos = pos;
  return readAny.call(this);
};
BinaryWriter.prototype.uint64 = function (this: BinaryWriter, value) {
  if (typeof value === "number" && value >= 0 && value <= 0xffffffff) return this.uint32(value);
  return writeAny.call(this, value);
};

// One writer serves all messages, as its buffer is what costs. A large one is not kept.
const maxKept = 64 << 10;
let shared: BinaryWriter | null = null;
interface Coder<T> {
  encode(message: T, writer?: BinaryWriter): BinaryWriter;
}
export function encodeWith<T>(coder: Coder<T>, message: T): Uint8Array {
  const writer = shared ?? new BinaryWriter();
  shared = null; // until it is whole again
  const bytes = coder.encode(message, writer).finish();
  if (bytes.length <= maxKept) shared = writer;
  return bytes;
}
