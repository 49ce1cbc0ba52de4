#include "ipc/framing.h"

#include <algorithm>
#include <cstring>

namespace vigil::ipc {
namespace {

// A buffer that once held a large message is given back when it is empty.
constexpr std::size_t kKeepBytes = 64U << 10;

std::size_t LengthAt(const char* bytes) {
  const auto byte = [bytes](int i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
  return byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
}

}  // namespace

Result<> AppendFrame(std::string_view message, std::string& out) {
  if (message.size() > kMaxFrameBytes) {
    return Fail(ErrorCode::kTooLarge, "a message of " + std::to_string(message.size()) +
                                          " bytes is over the limit of " + std::to_string(kMaxFrameBytes));
  }
  const auto size = static_cast<std::uint32_t>(message.size());
  const char header[kFrameHeaderBytes] = {static_cast<char>(size), static_cast<char>(size >> 8),
                                          static_cast<char>(size >> 16), static_cast<char>(size >> 24)};
  out.append(header, kFrameHeaderBytes);
  out.append(message);
  return {};
}

char* FrameReader::Space(std::size_t at_least) {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (buffer_.size() > kKeepBytes && at_least < kKeepBytes) std::string().swap(buffer_);
  }
  if (buffer_.size() - end_ < at_least && begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() - end_ < at_least) buffer_.resize(end_ + at_least);
  return buffer_.data() + end_;
}

std::size_t FrameReader::Missing() const {
  const std::size_t have = Buffered();
  if (have < kFrameHeaderBytes) return kFrameHeaderBytes - have;
  const std::size_t need = kFrameHeaderBytes + LengthAt(buffer_.data() + begin_);
  return need > have ? need - have : 0;
}

Result<std::optional<std::string_view>> FrameReader::Next() {
  if (Buffered() < kFrameHeaderBytes) return std::nullopt;
  const std::size_t size = LengthAt(buffer_.data() + begin_);
  if (size > kMaxFrameBytes) {
    return Fail(ErrorCode::kTooLarge, "the other end announced a message of " + std::to_string(size) +
                                          " bytes, over the limit of " + std::to_string(kMaxFrameBytes));
  }
  if (Buffered() < kFrameHeaderBytes + size) return std::nullopt;
  const std::string_view message(buffer_.data() + begin_ + kFrameHeaderBytes, size);
  begin_ += kFrameHeaderBytes + size;
  return message;
}

}  // namespace vigil::ipc
