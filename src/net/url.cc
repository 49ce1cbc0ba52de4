#include "net/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "net/url_parser.h"

namespace vigil::net {
namespace {

std::uint16_t DefaultPort(std::string_view scheme) {
  if (scheme == "http" || scheme == "ws") return 80;
  if (scheme == "https" || scheme == "wss") return 443;
  return 0;
}

bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSlash(char c) { return c == '/' || c == '\\'; }

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

// Without surrounding spaces and controls, and without any tab or line break (section 4.4, steps 1 to 3).
std::string Strip(std::string_view input) {
  const auto is_space = [](char c) { return static_cast<unsigned char>(c) <= 0x20; };
  while (!input.empty() && is_space(input.front())) input.remove_prefix(1);
  while (!input.empty() && is_space(input.back())) input.remove_suffix(1);
  std::string stripped;
  for (const char c : input) {
    if (c != '\t' && c != '\n' && c != '\r') stripped += c;
  }
  return stripped;
}

std::string Encode(std::string_view text, EncodeSet set) {
  std::string out;
  for (const char c : text) AppendEncoded(out, static_cast<unsigned char>(c), set);
  return out;
}

bool IsSingleDot(std::string_view segment) { return segment == "." || Lower(segment) == "%2e"; }
bool IsDoubleDot(std::string_view segment) {
  const std::string lower = Lower(segment);
  return lower == ".." || lower == ".%2e" || lower == "%2e." || lower == "%2e%2e";
}

// Appends the segments of `path` (which has its own leading slash or none) to `base`, which ends before a
// slash.
std::string JoinPath(std::string base, std::string_view path) {
  if (!path.empty() && IsSlash(path.front())) path.remove_prefix(1);
  while (true) {
    const auto end = std::find_if(path.begin(), path.end(), IsSlash);
    const auto length = static_cast<std::size_t>(end - path.begin());
    const std::string_view segment = path.substr(0, length);
    const bool last = end == path.end();
    if (IsDoubleDot(segment)) {
      base.erase(std::min(base.rfind('/'), base.size()));
      if (last) base += '/';
    } else if (IsSingleDot(segment)) {
      if (last) base += '/';
    } else {
      base += '/';
      base += Encode(segment, EncodeSet::kPath);
    }
    if (last) return base;
    path.remove_prefix(length + 1);
  }
}

}  // namespace

void AppendEncoded(std::string& out, unsigned char byte, EncodeSet set) {
  static constexpr std::string_view kMembers[] = {
      "",                       // C0 control
      " \"<>`",                 // fragment
      " \"#<>'",                // special query
      " \"#<>?^`{}",            // path
      " \"#<>?^`{}/:;=@[\\]|",  // userinfo
  };
  const std::string_view members = kMembers[static_cast<std::size_t>(set)];
  if (byte <= 0x1F || byte >= 0x7F || members.find(static_cast<char>(byte)) != std::string_view::npos) {
    fmt::format_to(std::back_inserter(out), "%{:02X}", byte);
  } else {
    out += static_cast<char>(byte);
  }
}

// The URL standard's basic parser (section 4.4) for special schemes, written as a pass over the parts of the
// text.
class UrlParser {
 public:
  static Result<Url> Parse(std::string_view raw, const Url* base) {
    const std::string input = Strip(raw);
    std::string_view rest = input;
    Url url;
    const std::size_t scheme_length = SchemeLength(rest);
    const bool ok = scheme_length > 0 ? Absolute(url, rest, scheme_length, base) : Relative(url, rest, base);
    if (!ok) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("\"{}\" is not a URL; write it like https://shop.example/", raw));
    }
    return url;
  }

 private:
  static std::size_t SchemeLength(std::string_view text) {
    if (text.empty() || !IsAlpha(text[0])) return 0;
    for (std::size_t i = 1; i < text.size(); ++i) {
      if (text[i] == ':') return i;
      if (!IsAlpha(text[i]) && !IsDigit(text[i]) && text[i] != '+' && text[i] != '-' && text[i] != '.')
        return 0;
    }
    return 0;
  }

  static bool Absolute(Url& url, std::string_view rest, std::size_t scheme_length, const Url* base) {
    url.scheme_ = Lower(rest.substr(0, scheme_length));
    rest.remove_prefix(scheme_length + 1);
    if (!url.IsSpecial()) {
      TakeFragment(url, rest);
      url.path_ = Encode(rest, EncodeSet::kC0Control);
      return true;
    }
    // "https:foo" is relative to a base of the same scheme.
    if (base != nullptr && base->scheme_ == url.scheme_ && !rest.starts_with("//")) {
      return Relative(url, rest, base);
    }
    return Authority(url, rest);
  }

  static bool Relative(Url& url, std::string_view rest, const Url* base) {
    if (base == nullptr) return false;
    if (!base->IsSpecial()) {
      if (!rest.starts_with('#')) return false;
      url = *base;
      TakeFragment(url, rest);
      return true;
    }
    url.scheme_ = base->scheme_;
    if (rest.size() >= 2 && IsSlash(rest[0]) && IsSlash(rest[1])) return Authority(url, rest);
    url = *base;
    url.fragment_.reset();
    TakeFragment(url, rest);
    if (rest.empty()) return true;
    url.query_.reset();
    TakeQuery(url, rest);
    if (rest.empty()) return true;
    const std::string directory = IsSlash(rest[0]) ? "" : base->path_.substr(0, base->path_.rfind('/'));
    url.path_ = JoinPath(directory, rest);
    return true;
  }

  static void TakeFragment(Url& url, std::string_view& rest) {
    const std::size_t hash = rest.find('#');
    if (hash == std::string_view::npos) return;
    url.fragment_ = Encode(rest.substr(hash + 1), EncodeSet::kFragment);
    rest = rest.substr(0, hash);
  }

  static void TakeQuery(Url& url, std::string_view& rest) {
    const std::size_t mark = rest.find('?');
    if (mark == std::string_view::npos) return;
    url.query_ = Encode(rest.substr(mark + 1), EncodeSet::kSpecialQuery);
    rest = rest.substr(0, mark);
  }

  static bool Authority(Url& url, std::string_view rest) {
    while (!rest.empty() && IsSlash(rest.front())) rest.remove_prefix(1);
    TakeFragment(url, rest);
    TakeQuery(url, rest);
    const auto end = std::find_if(rest.begin(), rest.end(), IsSlash);
    std::string_view authority = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
    rest.remove_prefix(authority.size());
    const std::size_t at = authority.rfind('@');
    if (at != std::string_view::npos) {
      const std::string_view userinfo = authority.substr(0, at);
      const std::size_t colon = userinfo.find(':');
      url.username_ = Encode(userinfo.substr(0, colon), EncodeSet::kUserinfo);
      if (colon != std::string_view::npos)
        url.password_ = Encode(userinfo.substr(colon + 1), EncodeSet::kUserinfo);
      authority.remove_prefix(at + 1);
    }
    if (!TakePort(url, authority)) return false;
    const std::optional<std::string> host = ParseHost(authority);
    if (!host) return false;
    url.host_ = *host;
    url.path_ = JoinPath("", rest);
    return true;
  }

  static bool TakePort(Url& url, std::string_view& authority) {
    const std::size_t colon = authority.rfind(':');
    const std::size_t bracket = authority.rfind(']');
    if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket))
      return true;
    unsigned port = 0;
    for (const char c : authority.substr(colon + 1)) {
      if (!IsDigit(c)) return false;
      port = port * 10 + static_cast<unsigned>(c - '0');
      if (port > 65535) return false;
    }
    const bool given = colon + 1 < authority.size();
    url.port_ = given && port != DefaultPort(url.scheme_) ? static_cast<std::uint16_t>(port) : 0;
    // Port 0 cannot be told from "none given" here; nothing can be served there.
    if (given && port == 0) return false;
    authority = authority.substr(0, colon);
    return true;
  }
};

