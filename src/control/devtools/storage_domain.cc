#include "control/devtools/storage_domain.h"

#include <boost/json/array.hpp>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include "control/clear_origin.h"
#include "host/host.h"

namespace vigil::control::devtools {
namespace asio = boost::asio;
namespace json = boost::json;
namespace {

asio::awaitable<Reply> Usage(host::Host& host, std::string origin) {
  const auto usage = co_await host.Usage(std::move(origin));
  if (!usage) co_return Refuse(usage.error().message);
  json::array breakdown;
  const auto add = [&](const char* type, std::uint64_t bytes) {
    breakdown.emplace_back(json::object{{"storageType", type}, {"usage", bytes}});
  };
  add("cache_storage", usage->caches);
  add("indexeddb", usage->indexed_db);
  add("service_workers", usage->usage - usage->caches - usage->indexed_db);
  co_return json::object{{"usage", usage->usage},
                         {"quota", usage->quota},
                         {"overrideActive", false},
                         {"usageBreakdown", std::move(breakdown)}};
}

asio::awaitable<Reply> ClearAll(const Services& services, std::string origin) {
  const auto cleared = co_await ClearOrigin(services, std::move(origin));
  if (!cleared) co_return Refuse(cleared.error().message);
  co_return json::object();
}

// "https://shop.example/" or "https://shop.example/^0…": the origin of a storage key.
std::string OriginOf(std::string key) {
  key = key.substr(0, key.find('^'));
  while (!key.empty() && key.back() == '/') key.pop_back();
  return key;
}

}  // namespace

const StorageDomain::Methods& StorageDomain::Table() {
  static const Methods table = {
      {"clearDataForOrigin", &StorageDomain::ClearDataForOrigin},
      {"clearDataForStorageKey", &StorageDomain::ClearDataForStorageKey},
      {"getStorageKey", &StorageDomain::GetStorageKey},
      {"getStorageKeyForFrame", &StorageDomain::GetStorageKey},
      {"getUsageAndQuota", &StorageDomain::GetUsageAndQuota},
      {"setInterestGroupTracking", &StorageDomain::Nothing},
      {"setSharedStorageTracking", &StorageDomain::Nothing},
      {"setStorageBucketTracking", &StorageDomain::SetStorageBucketTracking},
      {"trackCacheStorageForOrigin", &StorageDomain::Nothing},
      {"trackCacheStorageForStorageKey", &StorageDomain::Nothing},
      {"trackIndexedDBForOrigin", &StorageDomain::Nothing},
      {"trackIndexedDBForStorageKey", &StorageDomain::Nothing},
      {"untrackCacheStorageForOrigin", &StorageDomain::Nothing},
      {"untrackCacheStorageForStorageKey", &StorageDomain::Nothing},
      {"untrackIndexedDBForOrigin", &StorageDomain::Nothing},
      {"untrackIndexedDBForStorageKey", &StorageDomain::Nothing},
  };
  return table;
}

void StorageDomain::Nothing(const Params&, const Answer& answer) { answer(json::object()); }

void StorageDomain::GetStorageKey(const Params&, const Answer& answer) {
  answer(json::object{{"storageKey", session_.target.origin + "/"}});
}

// Each origin has the default bucket, which front ends begin with, and no other.
void StorageDomain::SetStorageBucketTracking(const Params& params, const Answer& answer) {
  const auto key = StringParam(params, "storageKey");
  const auto on = BoolParam(params, "enable");
  if (!key) return answer(tl::make_unexpected(key.error()));
  if (!on) return answer(tl::make_unexpected(on.error()));
  answer(json::object());
  if (!*on) return;
  json::object bucket{{"id", "1"},           {"bucket", json::object{{"storageKey", *key}}},
                      {"expiration", 0},     {"quota", 0},
                      {"persistent", false}, {"durability", "relaxed"}};
  session_.emit("Storage.storageBucketCreatedOrUpdated", json::object{{"bucketInfo", std::move(bucket)}});
}

void StorageDomain::GetUsageAndQuota(const Params& params, const Answer& answer) {
  const auto origin = StringParam(params, "origin");
  if (!origin) return answer(tl::make_unexpected(origin.error()));
  Spawn(Usage(session_.services.host, OriginOf(*origin)), answer);
}

void StorageDomain::Clear(const Params& params, const Answer& answer, const char* name) {
  const auto key = StringParam(params, name);
  const auto types = StringParam(params, "storageTypes");
  if (!key) return answer(tl::make_unexpected(key.error()));
  if (!types) return answer(tl::make_unexpected(types.error()));
  // Nothing is deleted that was not named.
  std::set<std::string> unnamed = {"cache_storage", "cookies", "indexeddb", "local_storage",
                                   "service_workers"};
  std::istringstream list(*types);
  for (std::string type; std::getline(list, type, ',');) {
    unnamed.erase(type);
    if (type == "all") unnamed.clear();
  }
  if (!unnamed.empty()) {
    return answer(
        Refuse("Nothing was cleared: Vigil clears an origin as a whole, so name all types, or pass "
               "storageTypes \"all\""));
  }
  Spawn(ClearAll(session_.services, OriginOf(*key)), answer);
}

void StorageDomain::ClearDataForOrigin(const Params& params, const Answer& answer) {
  Clear(params, answer, "origin");
}
void StorageDomain::ClearDataForStorageKey(const Params& params, const Answer& answer) {
  Clear(params, answer, "storageKey");
}

}  // namespace vigil::control::devtools
