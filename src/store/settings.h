// Small named values that survive restarts, such as the network mode that a user chose. Storage thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vigil::store {

class Database;

class Settings {
 public:
  explicit Settings(Database& database) : database_(database) {}
  Result<std::optional<std::string>> Get(std::string_view key);
  Result<> Set(std::string_view key, std::string_view value);
  Result<> Unset(std::string_view key);
  // All whose key starts with `prefix`.
  Result<std::map<std::string, std::string>> All(std::string_view prefix = "");

 private:
  Database& database_;
};

}  // namespace vigil::store
