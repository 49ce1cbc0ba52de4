#include "net/websocket_deflate.h"

#include <zlib.h>

#include <array>
#include <new>

namespace vigil::net {
namespace {

// What a sync flush ends with; it is left out of each message (section 7.2.1).
constexpr std::string_view kTail("\x00\x00\xff\xff", 4);
// Below this, compressing costs more than it saves.
constexpr std::size_t kWorthIt = 64;
constexpr std::size_t kStep = 16 * 1024;

Bytef* BytesOf(std::string_view text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text.data())); }

}  // namespace

struct MessageDeflater::Streams {
  ~Streams() {
    if (packing) deflateEnd(&out);
    if (unpacking) inflateEnd(&in);
  }
  z_stream out{};
  z_stream in{};
  bool packing = false;
  bool unpacking = false;
};

MessageDeflater::MessageDeflater(DeflateTerms terms) : terms_(terms), streams_(std::make_unique<Streams>()) {}
MessageDeflater::~MessageDeflater() = default;

// zlib has no raw stream with a window of 256 bytes; whole messages may always go uncompressed.
bool MessageDeflater::Wants(std::string_view message) const {
  return message.size() >= kWorthIt && terms_.client_window_bits > 8;
}

Result<std::string> MessageDeflater::Compress(std::string_view message) {
  z_stream& stream = streams_->out;
  if (!streams_->packing) {
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -terms_.client_window_bits, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK)
      return Fail(ErrorCode::kInternal, "no memory to compress a message");
    streams_->packing = true;
  }
  std::string packed(deflateBound(&stream, message.size()) + kTail.size() + 8, '\0');
  stream.next_in = BytesOf(message);
  stream.avail_in = static_cast<uInt>(message.size());
  stream.next_out = BytesOf(packed);
  stream.avail_out = static_cast<uInt>(packed.size());
  if (deflate(&stream, Z_SYNC_FLUSH) != Z_OK || stream.avail_in != 0 || stream.avail_out == 0)
    return Fail(ErrorCode::kInternal, "a message could not be compressed");
  packed.resize(packed.size() - stream.avail_out);
  if (!packed.ends_with(kTail)) return Fail(ErrorCode::kInternal, "a message could not be compressed");
  packed.resize(packed.size() - kTail.size());
  if (!terms_.client_keeps_context) deflateReset(&stream);
  return packed;
}

Result<std::string> MessageDeflater::Expand(std::string_view message, std::size_t max_bytes) {
  z_stream& stream = streams_->in;
  if (!streams_->unpacking) {
    // 15 reads what was made with any smaller window, too.
    if (inflateInit2(&stream, -15) != Z_OK) return Fail(ErrorCode::kInternal, "no memory to read a message");
    streams_->unpacking = true;
  }
  std::string whole;
  std::array<char, kStep> step;
  for (const std::string_view part : {message, kTail}) {
    stream.next_in = BytesOf(part);
    stream.avail_in = static_cast<uInt>(part.size());
    do {
      stream.next_out = reinterpret_cast<Bytef*>(step.data());
      stream.avail_out = step.size();
      const int status = inflate(&stream, Z_SYNC_FLUSH);
      if (status == Z_STREAM_END) {
        // A last block inside a message is allowed; what follows begins a new stream in the same window.
        inflateResetKeep(&stream);
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        return Fail(ErrorCode::kInvalidArgument, "a compressed message is damaged");
      }
      const std::size_t made = step.size() - stream.avail_out;
      if (whole.size() + made > max_bytes)
        return Fail(ErrorCode::kTooLarge, "a message is too large when expanded");
      whole.append(step.data(), made);
      if (made == 0 && status == Z_BUF_ERROR) break;
    } while (stream.avail_in > 0 || stream.avail_out == 0);
  }
  if (!terms_.server_keeps_context) inflateReset(&stream);
  return whole;
}

}  // namespace vigil::net
