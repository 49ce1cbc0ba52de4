// When a stored request answers another one (Service Workers specification, "Request Matches Cached Item").
//
// Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "ipc/storage.pb.h"

namespace vigil::storage {

// The URL as the Cache compares it: no fragment, and no query if so wanted.
std::string_view WithoutFragment(std::string_view url);
std::string_view WithoutQuery(std::string_view url);

// Compares methods and Vary; the caller has compared the URLs.
bool HeadersMatch(const ipc::HttpRequest& query, const ipc::HttpRequest& stored,
                  const ipc::HttpResponse& response, bool ignore_vary);
// The response says "Vary: *": it answers nothing and cannot be stored.
bool VariesOnEverything(const ipc::HttpResponse& response);

}  // namespace vigil::storage
