// Sync registrations on disk: what `register()` promises to keep. Storage thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "vigil/time.h"

namespace vigil::store {

class Database;

// PROVISIONAL: replaced by the engine's own record and batch types (include/vigil/) as soon as they are
// there.
struct RegistrationRecord {
  std::uint64_t registration_id = 0;
  bool periodic = false;
  std::string tag;
  std::string origin;
};
struct RegistrationBatch {
  std::vector<RegistrationRecord> upserts;
  std::vector<RegistrationRecord> deletes;
};

class RegistrationStore {
 public:
  explicit RegistrationStore(Database& database) : database_(database) {}

  // Everything, ordered by service worker registration, tag, kind.
  Result<std::vector<RegistrationRecord>> LoadAll();
  // Applies all batches in order, in one transaction that is on disk when this returns: group commit. On
  // failure none of them is applied.
  Result<> Apply(std::span<const RegistrationBatch> batches);

 private:
  Database& database_;
};

}  // namespace vigil::store
