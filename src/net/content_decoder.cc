#include "net/content_decoder.h"

#include <brotli/decode.h>
#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "net/fetch_headers.h"

namespace vigil::net {
namespace {

// RFC 8878 section 3.1.1.1.2 recommends, and RFC 9659 demands for the web, windows of at most 8 MiB.
constexpr int kMaxZstdWindowLog = 23;

// One layer. Input waits here until it is asked for.
class Layer : public ContentDecoder {
 public:
  void Feed(std::string_view input) final {
    if (input.empty()) return;
    if (offset_ > 0) input_.erase(0, std::exchange(offset_, 0));
    input_ += input;
  }
  void FeedEnd() final { input_ended_ = true; }
  Result<std::string> Next() final {
    std::string output;
    while (output.empty() && !finished_) {
      const std::size_t before = offset_;
      output.resize(kMaxPiece);
      std::size_t produced = 0;
      if (!Step(output.data(), output.size(), produced)) return Broken();
      output.resize(produced);
      if (produced == 0 && offset_ == before) break;
    }
    // Bytes behind the end are ignored, as browsers do.
    if (finished_) offset_ = input_.size();
    const bool may_end = finished_ || MayEndHere() || input_.empty();
    if (output.empty() && input_ended_ && !may_end) return Broken();
    return output;
  }

 protected:
  explicit Layer(const char* name) : name_(name) {}
  // Moves on by what fits. False: the input is no good.
  virtual bool Step(char* to, std::size_t size, std::size_t& produced) = 0;
  virtual bool MayEndHere() const { return false; }
  std::string_view Waiting() const { return std::string_view(input_).substr(offset_); }
  void Took(std::size_t bytes) { offset_ += bytes; }
  void Finish() { finished_ = true; }

 private:
  Result<std::string> Broken() const {
    return Fail(ErrorCode::kCorrupt, fmt::format("the body is not valid {}", name_));
  }

  const char* name_;
  std::string input_;
  std::size_t offset_ = 0;
  bool input_ended_ = false;
  bool finished_ = false;
};

class ZlibLayer final : public Layer {
 public:
  explicit ZlibLayer(bool gzip) : Layer(gzip ? "gzip" : "deflate"), gzip_(gzip) {}
  ~ZlibLayer() override {
    if (started_) inflateEnd(&stream_);
  }
  ZlibLayer(const ZlibLayer&) = delete;
  ZlibLayer& operator=(const ZlibLayer&) = delete;

 private:
  bool Step(char* to, std::size_t size, std::size_t& produced) override {
    const std::string_view input = Waiting();
    if (!started_) {
      if (input.size() < 2) return true;
      started_ = inflateInit2(&stream_, WindowBits(input)) == Z_OK;
      if (!started_) return false;
    }
    if (input.empty() && !mid_output_) return true;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = static_cast<uInt>(input.size());
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(size);
    const int code = inflate(&stream_, Z_NO_FLUSH);
    Took(input.size() - stream_.avail_in);
    produced = size - stream_.avail_out;
    mid_output_ = stream_.avail_out == 0;
    if (code == Z_STREAM_END) Finish();
    return code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR;
  }
  // As zlib wants it. Some servers send "deflate" without the header of RFC 1950 section 2.2.
  int WindowBits(std::string_view input) const {
    if (gzip_) return MAX_WBITS + 16;
    const unsigned first = static_cast<unsigned char>(input[0]);
    const unsigned second = static_cast<unsigned char>(input[1]);
    const bool has_header = (first & 0x0FU) == Z_DEFLATED && (first << 8U | second) % 31 == 0;
    return has_header ? MAX_WBITS : -MAX_WBITS;
  }

  const bool gzip_;
  z_stream stream_{};
  bool started_ = false;
  bool mid_output_ = false;
};

class BrotliLayer final : public Layer {
 public:
  BrotliLayer() : Layer("br"), state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {}
  ~BrotliLayer() override { BrotliDecoderDestroyInstance(state_); }
  BrotliLayer(const BrotliLayer&) = delete;
  BrotliLayer& operator=(const BrotliLayer&) = delete;

