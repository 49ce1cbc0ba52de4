#include "net/url_pattern.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace vigil::net {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Names of groups: identifiers of JavaScript. What is not ASCII counts as part of one.
bool BeginsName(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (Lower(c) >= 'a' && Lower(c) <= 'z') || c == '_' || c == '$' || byte >= 0x80;
}
bool ContinuesName(char c) { return BeginsName(c) || (c >= '0' && c <= '9'); }

enum class Kind { kFixed, kSegment, kAny };
struct Part {
  Kind kind = Kind::kFixed;
  std::string text;  // kFixed
  std::string prefix, suffix;
  char modifier = 0;  // ? + * or none
};

}  // namespace

// URL Pattern §2.1.4, "parse a pattern string", and the machine for what "generate a regular expression" of
// §2.1.7 would give.
class PatternParser {
 public:
  PatternParser(std::string_view text, ComponentPattern::Options options) : text_(text) {
    pattern_.options_ = options;
  }

  Result<ComponentPattern> Parse() {
    while (at_ < text_.size()) {
      VIGIL_TRY(ParseOne());
    }
    Flush();
    Emit(Op::kEnd);
    return std::move(pattern_);
  }

 private:
  using Op = ComponentPattern::Op;

  Result<> ParseOne() {
    const char c = text_[at_];
    if (c == '{') return ParseGroup();
    if (c == '}' || c == '+' || c == '?') return Bad("has a '" + std::string(1, c) + "' without its place");
    Part part;
    VIGIL_ASSIGN(const std::optional<Kind> wildcard, TakeWildcard());
    if (!wildcard) return TakeFixed(pending_);
    const char prefix = pattern_.options_.prefix;
    if (prefix != 0 && !sealed_ && pending_.ends_with(prefix)) {
      pending_.pop_back();
      part.prefix = prefix;
    }
    part.kind = *wildcard;
    part.modifier = TakeModifier();
    Flush();
    Add(part);
    return {};
  }

  Result<> ParseGroup() {
    ++at_;
    Part part;
    VIGIL_TRY(TakeText(part.prefix));
    VIGIL_ASSIGN(const std::optional<Kind> wildcard, TakeWildcard());
    if (wildcard) {
      part.kind = *wildcard;
      VIGIL_TRY(TakeText(part.suffix));
    } else {
      part.text = std::exchange(part.prefix, {});
    }
    if (at_ >= text_.size() || text_[at_] != '}') return Bad("has a group that does not end");
    ++at_;
    part.modifier = TakeModifier();
    sealed_ = true;
    if (part.kind == Kind::kFixed && part.modifier == 0) {
      pending_ += part.text;
      return {};
    }
    Flush();
    Add(part);
    return {};
  }

  // Up to the next wildcard or the group's end.
  Result<> TakeText(std::string& into) {
    while (at_ < text_.size() && text_[at_] != '}') {
      if (AtWildcard()) return {};
      VIGIL_TRY(TakeFixed(into));
    }
    return {};
  }
  Result<> TakeFixed(std::string& into) {
    sealed_ = text_[at_] == '\\';
    if (sealed_ && ++at_ >= text_.size()) return Bad("ends with an escape");
    if (!sealed_ && text_[at_] == '{') return Bad("has a group inside a group");
    into += text_[at_++];
    return {};
  }
  bool AtWildcard() const {
    const char c = text_[at_];
    return c == '*' || c == '(' || (c == ':' && at_ + 1 < text_.size() && BeginsName(text_[at_ + 1]));
  }
  // "*", "(.*)", ":name" or ":name(.*)".
  Result<std::optional<Kind>> TakeWildcard() {
    if (at_ >= text_.size() || !AtWildcard()) return std::optional<Kind>();
    if (text_[at_] == '*') {
      ++at_;
      return std::optional(Kind::kAny);
    }
    const bool named = text_[at_] == ':';
    if (named) {
      ++at_;
      while (at_ < text_.size() && ContinuesName(text_[at_])) ++at_;
    }
    if (at_ >= text_.size() || text_[at_] != '(') return std::optional(Kind::kSegment);
    constexpr std::string_view kAnything = "(.*)";
    if (!text_.substr(at_).starts_with(kAnything)) {
      return vigil::Fail(ErrorCode::kInvalidArgument,
                         fmt::format("the pattern '{}' has a regular expression", text_));
    }
    at_ += kAnything.size();
    return std::optional(Kind::kAny);
  }
  char TakeModifier() {
    if (at_ >= text_.size()) return 0;
    const char c = text_[at_];
    if (c != '?' && c != '+' && c != '*') return 0;
    ++at_;
    return c;
  }
  Result<> Bad(const std::string& why) const {
    return vigil::Fail(ErrorCode::kInvalidArgument, fmt::format("the pattern '{}' {}", text_, why));
  }

