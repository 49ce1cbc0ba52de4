// Installed web apps: install, remove, list, and finding things by the URL that a user types. Event-loop
// thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "host/context.h"
#include "store/app_store.h"

namespace vigil::host {

class Apps {
 public:
  explicit Apps(HostContext& context) : context_(context) {}

  boost::asio::awaitable<Result<>> Load();
  // Opens the app's page so that it registers its service worker, checks the manifest, records the app. On
  // failure nothing that this call brought about is left.
  boost::asio::awaitable<Result<AppView>> Install(std::string url, ConsoleSink console);
  boost::asio::awaitable<Result<AppView>> Remove(std::string url);
  std::vector<AppView> List() const;

  bool IsInstalled(const std::string& origin) const;
  bool IsLaunchUrl(const std::string& url) const;
  Result<AppView> Find(std::string_view url) const;
  Result<std::shared_ptr<Registration>> FindRegistration(std::string_view url) const;
  Result<std::string> FindOrigin(std::string_view url) const;

 private:
  boost::asio::awaitable<Result<AppView>> Record(store::StoredApp stored);
  AppView View(const AppView& app) const;
  std::string WhatExists() const;

  HostContext& context_;
  std::map<std::string, AppView> apps_;  // by id
};

}  // namespace vigil::host
