// CacheStorage: the caches of an app's origin, as its scripts see them.
#pragma once

#include "control/devtools/domain.h"

namespace vigil::control::devtools {

class CacheStorageDomain final : public DomainOf<CacheStorageDomain> {
 public:
  using DomainOf::DomainOf;
  static const Methods& Table();

 private:
  using Params = boost::json::object;
  void DeleteCache(const Params& params, const Answer& answer);
  void DeleteEntry(const Params& params, const Answer& answer);
  void RequestCacheNames(const Params& params, const Answer& answer);
  void RequestCachedResponse(const Params& params, const Answer& answer);
  void RequestEntries(const Params& params, const Answer& answer);

  void Run(const Params& params, const Answer& answer, const char* script);
};

}  // namespace vigil::control::devtools
