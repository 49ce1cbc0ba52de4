#include "base/utf8.h"

#include <cstddef>

namespace vigil {
namespace {

struct Lead {
  std::size_t more;     // bytes that follow
  unsigned char least;  // bounds of the first of them
  unsigned char most;
};

// more == 0: not the beginning of anything.
Lead LeadOf(unsigned char byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {1, 0x80, 0xBF};
  if (byte == 0xE0) return {2, 0xA0, 0xBF};
  if (byte == 0xED) return {2, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {2, 0x80, 0xBF};
  if (byte == 0xF0) return {3, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {3, 0x80, 0xBF};
  if (byte == 0xF4) return {3, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

bool IsUtf8(std::string_view text) {
  const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (byte(at) < 0x80) continue;
    const Lead lead = LeadOf(byte(at));
    if (lead.more == 0 || text.size() - at <= lead.more) return false;
    if (byte(at + 1) < lead.least || byte(at + 1) > lead.most) return false;
    for (std::size_t next = 2; next <= lead.more; ++next) {
      if (byte(at + next) < 0x80 || byte(at + next) > 0xBF) return false;
    }
    at += lead.more;
  }
  return true;
}

}  // namespace vigil
