#include "store/registration_store.h"

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

}  // namespace

Result<std::vector<RegistrationRecord>> RegistrationStore::LoadAll() {
  std::vector<RegistrationRecord> records;
  Statement rows = database_.Prepare(kLoad);
  while (true) {
    VIGIL_ASSIGN(const bool row, rows.Step());
    if (!row) return records;
    const std::int64_t kind = rows.Int(2);
    if ((kind != 0 && kind != 1) || !IsUtf8(rows.View(1))) {
      log::Warning("a stored sync registration of {} makes no sense and is passed over",
                   ToUtf8(rows.View(3)));
      continue;
    }
    RegistrationRecord& record = records.emplace_back();
    record.key = RegistrationKey{rows.Uint(0), static_cast<SyncKind>(kind), rows.Text(1)};
    record.origin = rows.Text(3);
    record.min_interval_ms = rows.Int(4);
    record.attempts = rows.Int(5);
    record.max_attempts = rows.Int(6);
    if (!rows.IsNull(7)) record.due = ToWallTime(rows.Int(7));
    record.delay = Duration(rows.Int(8));
    record.anchor = ToWallTime(rows.Int(9));
    record.registered_at = ToWallTime(rows.Int(10));
    record.lost_network = rows.Bool(11);
    if (!rows.IsNull(12)) record.last_fired = ToWallTime(rows.Int(12));
  }
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
