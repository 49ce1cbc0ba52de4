// URL patterns without regular expressions (URL Pattern standard), for the daemon: what a worker's static
// routes compare URLs with. A pattern is compiled to a small machine whose states are followed all at once,
// so that no pattern takes longer than its length times the URL's. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/url.h"

namespace vigil::net {

// How much work a comparison may still make; below zero, the answer is "no match".
using MatchBudget = std::int64_t;

class ComponentPattern {
 public:
  static constexpr std::size_t kMaxText = 8 * 1024;
  // URL Pattern §2.2, "options": what ":name" stops at, and what may stand before it as its own.
  struct Options {
    char delimiter = 0;
    char prefix = 0;
    bool ignore_case = false;
  };
  // The text as a URLPattern's attribute gives it. kInvalidArgument: it is none, or has a regular expression.
  static Result<ComponentPattern> Parse(std::string_view text, Options options);

  bool Matches(std::string_view value, MatchBudget& budget) const;

 private:
  friend class PatternParser;
  enum class Op : std::uint8_t { kChar, kNotDelimiter, kAny, kSplit, kJump, kEnd };
  struct Step {
    Op op = Op::kEnd;
    char character = 0;
    std::uint32_t first = 0;  // kSplit, kJump: where to go on
    std::uint32_t second = 0;
  };
  class Run;

  bool Takes(const Step& step, char c) const;

  std::vector<Step> steps_;
  Options options_;
};

class UrlPattern {
 public:
  // In the order of the standard.
  struct Texts {
    std::string protocol, username, password, hostname, port, pathname, search, hash;
    bool ignore_case = false;
  };
  static Result<UrlPattern> Parse(const Texts& texts);

  bool Matches(const Url& url, MatchBudget& budget) const;

 private:
  std::array<ComponentPattern, 8> components_;
};

}  // namespace vigil::net
