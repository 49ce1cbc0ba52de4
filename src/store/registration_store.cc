#include "store/registration_store.h"

#include <limits>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/utf8.h"
#include "store/database.h"
#include "store/times.h"

namespace vigil::store {
namespace {

constexpr const char* kPut =
    "INSERT INTO sync_registrations (worker_registration, tag, kind, origin, min_interval_ms, attempts, "
    "max_attempts, due_us, delay_us, anchor_us, registered_at_us, lost_network, last_fired_us) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET origin = excluded.origin, min_interval_ms = excluded.min_interval_ms, "
    "attempts = excluded.attempts, max_attempts = excluded.max_attempts, due_us = excluded.due_us, "
    "delay_us = excluded.delay_us, anchor_us = excluded.anchor_us, registered_at_us = "
    "excluded.registered_at_us, lost_network = excluded.lost_network, last_fired_us = excluded.last_fired_us";
constexpr const char* kErase =
    "DELETE FROM sync_registrations WHERE worker_registration = ? AND tag = ? AND kind = ?";
// Never the same value twice: SQLite writes no page that stays as it is.
constexpr const char* kProbe =
    "INSERT INTO settings (key, value) VALUES ('store.probe', '1') "
    "ON CONFLICT DO UPDATE SET value = CAST(value AS INTEGER) + 1";
constexpr const char* kLoad =
    "SELECT worker_registration, tag, kind, origin, min_interval_ms, attempts, max_attempts, due_us, "
    "delay_us, anchor_us, registered_at_us, lost_network, last_fired_us "
    "FROM sync_registrations ORDER BY worker_registration, tag, kind";

constexpr std::size_t kEverything = std::numeric_limits<std::size_t>::max();

// nullopt: the row makes no sense.
std::optional<RegistrationRecord> ReadRow(const Statement& row) {
  const std::int64_t kind = row.Int(2);
  if ((kind != 0 && kind != 1) || !IsUtf8(row.View(1))) return std::nullopt;
  RegistrationRecord record;
  record.key = RegistrationKey{row.Uint(0), static_cast<SyncKind>(kind), row.Text(1)};
  record.origin = row.Text(3);
  record.min_interval_ms = row.Int(4);
  record.attempts = row.Int(5);
  record.max_attempts = row.Int(6);
  if (!row.IsNull(7)) record.due = ToWallTime(row.Int(7));
  record.delay = Duration(row.Int(8));
  record.anchor = ToWallTime(row.Int(9));
  record.registered_at = ToWallTime(row.Int(10));
  record.lost_network = row.Bool(11);
  if (!row.IsNull(12)) record.last_fired = ToWallTime(row.Int(12));
  return record;
}

}  // namespace

Result<std::vector<RegistrationRecord>> RegistrationStore::LoadAll() {
  std::vector<RegistrationRecord> records;
  VIGIL_TRY(Load(kEverything, [&](std::vector<RegistrationRecord> part) { records = std::move(part); }));
  return records;
}

Result<> RegistrationStore::Load(std::size_t part_size, const Take& take) {
  std::vector<RegistrationRecord> part;
  Statement rows = database_.Prepare(kLoad);
  while (true) {
    VIGIL_ASSIGN(const bool row, rows.Step());
    if (!row) break;
    std::optional<RegistrationRecord> record = ReadRow(rows);
    if (!record) {
      log::Warning("a stored sync registration of {} makes no sense and is passed over",
                   ToUtf8(rows.View(3)));
      continue;
    }
    part.push_back(std::move(*record));
    if (part.size() >= part_size) take(std::exchange(part, {}));
  }
  if (!part.empty()) take(std::move(part));
  return {};
}

// A transaction whose sync failed may lie complete in SQLite's log, to be taken by the next start. What
// undoes it need not write anything (an erase that finds nothing, a row that stays as it is), so after a
// failure something different is written for certain. Empty batches ask whether the store works again; only a
// write can tell.
Result<> RegistrationStore::Apply(std::span<const Batch> batches) {
  Result<> applied = database_.Transaction([&]() -> Result<> {
    bool empty = true;
    for (const Batch& batch : batches) {
      empty = empty && batch.empty();
      for (const RecordChange& change : batch) VIGIL_TRY(ApplyChange(change));
    }
    return failed_ || empty ? database_.Run(kProbe) : Result<>();
  });
  failed_ = !applied;
  return applied;
}

Result<> RegistrationStore::ApplyChange(const RecordChange& change) {
  const RegistrationRecord& record = change.record;
  const int kind = static_cast<int>(record.key.kind);
  if (change.op == RecordChange::Op::kErase) {
    return database_.Run(kErase, record.key.worker_registration, record.key.tag, kind);
  }
  Statement put = database_.Prepare(kPut);
  put.With(record.key.worker_registration, record.key.tag, kind, record.origin, record.min_interval_ms,
           record.attempts, record.max_attempts);
  if (record.due) put.Bind(8, ToMicroseconds(*record.due));
  put.Bind(9, record.delay.count())
      .Bind(10, ToMicroseconds(record.anchor))
      .Bind(11, ToMicroseconds(record.registered_at))
      .Bind(12, record.lost_network);
  if (record.last_fired) put.Bind(13, ToMicroseconds(*record.last_fired));
  return put.Run();
}

}  // namespace vigil::store
