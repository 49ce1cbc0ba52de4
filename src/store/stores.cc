#include "store/stores.h"

#include <utility>

#include "base/log.h"
#include "store/schema.h"

namespace vigil::store {

Result<std::unique_ptr<Stores>> Stores::Open(const std::filesystem::path& directory, const std::string& vfs) {
  OpenOptions records_options = RecordsOptions();
  OpenOptions log_options = LogOptions();
  records_options.vfs = log_options.vfs = vfs;
  VIGIL_ASSIGN(std::unique_ptr<Database> records, Database::Open(directory / "vigil.db", records_options));
  // A damaged event log keeps nobody from syncing: it is set aside, and the daemon goes on with a new one.
  auto log = Database::Open(directory / "log.db", log_options);
  if (!log && log.error().code == ErrorCode::kCorrupt) {
    log::Warning("the event log was damaged ({}); nothing is recorded until `vigil record on`",
                 log.error().message);
    log = Database::Open(directory / "log.db", log_options);
  }
  if (!log) return Fail(std::move(log).error());
  return std::unique_ptr<Stores>(new Stores(std::move(records), std::move(*log)));
}

Result<std::unique_ptr<Stores>> Stores::OpenInMemory() {
  VIGIL_ASSIGN(std::unique_ptr<Database> records, Database::OpenInMemory(RecordsOptions()));
  VIGIL_ASSIGN(std::unique_ptr<Database> log, Database::OpenInMemory(LogOptions()));
  return std::unique_ptr<Stores>(new Stores(std::move(records), std::move(log)));
}

Stores::Stores(std::unique_ptr<Database> records, std::unique_ptr<Database> log)
    : records_(std::move(records)),
      log_(std::move(log)),
      registrations(*records_),
      service_workers(*records_),
      apps(*records_),
      permissions(*records_),
      engagement(*records_),
      networks(*records_),
      notifications(*records_),
      cookies(*records_),
      settings(*records_),
      events(*log_) {}

Result<> Stores::ClearOrigin(const std::string& origin) {
  VIGIL_TRY(records_->Transaction([&]() -> Result<> {
    for (const char* table : {"sync_registrations", "worker_registrations", "apps", "engagement",
                              "known_networks", "notifications"}) {
      VIGIL_TRY(records_->Run(std::string("DELETE FROM ") + table + " WHERE origin = ?", origin));
    }
    return cookies.RemoveJar(origin);
  }));
  return events.RemoveOrigin(origin);
}

}  // namespace vigil::store
