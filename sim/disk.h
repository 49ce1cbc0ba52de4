// The machine's disk: the real store on SQLite, with the ways in which disks fail.
//
// Knows what ought to be on it: everything of a transaction that was reported as written, and of one that
// was reported as failed all or nothing.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/registration_store.h"
#include "store/testing/fault_vfs.h"
#include "vigil/registration.h"

namespace vigil::store {
class Database;
}  // namespace vigil::store

namespace vigil::sim {

class Disk {
 public:
  using Records = std::map<RegistrationKey, RegistrationRecord>;
  using Batch = store::RegistrationStore::Batch;

  explicit Disk(std::uint64_t seed);
  ~Disk();

  // One transaction. Notes what ought to be there afterwards.
  Result<> Apply(std::span<const Batch> batches);

  // One of several ways, chosen by the number: until it heals, once, now or after a while.
  void Break(std::uint32_t how);
  void Heal();

  // The process ends (closes the file, or is killed) or the power goes; then the file is opened and read
  // again. Anything else than what ought to be there is an error.
  enum class End { kClosed, kKilled, kPowerCut };
  Result<std::vector<RegistrationRecord>> Restart(End end);

  const Records& expected() const { return expected_; }

 private:
  Result<> Open();

  void LeaveAsKilled();

  store::testing::FaultVfs files_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::RegistrationStore> registrations_;
  Records expected_;
  std::vector<Records> possible_;  // what failed transactions may have left instead
};

}  // namespace vigil::sim
