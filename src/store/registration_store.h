// Sync registrations on disk: what `register()` promises to keep. Storage thread.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "vigil/registration.h"

namespace vigil::store {

class Database;

class RegistrationStore {
 public:
  explicit RegistrationStore(Database& database) : database_(database) {}

  // Everything, ordered by service worker registration, tag, kind.
  Result<std::vector<RegistrationRecord>> LoadAll();
  // The same in parts of at most `part_size`, so that somebody else can work on one while the next is read.
  // After an error nothing more comes.
  using Take = std::function<void(std::vector<RegistrationRecord> part)>;
  Result<> Load(std::size_t part_size, const Take& take);

  // One engine batch (effect::Persist::changes) after the other, all in one transaction that is on disk when
  // this returns: group commit. On failure none of them is applied, and each batch is to be reported as
  // failed.
  using Batch = std::vector<RecordChange>;
  Result<> Apply(std::span<const Batch> batches);

 private:
  Result<> ApplyChange(const RecordChange& change);

  Database& database_;
  bool failed_ = false;  // the last Apply()
};

}  // namespace vigil::store
