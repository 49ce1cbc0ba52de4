// Private to the fetcher: what its running fetches share. Event-loop thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "net/connectivity.h"
#include "net/cookie_jar.h"
#include "net/fetch_headers.h"
#include "net/fetcher.h"
#include "net/http_cache.h"
#include "net/http_client.h"

namespace vigil::net {

struct FetchContext {
  FetchContext(boost::asio::any_io_executor e, HttpClient& h, ConnectivityObserver& c, FetcherOptions o)
      : executor(std::move(e)),
        http(h),
        connectivity(c),
        options(std::move(o)),
        cache(executor, http, options.cache, [this] { return Now(); }) {}
  FetchContext(const FetchContext&) = delete;
  FetchContext& operator=(const FetchContext&) = delete;

  boost::asio::any_io_executor executor;
  HttpClient& http;
  ConnectivityObserver& connectivity;
  FetcherOptions options;
  HttpCache cache;

  CookieJar& JarOf(const std::string& origin);
  WallTime Now() const;
  void Post(std::function<void()> work);
  void StorePreflight(const std::string& key, const PreflightResult& result);

  // What a preflight allowed, by "origin url credentials".
  struct CachedPreflight {
    PreflightResult result;
    WallTime until;
  };
  std::map<std::string, CachedPreflight> preflights;
  std::map<std::string, CookieJar> jars;
  std::function<void(const std::string& jar, const Cookie&, bool removed)> cookie_changed;
  std::function<void(const std::string& jar, const Cookie&, bool removed)> cookie_observed;

  // Bytes in bodies of unfinished keepalive requests, by client origin. Returns what they are with the
  // change.
  std::uint64_t CountKeepalive(const std::string& origin, std::int64_t change);
  std::map<std::string, std::uint64_t> keepalive_bytes;

  // The Fetcher is gone, and the references above may be, too: nothing is started any more.
  bool closed = false;

  // Fetches that are neither ended nor paused.
  int active = 0;
  std::function<void()> idle;
  void CountActive(int by);
};

}  // namespace vigil::net
