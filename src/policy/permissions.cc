#include "policy/permissions.h"

#include <cctype>

namespace vigil::policy {
namespace {

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// 127.0.0.0/8 in the canonical form that serialized origins have.
bool IsLoopbackV4(std::string_view host) {
  if (host.substr(0, 4) != "127.") return false;
  int dots = 0;
  for (const char c : host) {
    if (c == '.') {
      ++dots;
    } else if (std::isdigit(static_cast<unsigned char>(c)) == 0) {
      return false;
    }
  }
  return dots == 3;
}

}  // namespace

Permission DecideBackgroundSync(const PermissionFacts& facts) {
  if (!facts.secure) return Permission::kDenied;
  return facts.background_sync.value_or(true) ? Permission::kGranted : Permission::kDenied;
}

bool PeriodicSettingAllows(const PermissionFacts& facts) {
  if (DecideBackgroundSync(facts) != Permission::kGranted) return false;
  return facts.periodic_background_sync.value_or(true);
}

Permission DecidePeriodicBackgroundSync(const PermissionFacts& facts, const Parameters& parameters) {
  if (parameters.installation_required && !facts.installed) return Permission::kDenied;
  return PeriodicSettingAllows(facts) ? Permission::kGranted : Permission::kDenied;
}

Permission DecideNotifications(const PermissionFacts& facts) {
  if (!facts.secure) return Permission::kDenied;
  if (!facts.notifications) return Permission::kPrompt;
  return *facts.notifications ? Permission::kGranted : Permission::kDenied;
}

bool IsPotentiallyTrustworthyOrigin(std::string_view origin) {
  constexpr std::string_view kHttps = "https://";
  constexpr std::string_view kHttp = "http://";
  if (origin.substr(0, kHttps.size()) == kHttps) return origin.size() > kHttps.size();
  if (origin.substr(0, kHttp.size()) != kHttp) return false;
  std::string_view host = origin.substr(kHttp.size());
  if (host.substr(0, 5) == "[::1]") return host.size() == 5 || host[5] == ':';
  host = host.substr(0, host.find(':'));
  return host == "localhost" || EndsWith(host, ".localhost") || IsLoopbackV4(host);
}

}  // namespace vigil::policy
