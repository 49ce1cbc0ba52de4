// libFuzzer target: whatever rows the files of an origin hold (IndexedDB schema, records, index entries, key
// generators; caches, their entries and sizes), every request of a worker is answered once, and with a
// message that the worker can read.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdlib>
#include <set>

#include "base/log.h"
#include "folder.h"
#include "rows.h"
#include "storage/cache_service.h"
#include "storage/idb_service.h"
#include "storage/key_codec.h"
#include "storage/sqlite_backing_store.h"

namespace {

using namespace vigil;
using namespace vigil::storage;

const std::string kOrigin = "https://shop.example";
const std::string kName("\0d", 2);
const std::string kUrl = "https://shop.example/";

template <class Message>
void MustBeReadable(const Message& message) {
  Message read;
  if (!read.ParseFromString(message.SerializeAsString())) std::abort();
}

// The worker's half keeps numbers in doubles and refuses what is not exact there.
void MustBeExact(std::uint64_t number) {
  if (number >= std::uint64_t{1} << 53U) std::abort();
}
void MustBeExact(const ipc::IdbDatabaseInfo& info) {
  MustBeExact(info.version());
  MustBeExact(info.next_id());
  for (const auto& store : info.stores()) {
    MustBeExact(store.id());
    for (const auto& index : store.indexes()) MustBeExact(index.id());
  }
}

class Sink : public IdbSink {
 public:
  void OnReply(ClientId, std::uint64_t request, ipc::IdbReply reply) override {
    if (!answered.insert(request).second) std::abort();
    MustBeReadable(reply);
    MustBeExact(reply.database());
    for (const auto& database : reply.databases()) MustBeExact(database);
    for (const auto& result : reply.results()) MustBeExact(result.count());
    last = std::move(reply);
  }
  void OnNotice(ClientId, ipc::IdbNotice notice) override {
    MustBeReadable(notice);
    MustBeExact(notice.upgrade_needed().database());
    MustBeExact(notice.version_change().old_version());
    upgrading = upgrading || notice.has_upgrade_needed();
  }
  std::set<std::uint64_t> answered;
  ipc::IdbReply last;
  bool upgrading = false;
};

std::unique_ptr<store::Database> OpenRaw(const std::filesystem::path& path, std::int32_t id) {
  store::OpenOptions options;
  options.application_id = id;
  options.migrations = {""};
  auto opened = store::Database::Open(path, options);
  if (!opened) std::abort();
  (void)(*opened)->Exec("PRAGMA synchronous=OFF");
  return std::move(*opened);
}

// The schema rows are messages: real ones with arbitrary contents, or bytes.
std::string Info(FuzzedDataProvider& data, bool index) {
  if (data.ConsumeIntegralInRange<int>(0, 3) == 0) return data.ConsumeRandomLengthString(30);
  if (index) {
    ipc::IdbIndexInfo info;
    info.set_id(data.ConsumeIntegralInRange<std::uint64_t>(0, 4));
    info.set_name(data.ConsumeRandomLengthString(6));
    if (data.ConsumeBool()) info.mutable_key_path()->add_paths(data.ConsumeRandomLengthString(6));
    info.set_unique(data.ConsumeBool());
    return info.SerializeAsString();
  }
  ipc::IdbStoreInfo info;
  info.set_id(data.ConsumeBool() ? data.ConsumeIntegralInRange<std::uint64_t>(0, 4)
                                 : static_cast<std::uint64_t>(fuzz::Integer(data)));
  info.set_name(data.ConsumeRandomLengthString(6));
  info.set_auto_increment(data.ConsumeBool());
  return info.SerializeAsString();
}

std::string Key(FuzzedDataProvider& data) {
  if (data.ConsumeBool()) return EncodeNumber(data.ConsumeIntegralInRange<int>(-2, 6));
  return data.ConsumeRandomLengthString(20);
}

void FillIdb(FuzzedDataProvider& data, store::Database& database) {
  fuzz::FillTables(data, database,
                   {{"database", {"id", "name", "version", "next_id"}},
                    {"stores", {"id", "info", "generator"}},
                    {"indexes", {"id", "store", "info"}},
                    {"records", {"store", "key", "value"}},
                    {"entries", {"idx", "key", "pkey"}}});
  if (data.ConsumeIntegralInRange<int>(0, 7) != 0) {
    (void)database.Run("DELETE FROM database");
    (void)database.Prepare("INSERT INTO database VALUES (1, ?, ?, ?)")
        .BindBlob(1, kName)
        .Bind(2, data.ConsumeBool() ? 1 : fuzz::Integer(data))
        .Bind(3, fuzz::Integer(data))
        .Run();
  }
  const int rows = data.ConsumeIntegralInRange<int>(0, 6);
  for (int i = 1; i <= rows; ++i) {
    const std::string store = Info(data, false);
    const std::string index = Info(data, true);
    const std::string key = Key(data);
    const std::string other = Key(data);
    (void)database.Prepare("INSERT OR REPLACE INTO stores VALUES (?, ?, ?)")
        .Bind(1, i)
        .BindBlob(2, store)
        .Bind(3, data.ConsumeFloatingPoint<double>())
        .Run();
    (void)database.Prepare("INSERT OR REPLACE INTO indexes VALUES (?, ?, ?)")
        .Bind(1, i)
        .Bind(2, i % 3)
        .BindBlob(3, index)
        .Run();
    (void)database.Prepare("INSERT OR REPLACE INTO records VALUES (?, ?, ?)")
        .Bind(1, i % 3)
        .BindBlob(2, key)
        .BindBlob(3, other)
        .Run();
    (void)database.Prepare("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)")
        .Bind(1, i % 3)
        .BindBlob(2, other)
        .BindBlob(3, key)
        .Run();
  }
}

void AddOperations(FuzzedDataProvider& data, ipc::IdbRequest::Run& run) {
  for (int i = 0; i < 6; ++i) {
    ipc::IdbOperation& operation = *run.add_operations();
    operation.set_store(data.ConsumeIntegralInRange<std::uint64_t>(0, 4));
    operation.set_index(data.ConsumeIntegralInRange<std::uint64_t>(0, 3));
    switch (data.ConsumeIntegralInRange<int>(0, 4)) {
      case 0:
        operation.mutable_put()->set_value("v");
        if (data.ConsumeBool()) operation.mutable_put()->set_key(Key(data));
        break;
      case 1:
        operation.mutable_count();
        break;
      case 2:
        operation.mutable_delete_range()->set_lower(Key(data));
        break;
      default:
        operation.mutable_read()->set_limit(data.ConsumeIntegralInRange<std::uint32_t>(0, 9));
    }
  }
}

void UseIdb(FuzzedDataProvider& data, OriginDirectories& directories) {
  Sink sink;
  IdbService service(directories, sink);
  service.AddClient(1, kOrigin);
  ipc::IdbRequest open;
  open.mutable_open()->set_connection(1);
  open.mutable_open()->set_name(kName);
  open.mutable_open()->set_version(data.ConsumeIntegralInRange<std::uint64_t>(0, 3));
  service.Handle(1, 1, open);
  ipc::IdbRequest work;
  work.mutable_run()->set_connection(1);
  work.mutable_run()->set_transaction(sink.upgrading ? 0 : 1);
  if (!sink.upgrading) {
    work.mutable_run()->mutable_begin()->set_write(true);
    for (const auto& store : sink.last.database().stores())
      work.mutable_run()->mutable_begin()->add_stores(store.id());
  }
  AddOperations(data, *work.mutable_run());
  work.mutable_run()->set_commit(true);
  service.Handle(1, 2, work);
  ipc::IdbRequest list;
  list.set_databases(true);
  service.Handle(1, 3, list);
  if (!sink.answered.contains(3)) std::abort();
  service.RemoveClient(1);
}

void FillCaches(FuzzedDataProvider& data, store::Database& database) {
  fuzz::FillTables(data, database,
                   {{"caches", {"id", "name"}},
                    {"entries", {"id", "cache", "url", "bare_url", "request", "response", "body"}}});
  const int rows = data.ConsumeIntegralInRange<int>(0, 6);
  (void)database.Run("INSERT OR REPLACE INTO caches VALUES (1, ?)", std::string_view("v1"));
  for (int i = 0; i < rows; ++i) {
    ipc::HttpRequest request;
    request.set_method("GET");
    request.set_url(kUrl);
    ipc::HttpResponse response;
    response.set_status(data.ConsumeIntegral<std::uint32_t>());
    auto& header = *response.add_headers();
    header.set_name("vary");
    header.set_value(data.ConsumeBool() ? "accept" : "*");
    const std::string body = data.ConsumeRandomLengthString(30);
    const std::string request_bytes = data.ConsumeIntegralInRange<int>(0, 3) == 0
                                          ? data.ConsumeRandomLengthString(20)
                                          : request.SerializeAsString();
    const std::string response_bytes = data.ConsumeIntegralInRange<int>(0, 3) == 0
                                           ? data.ConsumeRandomLengthString(20)
                                           : response.SerializeAsString();
    (void)database
        .Prepare(
            "INSERT INTO entries (cache, url, bare_url, request, response, body) VALUES (1, ?, ?, ?, ?, ?)")
        .BindBlob(1, kUrl)
        .BindBlob(2, kUrl)
        .BindBlob(3, request_bytes)
        .BindBlob(4, response_bytes)
        .BindBlob(5, body)
        .Run();
  }
}

void UseCaches(FuzzedDataProvider& data, OriginDirectories& directories) {
  CacheService service(directories);
  service.AddClient(1, kOrigin);
  const auto ask = [&](const ipc::CacheRequest& request) {
    const ipc::CacheReply reply = service.Handle(1, request);
    MustBeReadable(reply);
    MustBeExact(reply.cache());
    for (const auto& body : reply.bodies()) MustBeExact(body.body());
    return reply;
  };
  ipc::CacheRequest request;
  request.set_keys(true);
  ask(request);
  request.set_open("v1");
  const std::uint64_t cache = ask(request).cache();
  request.mutable_match_all()->set_cache(cache);
  ask(request);
  request.mutable_cache_keys()->set_cache(cache);
  ask(request);
  ipc::CacheRequest match;
  match.mutable_match()->set_any_cache(true);
  match.mutable_match()->mutable_request()->set_method("GET");
  match.mutable_match()->mutable_request()->set_url(kUrl);
  ask(match);
  request.mutable_download()->set_body(data.ConsumeIntegralInRange<std::uint64_t>(0, 9));
  request.mutable_download()->set_offset(data.ConsumeIntegral<std::uint64_t>());
  request.mutable_download()->set_limit(data.ConsumeIntegral<std::uint32_t>());
  ask(request);
  auto& put = *request.mutable_put();
  put.set_cache(cache);
  *put.add_entries()->mutable_request() = match.match().request();
  put.mutable_entries(0)->mutable_response()->set_status(200);
  ask(request);
  *request.mutable_remove_entry() = match.match();
  request.mutable_remove_entry()->set_cache(cache);
  ask(request);
  request.set_remove("v1");
  ask(request);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static OriginDirectories directories(fuzz::Folder(), 1 << 20);
  static const auto idb = [] {
    log::SetLevel(log::Level::kError);
    { SqliteBackingStoreFactory(directories).Open(kOrigin, kName).value(); }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(fuzz::Folder())) {
      if (entry.path().extension() == ".sqlite") return entry.path();
    }
    std::abort();
  }();
  static const auto caches = [] {
    CacheService service(directories);
    service.AddClient(1, kOrigin);
    ipc::CacheRequest request;
    request.set_open("v1");
    (void)service.Handle(1, request);
    return directories.PathOf(kOrigin) / "caches.sqlite";
  }();
  FuzzedDataProvider data(bytes, size);
  // Closed before the services open them: the files are theirs alone.
  if (data.ConsumeBool()) {
    FillIdb(data, *OpenRaw(idb, 0x56474944));
    UseIdb(data, directories);
  } else {
    FillCaches(data, *OpenRaw(caches, 0x56474943));
    UseCaches(data, directories);
  }
  return 0;
}