Result<Url> Url::Parse(std::string_view input) { return UrlParser::Parse(input, nullptr); }

Result<Url> Url::Parse(std::string_view input, const Url& base) { return UrlParser::Parse(input, &base); }

std::uint16_t Url::EffectivePort() const { return port_ != 0 ? port_ : DefaultPort(scheme_); }

bool Url::IsSpecial() const { return DefaultPort(scheme_) != 0; }

std::string Url::HrefWithoutFragment() const {
  std::string href = scheme_ + ":";
  if (!IsSpecial()) return href + path_;
  href += "//";
  if (!username_.empty() || !password_.empty()) {
    href += username_;
    if (!password_.empty()) href += ":" + password_;
    href += '@';
  }
  href += host_;
  if (port_ != 0) fmt::format_to(std::back_inserter(href), ":{}", port_);
  return href + Target();
}

std::string Url::Href() const {
  return fragment_ ? HrefWithoutFragment() + "#" + *fragment_ : HrefWithoutFragment();
}

std::string Url::Origin() const {
  if (!IsSpecial()) return "null";
  return port_ != 0 ? fmt::format("{}://{}:{}", scheme_, host_, port_)
                    : fmt::format("{}://{}", scheme_, host_);
}

std::string Url::Target() const { return query_ ? path_ + "?" + *query_ : path_; }

std::string Url::Hostname() const {
  return host_.starts_with('[') ? host_.substr(1, host_.size() - 2) : host_;
}

void Url::ClearCredentials() {
  username_.clear();
  password_.clear();
}

}  // namespace vigil::net
