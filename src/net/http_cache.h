// Fetch section 4.6, "HTTP-network-or-cache fetch", between a fetch and the HTTP client: answers from the
// store what may be answered from there (RFC 9111), asks the server whether it still holds, and keeps what
// comes. Event-loop thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/http_cache_store.h"
#include "net/http_client.h"
#include "vigil/time.h"

namespace vigil::net {

enum class CacheMode { kDefault, kNoStore, kReload, kNoCache, kForceCache, kOnlyIfCached };
// "" and what is no mode: kDefault.
CacheMode ParseCacheMode(std::string_view name);

class HttpCache {
 public:
  // store may be null: nothing is kept then.
  HttpCache(boost::asio::any_io_executor executor, HttpClient& http, std::shared_ptr<HttpCacheStore> store,
            std::function<WallTime()> now)
      : executor_(std::move(executor)), http_(http), store_(std::move(store)), now_(std::move(now)) {}

  // As HttpClient::Start. Under kOnlyIfCached, kUnavailable when nothing is kept.
  std::unique_ptr<HttpClient::Transfer> Start(HttpClientRequest request, std::string partition,
                                              CacheMode mode, HttpClientHandlers handlers);
  void Clear(const std::string& partition) {
    if (store_) store_->Clear(partition);
  }

 private:
  boost::asio::any_io_executor executor_;
  HttpClient& http_;
  std::shared_ptr<HttpCacheStore> store_;
  std::function<WallTime()> now_;
};

}  // namespace vigil::net
