// Undoes a response's Content-Encoding piece by piece: gzip, deflate, br, zstd and combinations of them. What
// comes out at a time is bounded, however well a hostile body is compressed. Any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vigil::net {

class ContentDecoder {
 public:
  static constexpr std::size_t kMaxPiece = 64 * 1024;
  // More layers than this are taken for an attack.
  static constexpr int kMaxLayers = 5;

  // For the value of Content-Encoding; null when nothing has to be undone: it is empty, or names something
  // that is not known (a body is then taken as it is).
  static Result<std::unique_ptr<ContentDecoder>> For(std::string_view encodings);

  virtual ~ContentDecoder() = default;
  // What has arrived; empty input is ignored.
  virtual void Feed(std::string_view input) = 0;
  // No more will arrive.
  virtual void FeedEnd() = 0;
  // The next at most kMaxPiece bytes. Empty: more input is needed, or, after FeedEnd(), the end.
  // kCorrupt: the body is not what its Content-Encoding says, or it breaks off.
  virtual Result<std::string> Next() = 0;
};

}  // namespace vigil::net
