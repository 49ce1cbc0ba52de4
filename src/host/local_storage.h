// localStorage of every origin (kept, in the settings) and sessionStorage of every page (not kept). Web
// storage is small and read synchronously, so an origin's pairs stay in memory once they were read.
// Event-loop thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/context.h"
#include "host/process.h"
#include "ipc/vigil.pb.h"

namespace vigil::host {

class LocalStorage {
 public:
  static constexpr std::size_t kQuotaBytes = std::size_t{10} << 20;  // of UTF-16 keys and values, per area

  explicit LocalStorage(HostContext& context) : context_(context) {}

  // Pages only. Operations of one origin are carried out in the order in which they come.
  void Handle(WorkerProcess& process, const std::shared_ptr<Page>& page, std::uint64_t request_id,
              ipc::LocalStorageOp operation);
  boost::asio::awaitable<Result<>> Clear(std::string origin);

 private:
  using Pairs = std::vector<std::pair<std::string, std::string>>;  // in the order of insertion
  struct Area {
    bool loaded = false;
    bool saving = false;  // a write is on its way to the storage thread
    Pairs pairs;
    std::vector<std::function<void()>> waiting;  // for the load
  };
  static std::string SettingName(const std::string& origin) { return "localstorage:" + origin; }
  static bool Apply(Pairs& pairs, const ipc::LocalStorageOp& operation);
  boost::asio::awaitable<void> Load(std::string origin);
  void Save(const std::string& origin);
  void Answer(WorkerProcess& process, std::uint64_t request_id, Pairs& pairs,
              const ipc::LocalStorageOp& operation);

  HostContext& context_;
  std::map<std::string, std::shared_ptr<Area>> areas_;
};

}  // namespace vigil::host
