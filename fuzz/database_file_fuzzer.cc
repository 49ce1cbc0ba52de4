// libFuzzer target: whatever bytes a database file of ours holds, opening it succeeds, or fails with words
// and sets the file aside; what was opened can be read and written, or says why not.
//
// The first byte chooses: the rest is the whole file, or it is changes (two bytes of place, one byte of
// value) of a sound file.
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/log.h"
#include "drive_engine.h"
#include "folder.h"
#include "store/event_log.h"
#include "store/registration_store.h"
#include "store/schema.h"
#include "store/service_worker_store.h"

namespace {

using namespace vigil;

constexpr Now kNow{WallTime(Duration(1'700'000'000'000'000)), MonoTime(Duration(1'000'000))};

std::string Read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

RegistrationRecord Record(std::uint64_t worker, SyncKind kind, const std::string& tag) {
  RegistrationRecord record;
  record.key = {worker, kind, tag};
  record.origin = "https://shop.example";
  record.min_interval_ms = kind == SyncKind::kPeriodic ? 86'400'000 : -1;
  record.max_attempts = 3;
  record.due = kNow.wall;
  return record;
}

// Sound files of both kinds, with something in them.
std::string SoundFile(const store::OpenOptions& options, bool log) {
  const auto path = fuzz::Folder() / "sound.db";
  {
    auto database = store::Database::Open(path, options);
    if (!database) std::abort();
    if (log) {
      store::EventLog events(**database);
      (void)events.SetRecording(store::Service::kBackgroundSync, true, kNow.wall);
      store::LoggedEvent event;
      event.at = kNow.wall;
      event.name = "Registered sync";
      event.metadata = {{"a", "b"}};
      (void)events.Append({event, event, event});
    } else {
      using Batch = store::RegistrationStore::Batch;
      Batch batch;
      for (std::uint64_t i = 1; i < 5; ++i) {
        batch.push_back({RecordChange::Op::kPut, Record(i, SyncKind::kOneShot, "post")});
        batch.push_back({RecordChange::Op::kPut, Record(i, SyncKind::kPeriodic, std::string(100, 'n'))});
      }
      const std::vector<Batch> batches{std::move(batch)};
      if (!store::RegistrationStore(**database).Apply(batches)) std::abort();
    }
    (void)(*database)->Checkpoint();
  }
  std::string bytes = Read(path);
  (void)store::Database::Remove(path);
  return bytes;
}

void Use(store::Database& database, bool log) {
  if (log) {
    store::EventLog events(database);
    (void)events.Query({});
    store::LoggedEvent event;
    event.at = kNow.wall;
    (void)events.Append({event});
    return;
  }
  store::RegistrationStore registrations(database);
  if (auto records = registrations.LoadAll()) {
    fuzz::EngineDrive drive(kNow);
    drive.Restore(std::move(*records));
    drive.MustEnd();
  }
  (void)store::ServiceWorkerStore(database).Load();
  const std::vector<store::RegistrationStore::Batch> one{
      {{RecordChange::Op::kPut, Record(9, SyncKind::kOneShot, "new")}}};
  (void)registrations.Apply(one);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool log = (data[0] & 2U) != 0;
  const store::OpenOptions options = log ? store::LogOptions() : store::RecordsOptions();
  static const std::string sound_log = SoundFile(store::LogOptions(), true);
  static const std::string sound_records = SoundFile(store::RecordsOptions(), false);
  log::SetLevel(log::Level::kError);
  std::string bytes = log ? sound_log : sound_records;
  if ((data[0] & 1U) != 0) {
    bytes.assign(reinterpret_cast<const char*>(data + 1), size - 1);
  } else {
    for (std::size_t i = 1; i + 2 < size; i += 3) {
      const std::size_t place = static_cast<std::size_t>(data[i]) << 8U | data[i + 1];
      bytes[place * 3 % bytes.size()] = static_cast<char>(data[i + 2]);
    }
  }
  const auto path = fuzz::Folder() / "vigil.db";
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  {
    auto opened = store::Database::Open(path, options);
    if (opened) {
      Use(**opened, log);
    } else if (opened.error().message.empty()) {
      std::abort();
    } else if (opened.error().code == ErrorCode::kCorrupt && store::Database::SetAside(path).empty()) {
      std::abort();
    }
  }
  fuzz::EmptyFolder();
  return 0;
}
