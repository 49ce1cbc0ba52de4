#include "sim/disk.h"

#include <stdexcept>
#include <utility>

#include "store/database.h"
#include "store/schema.h"

namespace vigil::sim {
namespace {

using Lasts = store::testing::FaultVfs::Lasts;
constexpr const char* kFile = "/vigil.db";

void Change(Disk::Records& records, std::span<const Disk::Batch> batches) {
  for (const Disk::Batch& batch : batches) {
    for (const RecordChange& change : batch) {
      if (change.op == RecordChange::Op::kPut) {
        records.insert_or_assign(change.record.key, change.record);
      } else {
        records.erase(change.record.key);
      }
    }
  }
}

std::string EmptyDatabase() {
  const store::testing::FaultVfs files({.name = "vigil-sim-empty"});
  store::OpenOptions options = store::RecordsOptions();
  options.vfs = files.name();
  if (auto opened = store::Database::Open(kFile, options); !opened) {
    throw std::runtime_error(opened.error().message);
  }
  return files.Content(kFile);
}

}  // namespace

Disk::Disk(std::uint64_t seed) : files_({.name = "vigil-sim", .seed = seed}) {
  // Made once: the schema takes as long as many steps.
  static const std::string empty = EmptyDatabase();
  files_.SetContent(kFile, empty);
  if (Result<> opened = Open(); !opened) throw std::runtime_error(opened.error().message);
}
Disk::~Disk() = default;

Result<> Disk::Open() {
  store::OpenOptions options = store::RecordsOptions();
  options.vfs = files_.name();
  VIGIL_ASSIGN(database_, store::Database::Open(kFile, options));
  registrations_ = std::make_unique<store::RegistrationStore>(*database_);
  return {};
}

Result<> Disk::Apply(std::span<const Batch> batches) {
  Result<> written = registrations_->Apply(batches);
  if (written) {
    Change(expected_, batches);
    possible_.clear();
  } else {
    possible_.push_back(expected_);
    Change(possible_.back(), batches);
  }
  return written;
}

void Disk::Break(std::uint32_t how) {
  const Lasts lasts = how >> 8 & 1 ? Lasts::kOnce : Lasts::kUntilHealed;
  switch (how % 4) {
    case 0:
      return files_.FailWrites(lasts);
    case 1:
      return files_.FailSyncs(lasts);
    case 2:
      return files_.FillAfter(how >> 16, lasts);
    default:
      return files_.FailAtRandom(0.2);
  }
}

void Disk::Heal() { files_.Heal(); }

// A killed process writes nothing more, not even what closing its database would write.
void Disk::LeaveAsKilled() {
  std::vector<std::pair<std::string, std::string>> left;
  for (const std::string& name : files_.List()) left.emplace_back(name, files_.Content(name));
  database_.reset();
  for (const std::string& name : files_.List()) files_.Remove(name);
  for (auto& [name, content] : left) files_.SetContent(name, std::move(content));
}

Result<std::vector<RegistrationRecord>> Disk::Restart(End end) {
  registrations_.reset();
  if (end == End::kPowerCut) files_.PowerCut();
  Heal();
  if (end == End::kKilled) LeaveAsKilled();
  database_.reset();
  VIGIL_TRY(Open());
  VIGIL_ASSIGN(std::vector<RegistrationRecord> records, registrations_->LoadAll());
  Records found;
  for (const RegistrationRecord& record : records) found.insert_or_assign(record.key, record);
  bool right = found == expected_;
  for (const Records& other : possible_) right = right || found == other;
  if (!right) return Fail(ErrorCode::kCorrupt, "what was written is not what is read");
  expected_ = std::move(found);
  possible_.clear();
  return records;
}

}  // namespace vigil::sim
