// Notifications that are shown and not yet closed. Storage thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "vigil/time.h"

namespace vigil::store {

class Database;

struct StoredNotification {
  std::string id;
  std::string origin;
  std::uint64_t registration_id = 0;
  std::string title;
  std::string body;
  std::string tag;
  std::string icon;
  std::string options_json;
  std::string data;  // V8 serialization format
  WallTime shown_at{};
};

class NotificationStore {
 public:
  explicit NotificationStore(Database& database) : database_(database) {}

  // In the order they were shown.
  Result<std::vector<StoredNotification>> All();
  Result<std::vector<StoredNotification>> OfOrigin(const std::string& origin);
  // Shows one. With a tag that the same origin shows already, the new one takes the old one's place; returns
  // the ids that went.
  Result<std::vector<std::string>> Show(const StoredNotification& notification);
  Result<bool> Close(const std::string& id);  // false: there was none
  Result<> RemoveRegistration(std::uint64_t registration_id);

 private:
  Database& database_;
};

}  // namespace vigil::store
