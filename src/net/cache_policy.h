// RFC 9111 for a private cache: what may be stored, for how long it is fresh, and how it is checked. Pure
// functions.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_client.h"
#include "vigil/time.h"

namespace vigil::net {

// Cache-Control, section 5.2; what a private cache has no use for is left out.
struct CacheControl {
  bool no_store = false;
  bool no_cache = false;
  std::optional<std::chrono::seconds> max_age;
};
CacheControl ReadCacheControl(const Headers& headers);

// An HTTP-date in any of its three forms (RFC 9110 section 5.6.7).
std::optional<WallTime> ParseHttpDate(std::string_view text);

// What is kept of a response beside its body.
struct StoredHead {
  HttpClientHead head;
  WallTime requested_at;
  WallTime received_at;
  Headers vary;  // the request's values for what the response's Vary names
};

// Section 3: whether a response may be kept at all.
bool MayStore(const HttpClientRequest& request, const HttpClientHead& head);
StoredHead MakeStored(const HttpClientRequest& request, HttpClientHead head, WallTime requested_at,
                      WallTime received_at);
// Section 4.1: whether what is stored was chosen by the same header values. "*" says that it depends on more
// than can be compared.
enum class VaryMatch { kSame, kUnknown, kDiffers };
VaryMatch MatchVary(const StoredHead& stored, const HttpClientRequest& request);
// Sections 4.2 and 5.2.2: whether it may be used without asking.
bool IsFresh(const StoredHead& stored, WallTime now);
// Section 4.3.1: the headers that turn a request into a question about what is stored; empty when there is
// nothing to ask by. A date says nothing about which of several variants is meant.
Headers ValidationHeaders(const StoredHead& stored, bool with_date);
// Section 4.3.4: what a 304 changes.
void Freshen(StoredHead& stored, const HttpClientHead& not_modified, WallTime requested_at,
             WallTime received_at);
// Section 4.4: whether this exchange makes what is stored for its URL useless.
bool Invalidates(std::string_view method, int status);
// RFC 9110 section 13: the request asks about a version of its own.
bool IsConditional(const Headers& headers);

}  // namespace vigil::net
