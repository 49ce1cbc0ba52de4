#include "storage/cache_origin.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/utf8.h"
#include "storage/cache_matching.h"
#include "storage/cache_service.h"

namespace vigil::storage {
namespace {

using store::Statement;

constexpr std::int32_t kApplicationId = 0x56474943;  // "VGIC"
// Larger numbers are not exact in scripts.
constexpr std::uint64_t kMostNumber = (std::uint64_t{1} << 53) - 1;
constexpr std::uint64_t kReplyBudget = 4 << 20;
// Larger bodies of replaced and deleted entries stay readable until Purge: a client may be fetching them in
// pieces.
constexpr std::uint64_t kKeptBody = 64 << 10;
constexpr std::uint32_t kMaxDownload = 1 << 20;
// Entries of cache 0 belong to nobody: they wait for Purge. Numbers are never used again.
constexpr const char* kSchemaV1 = R"sql(
  CREATE TABLE caches (id INTEGER PRIMARY KEY AUTOINCREMENT, name BLOB UNIQUE);
  CREATE TABLE entries (id INTEGER PRIMARY KEY AUTOINCREMENT, cache INTEGER NOT NULL, url BLOB NOT NULL,
                        bare_url BLOB NOT NULL, request BLOB NOT NULL, response BLOB NOT NULL, body BLOB);
  CREATE INDEX entries_by_url ON entries (cache, url);
  CREATE INDEX entries_by_bare_url ON entries (cache, bare_url);
)sql";

// Of one Put: comparing them all must not keep others waiting.
constexpr std::size_t kMaxEntries = 20000;
constexpr std::size_t kMaxVariants = 100;

std::optional<CacheRefusal> Refuse(std::string name, std::string message) {
  return CacheRefusal{std::move(name), std::move(message)};
}

}  // namespace

Result<std::unique_ptr<CacheOrigin>> CacheOrigin::Open(const std::string& origin,
                                                       const std::filesystem::path& directory) {
  store::OpenOptions options;
  options.what = "the caches of " + origin;
  options.application_id = kApplicationId;
  options.migrations = {kSchemaV1};
  options.sync = store::Sync::kNormal;
  options.exclusive = true;
  VIGIL_ASSIGN(auto db, store::Database::Open(directory / "caches.sqlite", options));
  std::unique_ptr<CacheOrigin> caches(new CacheOrigin(std::move(db)));
  VIGIL_TRY(caches->Purge());
  return caches;
}

Result<> CacheOrigin::Purge() {
  VIGIL_TRY(
      db_->Run("DELETE FROM entries WHERE cache IN (SELECT id FROM caches WHERE name IS NULL) OR cache = 0"));
  return db_->Run("DELETE FROM caches WHERE name IS NULL");
}

Result<std::uint64_t> CacheOrigin::OpenCache(const std::string& name) {
  Statement read = db_->Prepare("SELECT id FROM caches WHERE name = ?");
  VIGIL_ASSIGN(const bool row, read.BindBlob(1, name).Step());
  std::uint64_t id = row ? read.Uint(0) : 0;
  if (!row) {
    Statement write = db_->Prepare("INSERT INTO caches (name) VALUES (?)");
    VIGIL_TRY(write.BindBlob(1, name).Run());
    id = static_cast<std::uint64_t>(db_->last_insert_rowid());
  }
  if (id > kMostNumber)
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{} is damaged: a cache has the number {}", db_->path().string(), id));
  return id;
}

Result<bool> CacheOrigin::Has(const std::string& name) {
  return db_->Prepare("SELECT 1 FROM caches WHERE name = ?").BindBlob(1, name).Step();
}

Result<bool> CacheOrigin::Remove(const std::string& name) {
  Statement write = db_->Prepare("UPDATE caches SET name = NULL WHERE name = ?");
  VIGIL_TRY(write.BindBlob(1, name).Run());
  return db_->changes() > 0;
}

Result<std::vector<std::string>> CacheOrigin::Names() {
  std::vector<std::string> names;
  Statement read = db_->Prepare("SELECT name FROM caches WHERE name IS NOT NULL ORDER BY id");
  for (;;) {
    VIGIL_ASSIGN(const bool row, read.Step());
    if (!row) return names;
    // A damaged name cannot be told to a script, which could not ask for it either.
    if (IsUtf8(read.View(0))) names.push_back(read.Text(0));
  }
}

