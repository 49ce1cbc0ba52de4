// Where the HTTP cache keeps what it keeps. A cache may lose anything at any time, but never hands out half a
// body as a whole one. Event-loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/cache_policy.h"

namespace vigil::net {

// One response is kept for each URL in each partition.
struct HttpCacheKey {
  std::string partition;  // on whose behalf: nobody learns from the cache what another origin has fetched
  std::string url;
};

class HttpCacheStore {
 public:
  // Stays readable when its entry is replaced or removed.
  class Reader {
   public:
    virtual ~Reader() = default;
    virtual const StoredHead& head() const = 0;
    // The next piece of the body, empty at its end; one call at a time. kCorrupt when the body is damaged.
    // Never calls back inside this call, nor after its end.
    virtual void Read(std::function<void(Result<std::string>)> done) = 0;
    // Keeps another head with the same body, unless the entry is no longer this one.
    virtual void Update(const StoredHead& head) = 0;
  };
  // Destroyed before Commit, nothing is kept and what was there stays.
  class Writer {
   public:
    virtual ~Writer() = default;
    virtual void Append(std::string_view data) = 0;
    virtual void Commit() = 0;
  };

  virtual ~HttpCacheStore() = default;
  // Null: there is none. Never calls back inside this call.
  virtual void Find(HttpCacheKey key, std::function<void(std::shared_ptr<Reader>)> done) = 0;
  // Null: it takes nothing at the moment.
  virtual std::unique_ptr<Writer> Write(HttpCacheKey key, const StoredHead& head) = 0;
  virtual void Remove(HttpCacheKey key) = 0;
  virtual void Clear(std::string partition) = 0;
  // For good: nothing is found or kept any more. What still runs ends without calling back.
  virtual void Close() = 0;
};

}  // namespace vigil::net
