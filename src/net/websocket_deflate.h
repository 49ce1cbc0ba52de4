// RFC 7692: messages compressed as permessage-deflate agreed on. zlib's raw streams, made when they are first
// needed.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/websocket_handshake.h"

namespace vigil::net {

class MessageDeflater {
 public:
  explicit MessageDeflater(DeflateTerms terms);
  ~MessageDeflater();
  MessageDeflater(const MessageDeflater&) = delete;
  MessageDeflater& operator=(const MessageDeflater&) = delete;

  // Whether it is worth it, and possible with the window that was agreed on.
  bool Wants(std::string_view message) const;
  Result<std::string> Compress(std::string_view message);
  // kTooLarge as soon as more than max_bytes come out; kInvalidArgument for what is no such stream.
  Result<std::string> Expand(std::string_view message, std::size_t max_bytes);

 private:
  struct Streams;
  DeflateTerms terms_;
  std::unique_ptr<Streams> streams_;
};

}  // namespace vigil::net
