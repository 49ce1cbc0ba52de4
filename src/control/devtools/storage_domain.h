// Storage: how much the origin keeps, and clearing it.
#pragma once

#include "control/devtools/domain.h"

namespace vigil::control::devtools {

class StorageDomain final : public DomainOf<StorageDomain> {
 public:
  using DomainOf::DomainOf;
  static const Methods& Table();

 private:
  using Params = boost::json::object;
  void ClearDataForOrigin(const Params& params, const Answer& answer);
  void ClearDataForStorageKey(const Params& params, const Answer& answer);
  void GetStorageKey(const Params& params, const Answer& answer);
  void GetUsageAndQuota(const Params& params, const Answer& answer);
  void SetStorageBucketTracking(const Params& params, const Answer& answer);
  void Nothing(const Params& params, const Answer& answer);

  void Clear(const Params& params, const Answer& answer, const char* name);
};

}  // namespace vigil::control::devtools