Result<std::vector<CacheOrigin::Entry>> CacheOrigin::Find(std::uint64_t cache,
                                                          const ipc::CacheRequest::Match& match,
                                                          std::size_t limit) {
  std::vector<Entry> found;
  const bool all = !match.has_request();
  const ipc::HttpRequest& query = match.request();
  if (!all && query.method() != "GET" && !match.ignore_method()) return found;
  const std::string_view url =
      match.ignore_search() ? WithoutQuery(query.url()) : WithoutFragment(query.url());
  // Of one entry the body is read along, if it is small: most callers of match() want just that.
  std::string sql = "SELECT id, request, response, length(body), ";
  sql +=
      limit == 1 ? fmt::format("iif(length(body) <= {}, body, NULL)", CacheService::kMaxInlineBody) : "NULL";
  sql += " FROM entries WHERE cache = ?";
  if (!all) sql += match.ignore_search() ? " AND bare_url = ?" : " AND url = ?";
  Statement read = db_->Prepare(sql + " ORDER BY id");
  read.Bind(1, cache);
  if (!all) read.BindBlob(2, url);
  while (found.size() < limit) {
    VIGIL_ASSIGN(const bool row, read.Step());
    if (!row) break;
    Entry entry;
    entry.id = read.Uint(0);
    if (entry.id > kMostNumber || !entry.request.ParseFromString(read.Text(1)) ||
        !entry.response.ParseFromString(read.Text(2))) {
      return Fail(ErrorCode::kCorrupt,
                  fmt::format("{} is damaged: an entry cannot be read", db_->path().string()));
    }
    if (!read.IsNull(3)) entry.body_size = read.Uint(3);
    if (!all && !HeadersMatch(query, entry.request, entry.response, match.ignore_vary())) continue;
    if (!read.IsNull(4)) entry.body = read.Text(4);
    found.push_back(std::move(entry));
  }
  return found;
}

Result<> CacheOrigin::Match(const ipc::CacheRequest::Match& match, std::size_t limit, bool responses,
                            ipc::CacheReply& reply) {
  std::vector<std::uint64_t> caches{match.cache()};
  if (match.any_cache()) {
    caches.clear();
    Statement read = db_->Prepare("SELECT id, name FROM caches WHERE name IS NOT NULL ORDER BY id");
    for (;;) {
      VIGIL_ASSIGN(const bool row, read.Step());
      if (!row) break;
      if (!match.has_cache_name() || read.View(1) == match.cache_name()) caches.push_back(read.Uint(0));
    }
  }
  std::uint64_t budget = kReplyBudget;
  for (const std::uint64_t cache : caches) {
    if (cache == 0) continue;
    VIGIL_ASSIGN(auto entries, Find(cache, match, limit));
    for (Entry& entry : entries) {
      if (responses) {
        VIGIL_TRY(AddResponse(std::move(entry), budget, reply));
      } else {
        *reply.add_requests() = std::move(entry.request);
      }
    }
    if (!entries.empty() && match.any_cache()) break;
  }
  return {};
}

Result<> CacheOrigin::AddResponse(Entry entry, std::uint64_t& budget, ipc::CacheReply& reply) {
  ipc::HttpResponse& response = *reply.add_responses();
  response = std::move(entry.response);
  if (!entry.body_size) return {};
  const bool large = *entry.body_size > CacheService::kMaxInlineBody || *entry.body_size > budget;
  if (large) {
    ipc::CacheReply::LargeBody& body = *reply.add_bodies();
    body.set_response(static_cast<std::uint32_t>(reply.responses_size() - 1));
    body.set_body(entry.id);
    body.set_size(*entry.body_size);
    return {};
  }
  budget -= *entry.body_size;
  if (!entry.body) {
    Statement read = db_->Prepare("SELECT body FROM entries WHERE id = ?");
    VIGIL_ASSIGN(const bool row, read.Bind(1, entry.id).Step());
    if (!row) return {};
    entry.body = read.Text(0);
  }
  response.mutable_body()->set_inline_(std::move(*entry.body));
  return {};
}

