#include "storage/cache_service.h"

#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "storage/cache_matching.h"
#include "storage/cache_origin.h"

namespace vigil::storage {
namespace {

using Request = ipc::CacheRequest;

constexpr std::size_t kMaxUploads = 10000;  // at a time
constexpr std::size_t kMaxNameBytes = 4096;

ipc::CacheReply Failure(std::string name, std::string message) {
  ipc::CacheReply reply;
  reply.set_error_name(std::move(name));
  reply.set_error_message(std::move(message));
  return reply;
}
ipc::CacheReply Failure(const Error& error) {
  log::Warning("{}", error.message);
  if (error.code == ErrorCode::kTooLarge) return Failure("QuotaExceededError", "Quota exceeded.");
  return Failure("UnknownError", kStorageFailed);
}

bool NameTooLong(const Request& request) {
  return request.open().size() > kMaxNameBytes || request.has().size() > kMaxNameBytes ||
         request.remove().size() > kMaxNameBytes;
}

// What the façade has refused already; a client that does not run our façade is refused here.
std::optional<ipc::CacheReply> CheckEntry(const ipc::CacheEntry& entry) {
  const std::string& url = entry.request().url();
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return Failure("TypeError", "Request scheme is unsupported");
  }
  if (entry.request().method() != "GET") return Failure("TypeError", "Request method is unsupported");
  if (entry.response().status() == 206)
    return Failure("TypeError", "Partial response (status code 206) is unsupported");
  if (VariesOnEverything(entry.response())) return Failure("TypeError", "Vary header contains *");
  return std::nullopt;
}

Result<ipc::CacheReply> Dispatch(CacheOrigin& caches, const Request& request) {
  ipc::CacheReply reply;
  switch (request.body_case()) {
    case Request::kOpen: {
      VIGIL_ASSIGN(const std::uint64_t cache, caches.OpenCache(request.open()));
      reply.set_cache(cache);
      return reply;
    }
    case Request::kHas: {
      VIGIL_ASSIGN(const bool found, caches.Has(request.has()));
      reply.set_found(found);
      return reply;
    }
    case Request::kRemove: {
      VIGIL_ASSIGN(const bool found, caches.Remove(request.remove()));
      reply.set_found(found);
      return reply;
    }
    case Request::kKeys: {
      VIGIL_ASSIGN(auto names, caches.Names());
      for (std::string& name : names) reply.add_names(std::move(name));
      return reply;
    }
    case Request::kMatch:
      VIGIL_TRY(caches.Match(request.match(), 1, true, reply));
      return reply;
    case Request::kMatchAll:
      VIGIL_TRY(caches.Match(request.match_all(), SIZE_MAX, true, reply));
      return reply;
    case Request::kCacheKeys:
      VIGIL_TRY(caches.Match(request.cache_keys(), SIZE_MAX, false, reply));
      return reply;
    case Request::kRemoveEntry: {
      VIGIL_ASSIGN(const bool found, caches.RemoveEntries(request.remove_entry()));
      reply.set_found(found);
      return reply;
    }
    case Request::kDownload: {
      const Request::Download& download = request.download();
      VIGIL_ASSIGN(std::string chunk, caches.ReadBody(download.body(), download.offset(), download.limit()));
      reply.set_chunk(std::move(chunk));
      return reply;
    }
    default:
      return Failure("UnknownError", "The request is not known.");
  }
}

}  // namespace

CacheService::CacheService(OriginDirectories& directories) : directories_(directories) {}
CacheService::~CacheService() = default;

void CacheService::AddClient(std::uint64_t client, const std::string& origin) {
  clients_[client].origin = origin;
}

void CacheService::RemoveClient(std::uint64_t client) {
  const auto it = clients_.find(client);
  if (it == clients_.end()) return;
  const std::string origin = it->second.origin;
  clients_.erase(it);
  for (const auto& [id, other] : clients_) {
    if (other.origin == origin) return;
  }
  const auto caches = origins_.find(origin);
  if (caches == origins_.end()) return;
  if (auto purged = caches->second->Purge(); !purged) log::Warning("{}", purged.error().message);
  origins_.erase(caches);
  directories_.Forget(origin);
}

Result<CacheOrigin*> CacheService::OriginOf(const std::string& origin) {
  if (const auto open = origins_.find(origin); open != origins_.end()) return open->second.get();
  VIGIL_ASSIGN(const auto directory, directories_.Open(origin));
  VIGIL_ASSIGN(auto caches, CacheOrigin::Open(origin, directory));
  return origins_.emplace(origin, std::move(caches)).first->second.get();
}

ipc::CacheReply CacheService::Handle(std::uint64_t client_id, Request request) {
  const auto it = clients_.find(client_id);
  if (it == clients_.end() || NameTooLong(request))
    return Failure("UnknownError", "The request is not valid.");
  Client& client = it->second;
  if (request.body_case() == Request::kUpload) return Upload(client, request.upload());
  const auto caches = OriginOf(client.origin);
  if (!caches) return Failure(caches.error());
  if (request.body_case() == Request::kPut) return Put(client, **caches, std::move(*request.mutable_put()));
  auto reply = Dispatch(**caches, request);
  return reply ? std::move(*reply) : Failure(reply.error());
}

ipc::CacheReply CacheService::Upload(Client& client, const Request::Upload& upload) {
  if (upload.discard()) {
    client.uploads.erase(upload.body());
    return {};
  }
  std::size_t held = upload.data().size();
  for (const auto& [number, bytes] : client.uploads) held += bytes.size();
  // What is held in memory is held against the quota, too.
  if (client.uploads.size() >= kMaxUploads || held > directories_.quota() || held > kMaxUploadBytes) {
    client.uploads.erase(upload.body());
    return Failure("QuotaExceededError", "Quota exceeded.");
  }
  client.uploads[upload.body()] += upload.data();
  return {};
}

ipc::CacheReply CacheService::Put(Client& client, CacheOrigin& caches, Request::Put put) {
  std::vector<ipc::CacheEntry> entries(std::make_move_iterator(put.mutable_entries()->begin()),
                                       std::make_move_iterator(put.mutable_entries()->end()));
  std::uint64_t bytes = 0;
  for (ipc::CacheEntry& entry : entries) {
    if (auto refused = CheckEntry(entry)) return std::move(*refused);
    ipc::HttpResponse& response = *entry.mutable_response();
    if (response.has_body() && response.body().has_stream()) {
      auto upload = client.uploads.extract(response.body().stream());
      if (upload.empty()) return Failure("UnknownError", "The body was not sent.");
      response.mutable_body()->set_inline_(std::move(upload.mapped()));
    }
    bytes += entry.ByteSizeLong();
  }
  if (!directories_.Reserve(client.origin, bytes)) return Failure("QuotaExceededError", "Quota exceeded.");
  auto refused = caches.Put(put.cache(), entries);
  if (!refused) return Failure(refused.error());
  return *refused ? Failure((*refused)->name, (*refused)->message) : ipc::CacheReply();
}

Result<> CacheService::ClearOrigin(const std::string& origin) {
  origins_.erase(origin);
  directories_.Forget(origin);
  return store::Database::Remove(directories_.PathOf(origin) / "caches.sqlite");
}

}  // namespace vigil::storage
