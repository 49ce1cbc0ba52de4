// IndexedDB: the databases of an app's origin, as its scripts see them.
#pragma once

#include "control/devtools/domain.h"

namespace vigil::control::devtools {

class IndexedDbDomain final : public DomainOf<IndexedDbDomain> {
 public:
  using DomainOf::DomainOf;
  static const Methods& Table();

 private:
  using Params = boost::json::object;
  void ClearObjectStore(const Params& params, const Answer& answer);
  void DeleteDatabase(const Params& params, const Answer& answer);
  void DeleteObjectStoreEntries(const Params& params, const Answer& answer);
  void GetMetadata(const Params& params, const Answer& answer);
  void Nothing(const Params& params, const Answer& answer);
  void RequestData(const Params& params, const Answer& answer);
  void RequestDatabase(const Params& params, const Answer& answer);
  void RequestDatabaseNames(const Params& params, const Answer& answer);

  // Runs a script with the command's parameters and answers with what it returns, under `name` if there is
  // one.
  void Run(const Params& params, const Answer& answer, const char* script, const char* name);
};

}  // namespace vigil::control::devtools