  // ---- the machine
  std::uint32_t Here() const { return static_cast<std::uint32_t>(pattern_.steps_.size()); }
  std::uint32_t Emit(Op op, char character = 0) {
    ComponentPattern::Step step;
    step.op = op;
    step.character = pattern_.options_.ignore_case ? Lower(character) : character;
    pattern_.steps_.push_back(step);
    return Here() - 1;
  }
  void EmitText(std::string_view text) {
    for (const char c : text) Emit(Op::kChar, c);
  }
  // What stands between prefix and suffix, once.
  void EmitCore(const Part& part) {
    if (part.kind == Kind::kFixed) return EmitText(part.text);
    const std::uint32_t split = part.kind == Kind::kAny ? Emit(Op::kSplit) : 0;
    const std::uint32_t one = Emit(part.kind == Kind::kAny ? Op::kAny : Op::kNotDelimiter);
    if (part.kind == Kind::kAny) {
      Link(Emit(Op::kJump), split, 0);
      Link(split, one, Here());
    } else {
      const std::uint32_t again = Emit(Op::kSplit);
      Link(again, one, Here());
    }
  }
  void Link(std::uint32_t step, std::uint32_t first, std::uint32_t second) {
    pattern_.steps_[step].first = first;
    pattern_.steps_[step].second = second;
  }
  // Repeated, the core stands between one prefix and one suffix, and suffix and prefix between each two.
  void Add(const Part& part) {
    const bool optional = part.modifier == '?' || part.modifier == '*';
    const bool repeats = part.modifier == '+' || part.modifier == '*';
    const std::uint32_t skip = optional ? Emit(Op::kSplit) : 0;
    const std::uint32_t begin = Here();
    EmitText(part.prefix);
    EmitCore(part);
    EmitText(part.suffix);
    if (repeats) {
      const std::uint32_t again = Emit(Op::kSplit);
      Link(again, begin, Here());
    }
    if (optional) Link(skip, begin, Here());
  }
  void Flush() {
    EmitText(pending_);
    pending_.clear();
    sealed_ = false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string pending_;
  bool sealed_ = false;  // its last character is nobody's prefix: it was escaped, or in a group
  ComponentPattern pattern_;
};

// The states that are reached, each once.
class ComponentPattern::Run {
 public:
  explicit Run(const std::vector<Step>& steps) : steps_(&steps), seen_(steps.size(), 0) {}

  void Clear() {
    states_.clear();
    ++round_;
  }
  // With all that follows without a character.
  void Reach(std::uint32_t state) {
    stack_.push_back(state);
    while (!stack_.empty()) {
      const std::uint32_t next = stack_.back();
      stack_.pop_back();
      if (seen_[next] == round_) continue;
      seen_[next] = round_;
      const Step& step = (*steps_)[next];
      if (step.op == Op::kSplit) stack_.push_back(step.second);
      if (step.op == Op::kSplit || step.op == Op::kJump) {
        stack_.push_back(step.first);
      } else {
        states_.push_back(next);
      }
    }
  }
  const std::vector<std::uint32_t>& states() const { return states_; }

 private:
  const std::vector<Step>* steps_;
  std::vector<std::uint32_t> seen_;
  std::uint32_t round_ = 1;
  std::vector<std::uint32_t> states_, stack_;
};

Result<ComponentPattern> ComponentPattern::Parse(std::string_view text, Options options) {
  if (text.size() > kMaxText) {
    return Fail(ErrorCode::kTooLarge,
                fmt::format("a URL pattern has a part of more than {} bytes", kMaxText));
  }
  return PatternParser(text, options).Parse();
}

bool ComponentPattern::Takes(const Step& step, char c) const {
  if (step.op == Op::kAny) return true;
  if (step.op == Op::kNotDelimiter) return options_.delimiter == 0 || c != options_.delimiter;
  return step.op == Op::kChar && step.character == (options_.ignore_case ? Lower(c) : c);
}

bool ComponentPattern::Matches(std::string_view value, MatchBudget& budget) const {
  Run present(steps_), next(steps_);
  budget -= static_cast<MatchBudget>(steps_.size());
  present.Reach(0);
  for (const char c : value) {
    budget -= static_cast<MatchBudget>(present.states().size()) + 1;
    if (budget < 0 || present.states().empty()) return false;
    next.Clear();
    for (const std::uint32_t state : present.states()) {
      if (Takes(steps_[state], c)) next.Reach(state + 1);
    }
    std::swap(present, next);
  }
  for (const std::uint32_t state : present.states()) {
    if (steps_[state].op == Op::kEnd) return true;
  }
  return false;
}

Result<UrlPattern> UrlPattern::Parse(const Texts& texts) {
  using Options = ComponentPattern::Options;
  UrlPattern pattern;
  const bool fold = texts.ignore_case;
  const auto parse = [&](std::size_t index, const std::string& text, Options options) -> Result<> {
    VIGIL_ASSIGN(pattern.components_[index], ComponentPattern::Parse(text, options));
    return {};
  };
  // The standard folds the case of all parts that have one of their own.
  VIGIL_TRY(parse(0, texts.protocol, {}));
  VIGIL_TRY(parse(1, texts.username, {}));
  VIGIL_TRY(parse(2, texts.password, {}));
  VIGIL_TRY(parse(3, texts.hostname, Options{'.', 0, false}));
  VIGIL_TRY(parse(4, texts.port, {}));
  VIGIL_TRY(parse(5, texts.pathname, Options{'/', '/', fold}));
  VIGIL_TRY(parse(6, texts.search, Options{0, 0, fold}));
  VIGIL_TRY(parse(7, texts.hash, Options{0, 0, fold}));
  return pattern;
}

bool UrlPattern::Matches(const Url& url, MatchBudget& budget) const {
  const std::string port = url.port() == 0 ? std::string() : std::to_string(url.port());
  const std::array<std::string_view, 8> values{url.scheme(),
                                               url.username(),
                                               url.password(),
                                               url.host(),
                                               port,
                                               url.path(),
                                               url.query() ? std::string_view(*url.query()) : "",
                                               url.fragment() ? std::string_view(*url.fragment()) : ""};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!components_[i].Matches(values[i], budget)) return false;
  }
  return true;
}

}  // namespace vigil::net
