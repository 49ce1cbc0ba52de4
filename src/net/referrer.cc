#include "net/referrer.h"

#include <algorithm>
#include <array>

#include "net/fetch_headers.h"

namespace vigil::net {
namespace {

constexpr std::array<std::string_view, 8> kPolicies = {"no-referrer",
                                                       "no-referrer-when-downgrade",
                                                       "same-origin",
                                                       "origin",
                                                       "strict-origin",
                                                       "origin-when-cross-origin",
                                                       "strict-origin-when-cross-origin",
                                                       "unsafe-url"};
constexpr std::size_t kMaxReferrer = 4096;

std::string Stripped(const Url& source, bool origin_only) {
  if (origin_only) return source.Origin() + "/";
  Url url = source;
  url.ClearCredentials();
  std::string referrer = url.HrefWithoutFragment();
  return referrer.size() > kMaxReferrer ? source.Origin() + "/" : referrer;
}

}  // namespace

std::string ReferrerFor(std::string_view policy, const Url& source, const Url& target) {
  if (!source.IsHttp()) return "";
  if (std::find(kPolicies.begin(), kPolicies.end(), policy) == kPolicies.end())
    policy = kDefaultReferrerPolicy;
  const bool same_origin = source.Origin() == target.Origin();
  const bool downgrade = IsPotentiallyTrustworthy(source) && !IsPotentiallyTrustworthy(target);
  if (policy == "no-referrer") return "";
  if (policy == "unsafe-url") return Stripped(source, false);
  if (policy == "origin") return Stripped(source, true);
  if (policy == "same-origin") return same_origin ? Stripped(source, false) : "";
  if (policy == "origin-when-cross-origin") return Stripped(source, !same_origin);
  if (policy == "strict-origin") return downgrade ? "" : Stripped(source, true);
  if (policy == "no-referrer-when-downgrade") return downgrade ? "" : Stripped(source, false);
  if (same_origin) return Stripped(source, false);
  return downgrade ? "" : Stripped(source, true);
}

std::string ReferrerPolicyFromHeader(std::string_view value) {
  std::string policy;
  for (const std::string& token : SplitList(value)) {
    const std::string lower = LowerCase(token);
    if (std::find(kPolicies.begin(), kPolicies.end(), lower) != kPolicies.end()) policy = lower;
  }
  return policy;
}

}  // namespace vigil::net
