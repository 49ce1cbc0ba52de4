// Frames on the stream socket between the daemon and a worker process: a 32-bit little-endian length, then
// that many bytes of one ToWorker or ToDaemon message. Knows nothing of protobuf, sockets or threads; both
// ends use it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vigil::ipc {

// Bytes of the length in front of every message.
inline constexpr std::size_t kFrameHeaderBytes = 4;
// Largest message. Whoever announces more is broken or hostile: the connection ends.
inline constexpr std::size_t kMaxFrameBytes = 64U << 20;
// Body bytes that may be under way per stream before the receiver has granted any (vigil.proto, BodyChunk).
inline constexpr std::size_t kInitialCredit = 256U << 10;
// Bodies up to this size travel inside their message; larger ones become a stream.
inline constexpr std::size_t kMaxInlineBody = 256U << 10;

// Appends the frame of one message to a buffer. kTooLarge: nothing was appended.
Result<> AppendFrame(std::string_view message, std::string& out);

// Cuts a byte stream back into messages. Owns its buffer; one per direction and socket.
//   read into Space(n), Commit(bytes read), then Next() until it is empty.
class FrameReader {
 public:
  // A place for at least `at_least` more bytes; valid until the next call of any other member.
  char* Space(std::size_t at_least);
  // How many bytes may be written at Space()'s result.
  std::size_t SpaceSize() const { return buffer_.size() - end_; }
  void Commit(std::size_t bytes) { end_ += bytes; }
  // The next complete message, empty when more bytes are needed, kTooLarge when the stream is to be given up.
  // The view lives until the next Space().
  Result<std::optional<std::string_view>> Next();
  // How many bytes are missing until Next() can give a message; 0: it can now.
  std::size_t Missing() const;
  // Bytes that are read but not yet handed out.
  std::size_t Buffered() const { return end_ - begin_; }

 private:
  std::string buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace vigil::ipc
