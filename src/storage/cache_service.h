// The daemon's side of the Cache API (Service Workers specification, section 5): one SQLite file per origin.
//
// Every request is answered at once. Messages may come from a hostile process: everything is checked, and a
// client can only reach caches of the origin it was added with.
//
// Storage thread only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "ipc/storage.pb.h"
#include "storage/origin_directories.h"

namespace vigil::storage {

class CacheOrigin;

class CacheService {
 public:
  // Bodies above this many bytes travel in pieces (CacheRequest.Upload, Download).
  static constexpr std::size_t kMaxInlineBody = 1 << 20;
  // Of one client, on their way.
  static constexpr std::size_t kMaxUploadBytes = 512 << 20;

  explicit CacheService(OriginDirectories& directories);
  ~CacheService();
  CacheService(const CacheService&) = delete;
  CacheService& operator=(const CacheService&) = delete;

  // client: as in idb_service.h. Before the client's first message.
  void AddClient(std::uint64_t client, const std::string& origin);
  // Forgets its uploads. When the origin's last client goes, caches whose name was deleted go too and the
  // file closes.
  void RemoveClient(std::uint64_t client);
  ipc::CacheReply Handle(std::uint64_t client, ipc::CacheRequest request);

  // Deletes all caches of the origin, also from under clients that use them. Errors: kIo.
  Result<> ClearOrigin(const std::string& origin);

 private:
  struct Client {
    std::string origin;
    std::map<std::uint32_t, std::string> uploads;
  };
  Result<CacheOrigin*> OriginOf(const std::string& origin);
  ipc::CacheReply Upload(Client& client, const ipc::CacheRequest::Upload& upload);
  ipc::CacheReply Put(Client& client, CacheOrigin& caches, ipc::CacheRequest::Put put);

  OriginDirectories& directories_;
  std::map<std::uint64_t, Client> clients_;
  std::map<std::string, std::unique_ptr<CacheOrigin>> origins_;
};

}  // namespace vigil::storage
