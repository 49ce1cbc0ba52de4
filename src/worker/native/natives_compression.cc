// Compression Streams: gzip, deflate and raw deflate, with the zlib that the Node executable exports. A codec
// is an object of the bundle's; it goes with it, or with codecClose. What it allocates counts as ArrayBuffer
// memory, so that a script cannot escape its cap with thousands of codecs.
#include <v8-external.h>
#include <v8-persistent-handle.h>
#include <v8-weak-callback-info.h>
#define ZLIB_CONST
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <new>
#include <string>

#include "worker/native/natives.h"
#include "worker/native/values.h"
#include "worker/native/worker.h"

namespace vigil::worker {
namespace {

constexpr v8::ExternalPointerTypeTag kCodecTag = 1;
constexpr std::size_t kPieceSize = 64 * 1024;
// What zlib takes for compressing; V8 hears of it, so that it collects forgotten codecs in time.
constexpr std::int64_t kCompressorBytes = 268 * 1024;
constexpr std::int64_t kDecompressorBytes = 48 * 1024;

// zlib frees without saying how much; the size stands before each piece.
constexpr std::size_t kHead = alignof(std::max_align_t);

void* Allocate(void* opaque, unsigned count, unsigned size) {
  const std::size_t length = kHead + static_cast<std::size_t>(count) * size;
  auto* const block =
      static_cast<char*>(static_cast<CappedAllocator*>(opaque)->AllocateUninitialized(length));
  if (block == nullptr) return nullptr;
  new (block) std::size_t(length);
  return block + kHead;
}

void Free(void* opaque, void* data) {
  char* const block = static_cast<char*>(data) - kHead;
  static_cast<CappedAllocator*>(opaque)->Free(block, *reinterpret_cast<std::size_t*>(block));
}

struct Codec {
  Codec(v8::Isolate* owner, bool compresses) : isolate(owner), compress(compresses) {}
  Codec(const Codec&) = delete;
  Codec& operator=(const Codec&) = delete;
  ~Codec() { Close(); }

  bool Open(int window_bits) {
    stream.zalloc = Allocate;
    stream.zfree = Free;
    stream.opaque = Worker::Of(isolate).allocator.get();
    const int status = compress ? deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits,
                                               MAX_MEM_LEVEL - 1, Z_DEFAULT_STRATEGY)
                                : inflateInit2(&stream, window_bits);
    open = status == Z_OK;
    if (open) Account(compress ? kCompressorBytes : kDecompressorBytes);
    return open;
  }
  void Close() {
    if (!open) return;
    open = false;
    if (compress)
      deflateEnd(&stream);
    else
      inflateEnd(&stream);
    Account(compress ? -kCompressorBytes : -kDecompressorBytes);
  }
  void Account(std::int64_t bytes) { isolate->AdjustAmountOfExternalAllocatedMemory(bytes); }

  v8::Isolate* isolate;
  bool compress;
  bool open = false;
  bool ended = false;        // the compressed data is complete
  std::size_t consumed = 0;  // of the input at hand
  z_stream stream{};
  v8::Global<v8::External> holder;
};

Codec* CodecOf(v8::Local<v8::Value> value) {
  return value->IsExternal() ? static_cast<Codec*>(value.As<v8::External>()->Value(kCodecTag)) : nullptr;
}

// V8 wants the handle gone at once, the rest after its collection.
void Collected(const v8::WeakCallbackInfo<Codec>& info) {
  info.GetParameter()->holder.Reset();
  info.SetSecondPassCallback([](const v8::WeakCallbackInfo<Codec>& later) { delete later.GetParameter(); });
}

// codecOpen(compress, format)
void CodecOpen(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  if (!args[1]->IsString()) return ThrowTypeError(isolate, "codecOpen expects a format");
  const std::string format = ToUtf8(isolate, args[1]);
  const int window_bits = format == "gzip"          ? MAX_WBITS + 16
                          : format == "deflate-raw" ? -MAX_WBITS
                                                    : MAX_WBITS;
  auto codec = std::make_unique<Codec>(isolate, args[0]->IsTrue());
  if (!codec->Open(window_bits)) return ThrowRangeError(isolate, "Out of memory");
  const v8::Local<v8::External> holder = v8::External::New(isolate, codec.get(), kCodecTag);
  codec->holder.Reset(isolate, holder);
  codec->holder.SetWeak(codec.release(), Collected, v8::WeakCallbackType::kParameter);
  args.GetReturnValue().Set(holder);
}

// What is wrong after a step, empty: nothing.
std::string_view Fault(const Codec& codec, int status, bool finish) {
  if (status == Z_MEM_ERROR) return "Out of memory";
  if (codec.compress || status == Z_OK || status == Z_STREAM_END) {
    return codec.ended && codec.stream.avail_in > 0 ? "Junk found after end of compressed data." : "";
  }
  if (status == Z_BUF_ERROR) return finish ? "Compressed input was truncated." : "";
  return "The compressed data was not valid.";
}

// codecRun(codec, input, finish): the next piece of output; null: all of the input is used up, and nothing is
// left to say. Until then it is called with the same input again.
void CodecRun(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  Codec* const codec = CodecOf(args[0]);
  const auto input = BytesOf(args[1]);
  if (codec == nullptr || !codec->open || !input)
    return ThrowTypeError(isolate, "codecRun expects an open codec");
  const bool finish = args[2]->IsTrue();
  static std::array<char, kPieceSize> piece;
  z_stream& stream = codec->stream;
  stream.next_out = reinterpret_cast<Bytef*>(piece.data());
  stream.avail_out = piece.size();
  // A script may have detached the buffer since the last call.
  codec->consumed = std::min(codec->consumed, input->size());
  const std::size_t left = std::min<std::size_t>(input->size() - codec->consumed, UINT32_MAX);
  stream.next_in = reinterpret_cast<const Bytef*>(input->data()) + codec->consumed;
  stream.avail_in = static_cast<unsigned>(left);
  int status = Z_STREAM_END;
  if (!codec->ended) {
    const int flush = finish ? Z_FINISH : Z_NO_FLUSH;
    status = codec->compress ? deflate(&stream, flush) : inflate(&stream, flush);
    codec->ended = status == Z_STREAM_END;
  }
  codec->consumed += left - stream.avail_in;
  const std::size_t made = piece.size() - stream.avail_out;
  // Output comes first: what was valid before a fault is delivered.
  if (made == 0) {
    const std::string_view fault = Fault(*codec, status, finish);
    if (!fault.empty()) return ThrowTypeError(isolate, fault);
    codec->consumed = 0;
    return args.GetReturnValue().SetNull();
  }
  v8::Local<v8::Uint8Array> bytes;
  if (NewBytes(isolate, {piece.data(), made}).ToLocal(&bytes)) args.GetReturnValue().Set(bytes);
}

// Children share those pages of the executable that the zygote has touched: each way once.
void Warm() {
  std::array<Bytef, 64> text{};
  std::array<Bytef, 128> packed{};
  uLongf packed_size = packed.size();
  uLongf text_size = text.size();
  compress(packed.data(), &packed_size, text.data(), text.size());
  uncompress(text.data(), &text_size, packed.data(), packed_size);
}

void CodecClose(const Arguments& args) {
  if (Codec* const codec = CodecOf(args[0])) codec->Close();
}

}  // namespace

void InstallCompressionNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native) {
  SetFunction(context, native, "codecOpen", CodecOpen);
  SetFunction(context, native, "codecRun", CodecRun);
  SetFunction(context, native, "codecClose", CodecClose);
  Warm();
}

}  // namespace vigil::worker