 private:
  bool Step(char* to, std::size_t size, std::size_t& produced) override {
    const std::string_view input = Waiting();
    if (state_ == nullptr) return false;
    std::size_t in_left = input.size();
    const auto* in = reinterpret_cast<const std::uint8_t*>(input.data());
    std::size_t out_left = size;
    auto* out = reinterpret_cast<std::uint8_t*>(to);
    const BrotliDecoderResult code =
        BrotliDecoderDecompressStream(state_, &in_left, &in, &out_left, &out, nullptr);
    Took(input.size() - in_left);
    produced = size - out_left;
    if (code == BROTLI_DECODER_RESULT_SUCCESS) Finish();
    return code != BROTLI_DECODER_RESULT_ERROR;
  }

  BrotliDecoderState* state_;
};

class ZstdLayer final : public Layer {
 public:
  ZstdLayer() : Layer("zstd"), stream_(ZSTD_createDStream()) {
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kMaxZstdWindowLog);
  }
  ~ZstdLayer() override { ZSTD_freeDStream(stream_); }
  ZstdLayer(const ZstdLayer&) = delete;
  ZstdLayer& operator=(const ZstdLayer&) = delete;

 private:
  bool Step(char* to, std::size_t size, std::size_t& produced) override {
    const std::string_view input = Waiting();
    if (input.empty() && !mid_output_) return true;
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{to, size, 0};
    const std::size_t code = ZSTD_decompressStream(stream_, &out, &in);
    if (ZSTD_isError(code) != 0) return false;
    Took(in.pos);
    produced = out.pos;
    mid_output_ = out.pos == out.size;
    at_frame_end_ = code == 0;
    return true;
  }
  // A body is one frame or several.
  bool MayEndHere() const override { return at_frame_end_ && Waiting().empty(); }

  ZSTD_DStream* stream_;
  bool mid_output_ = false;
  bool at_frame_end_ = false;
};

// The encodings in the order in which they are undone.
class Stack final : public ContentDecoder {
 public:
  explicit Stack(std::vector<std::unique_ptr<ContentDecoder>> layers) : layers_(std::move(layers)) {}
  void Feed(std::string_view input) override { layers_.front()->Feed(input); }
  void FeedEnd() override {
    layers_.front()->FeedEnd();
    ended_ = true;
  }
  Result<std::string> Next() override { return Pull(layers_.size() - 1); }

 private:
  Result<std::string> Pull(std::size_t index) {
    for (;;) {
      VIGIL_ASSIGN(std::string piece, layers_[index]->Next());
      if (!piece.empty() || index == 0) return piece;
      VIGIL_ASSIGN(const std::string input, Pull(index - 1));
      if (input.empty() && !ended_) return piece;
      if (input.empty()) {
        layers_[index]->FeedEnd();
        return layers_[index]->Next();
      }
      layers_[index]->Feed(input);
    }
  }

  std::vector<std::unique_ptr<ContentDecoder>> layers_;
  bool ended_ = false;
};

std::unique_ptr<ContentDecoder> LayerFor(std::string_view name) {
  if (name == "gzip" || name == "x-gzip") return std::make_unique<ZlibLayer>(true);
  if (name == "deflate") return std::make_unique<ZlibLayer>(false);
  if (name == "br") return std::make_unique<BrotliLayer>();
  if (name == "zstd") return std::make_unique<ZstdLayer>();
  return nullptr;
}

}  // namespace

Result<std::unique_ptr<ContentDecoder>> ContentDecoder::For(std::string_view encodings) {
  std::vector<std::unique_ptr<ContentDecoder>> layers;
  std::vector<std::string> names = SplitList(LowerCase(encodings));
  std::erase(names, "identity");
  if (names.size() > kMaxLayers) {
    return Fail(ErrorCode::kCorrupt, fmt::format("the body is encoded {} times over", names.size()));
  }
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    auto layer = LayerFor(*name);
    if (!layer) return std::unique_ptr<ContentDecoder>();
    layers.push_back(std::move(layer));
  }
  if (layers.empty()) return std::unique_ptr<ContentDecoder>();
  if (layers.size() == 1) return std::move(layers.front());
  return std::unique_ptr<ContentDecoder>(std::make_unique<Stack>(std::move(layers)));
}

}  // namespace vigil::net
