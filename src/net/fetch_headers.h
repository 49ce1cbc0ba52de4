// Rules of the Fetch standard on header names and values (section 2.2.2) and on CORS. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ipc/storage.pb.h"
#include "net/http_client.h"

namespace vigil::net {

std::string LowerCase(std::string_view text);
bool SameName(std::string_view a, std::string_view b);
// The values of all headers of this name joined with ", "; nullptr-like absence is told by `found`.
std::string CombinedValue(const Headers& headers, std::string_view name, bool* found = nullptr);
bool HasHeader(const Headers& headers, std::string_view name);
void RemoveHeader(Headers& headers, std::string_view name);
void AddIfAbsent(Headers& headers, std::string_view name, std::string_view value);
// Elements of a comma-separated list, trimmed, empty ones left out.
std::vector<std::string> SplitList(std::string_view list);

// Header values are bytes; in messages each byte is one character. The way back maps what is no byte to '?'.
std::string IsomorphicToUtf8(std::string_view bytes);
std::string Utf8ToIsomorphic(std::string_view text);
bool IsToken(std::string_view text);
// Holds no byte that would end it ("header value" without its trimming).
bool IsHeaderValue(std::string_view text);
// What scripts may not set.
bool IsForbiddenRequestHeader(std::string_view name, std::string_view value);
bool IsForbiddenMethod(std::string_view method);
// "get" → "GET"; only for the methods that the standard normalises.
std::string NormalizedMethod(std::string_view method);
bool IsCorsSafelistedMethod(std::string_view method);
bool IsCorsSafelistedHeader(std::string_view name, std::string_view value);
bool IsNoCorsSafelistedHeader(std::string_view name, std::string_view value);
// Lower-case, sorted, each once: what a preflight has to ask for.
std::vector<std::string> CorsUnsafeHeaderNames(const Headers& headers);
bool IsCorsSafelistedResponseHeader(std::string_view name);
// What a request of that destination accepts when nobody says it ("fetch" step 13; Chromium's values).
std::string_view DefaultAccept(std::string_view destination);

// The CORS check (section 4.10): "" when the response may be seen by `origin`, else why not.
std::string CorsProblem(const Headers& response, std::string_view origin, bool with_credentials);

// A preflight's answer and what it allows.
struct PreflightResult {
  std::vector<std::string> methods;
  std::vector<std::string> headers;  // lower case
  bool with_credentials = false;
  int max_age_seconds = 5;
};
PreflightResult ReadPreflight(const Headers& response, bool with_credentials);
// "" when allowed, else why not.
std::string PreflightProblem(const PreflightResult& result, std::string_view method,
                             const std::vector<std::string>& unsafe_headers);

}  // namespace vigil::net