Result<std::string> CacheOrigin::ReadBody(std::uint64_t body, std::uint64_t offset, std::uint32_t limit) {
  Statement read = db_->Prepare("SELECT substr(body, ?, ?) FROM entries WHERE id = ? AND body IS NOT NULL");
  read.With(static_cast<std::int64_t>(std::min<std::uint64_t>(offset, 1ull << 40)) + 1,
            static_cast<std::int64_t>(std::min(limit, kMaxDownload)), body);
  VIGIL_ASSIGN(const bool row, read.Step());
  if (!row) return Fail(ErrorCode::kNotFound, "the body is gone");
  return read.Text(0);
}

Result<> CacheOrigin::Drop(const Entry& entry) {
  const bool keep = entry.body_size && *entry.body_size > kKeptBody;
  return db_->Run(keep ? "UPDATE entries SET cache = 0 WHERE id = ?" : "DELETE FROM entries WHERE id = ?",
                  entry.id);
}

Result<bool> CacheOrigin::RemoveEntries(const ipc::CacheRequest::Match& match) {
  bool found = false;
  VIGIL_TRY(db_->Transaction([&]() -> Result<> {
    VIGIL_ASSIGN(const auto entries, Find(match.cache(), match, SIZE_MAX));
    found = !entries.empty();
    for (const Entry& entry : entries) VIGIL_TRY(Drop(entry));
    return {};
  }));
  return found;
}

Result<std::optional<CacheRefusal>> CacheOrigin::Put(std::uint64_t cache,
                                                     const std::vector<ipc::CacheEntry>& entries) {
  if (entries.size() > kMaxEntries) return Refuse("QuotaExceededError", "Too many entries at a time.");
  std::unordered_map<std::string_view, std::vector<const ipc::CacheEntry*>> by_url;
  for (const ipc::CacheEntry& entry : entries) {
    auto& same_url = by_url[WithoutFragment(entry.request().url())];
    if (same_url.size() >= kMaxVariants)
      return Refuse("QuotaExceededError", "Too many variants of one URL at a time.");
    for (const ipc::CacheEntry* other : same_url) {
      if (HeadersMatch(entry.request(), other->request(), other->response(), false)) {
        return Refuse("InvalidStateError",
                      "Cache.addAll(): duplicate requests (" + entry.request().url() + ")");
      }
    }
    same_url.push_back(&entry);
  }
  VIGIL_TRY(db_->Transaction([&]() -> Result<> {
    Statement exists = db_->Prepare("SELECT 1 FROM caches WHERE id = ?");
    VIGIL_ASSIGN(const bool row, exists.Bind(1, cache).Step());
    if (!row) return Fail(ErrorCode::kNotFound, "the cache was deleted");
    for (const ipc::CacheEntry& entry : entries) {
      ipc::CacheRequest::Match match;
      *match.mutable_request() = entry.request();
      VIGIL_ASSIGN(const auto replaced, Find(cache, match, SIZE_MAX));
      for (const Entry& old : replaced) VIGIL_TRY(Drop(old));
      VIGIL_TRY(Insert(cache, entry));
    }
    return {};
  }));
  return std::optional<CacheRefusal>();
}

Result<> CacheOrigin::Insert(std::uint64_t cache, const ipc::CacheEntry& entry) {
  ipc::HttpRequest request = entry.request();
  request.clear_body();
  ipc::HttpResponse response = entry.response();
  response.clear_body();
  const std::string request_bytes = request.SerializeAsString();
  const std::string response_bytes = response.SerializeAsString();
  Statement write = db_->Prepare(
      "INSERT INTO entries (cache, url, bare_url, request, response, body) VALUES (?, ?, ?, ?, ?, ?)");
  write.Bind(1, cache)
      .BindBlob(2, WithoutFragment(request.url()))
      .BindBlob(3, WithoutQuery(request.url()))
      .BindBlob(4, request_bytes)
      .BindBlob(5, response_bytes);
  if (entry.response().has_body()) {
    write.BindBlob(6, entry.response().body().inline_());
  } else {
    write.BindNull(6);
  }
  return write.Run();
}

}  // namespace vigil::storage
