// All of Vigil's own records in one place: opens the files and hands out the stores. Storage thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "store/app_store.h"
#include "store/cookie_store.h"
#include "store/database.h"
#include "store/event_log.h"
#include "store/notification_store.h"
#include "store/policy_stores.h"
#include "store/registration_store.h"
#include "store/service_worker_store.h"
#include "store/settings.h"

namespace vigil::store {

// vigil.db (synchronous=FULL: everything that was acknowledged) and log.db (synchronous=NORMAL: the event
// log).
class Stores {
 public:
  // `directory` exists and is locked (DataDirectory). Errors: those of Database::Open.
  // `vfs`: as OpenOptions::vfs.
  static Result<std::unique_ptr<Stores>> Open(const std::filesystem::path& directory,
                                              const std::string& vfs = {});
  static Result<std::unique_ptr<Stores>> OpenInMemory();
  Stores(const Stores&) = delete;
  Stores& operator=(const Stores&) = delete;

  // The records' database, for transactions over several stores: records().Transaction([&] { … }).
  Database& records() { return *records_; }

  // Removes everything of the origin but what the user decided (permissions stay), in one transaction.
  Result<> ClearOrigin(const std::string& origin);

 private:
  std::unique_ptr<Database> records_;
  std::unique_ptr<Database> log_;
  Stores(std::unique_ptr<Database> records, std::unique_ptr<Database> log);

 public:
  RegistrationStore registrations;
  ServiceWorkerStore service_workers;
  AppStore apps;
  PermissionStore permissions;
  EngagementStore engagement;
  NetworkStore networks;
  NotificationStore notifications;
  CookieStore cookies;
  Settings settings;
  EventLog events;
};

}  // namespace vigil::store
