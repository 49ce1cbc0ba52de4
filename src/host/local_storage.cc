#include "host/local_storage.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/log.h"
#include "host/storage_thread.h"
#include "store/stores.h"

namespace vigil::host {
namespace asio = boost::asio;

void LocalStorage::Handle(WorkerProcess& process, const std::shared_ptr<Page>& page, std::uint64_t request_id,
                          ipc::LocalStorageOp operation) {
  if (operation.session()) return Answer(process, request_id, page->session_storage, operation);
  auto& area = areas_[page->origin];
  if (!area) area = std::make_shared<Area>();
  if (area->loaded) {
    Answer(process, request_id, area->pairs, operation);
    if (operation.kind() != ipc::LocalStorageOp::LOAD) Save(page->origin);
    return;
  }
  if (area->waiting.empty()) context_.Spawn(Load(page->origin));
  std::weak_ptr<WorkerProcess> weak = process.weak_from_this();
  area->waiting.push_back([this, weak, page, request_id, operation = std::move(operation)] {
    if (auto target = weak.lock()) Handle(*target, page, request_id, operation);
  });
}

asio::awaitable<void> LocalStorage::Load(std::string origin) {
  auto* stores = &context_.deps.stores;
  auto read = [stores, name = SettingName(origin)] { return stores->settings.Get(name); };
  auto value = co_await context_.deps.storage.Run(std::move(read));
  auto area = areas_[origin];
  ipc::LocalStorageState state;
  if (!value) log::Warning("cannot read the localStorage of {}: {}", origin, value.error().message);
  if (value && *value && state.ParseFromString(**value)) {
    for (auto& pair : *state.mutable_pairs()) {
      area->pairs.emplace_back(std::move(*pair.mutable_key()), std::move(*pair.mutable_value()));
    }
  }
  area->loaded = true;
  auto waiting = std::exchange(area->waiting, {});
  for (auto& next : waiting) next();
}

// False: over the quota.
bool LocalStorage::Apply(Pairs& pairs, const ipc::LocalStorageOp& operation) {
  auto found = std::find_if(pairs.begin(), pairs.end(),
                            [&](const auto& pair) { return pair.first == operation.key(); });
  if (operation.kind() == ipc::LocalStorageOp::CLEAR) {
    pairs.clear();
  } else if (operation.kind() == ipc::LocalStorageOp::REMOVE) {
    if (found != pairs.end()) pairs.erase(found);
  } else if (operation.kind() == ipc::LocalStorageOp::SET) {
    std::size_t used = operation.key().size() + operation.value().size();
    for (const auto& pair : pairs) {
      if (pair.first != operation.key()) used += pair.first.size() + pair.second.size();
    }
    if (used > kQuotaBytes) return false;
    if (found != pairs.end()) {
      found->second = operation.value();
    } else {
      pairs.emplace_back(operation.key(), operation.value());
    }
  }
  return true;
}

void LocalStorage::Answer(WorkerProcess& process, std::uint64_t request_id, Pairs& pairs,
                          const ipc::LocalStorageOp& operation) {
  ipc::Reply reply;
  reply.set_id(request_id);
  auto* state = reply.mutable_local_storage();
  if (operation.kind() == ipc::LocalStorageOp::LOAD) {
    for (const auto& [key, value] : pairs) {
      auto* pair = state->add_pairs();
      pair->set_key(key);
      pair->set_value(value);
    }
  } else if (!Apply(pairs, operation)) {
    reply.mutable_failure()->set_name("QuotaExceededError");
    reply.mutable_failure()->set_message("Setting the value exceeded the quota.");
  }
  process.Reply(std::move(reply));
}

// Changes of one turn of the loop are written together.
void LocalStorage::Save(const std::string& origin) {
  auto area = areas_[origin];
  if (area->saving) return;
  area->saving = true;
  asio::post(context_.executor, [this, area, origin] {
    area->saving = false;
    ipc::LocalStorageState state;
    for (const auto& [key, value] : area->pairs) {
      auto* pair = state.add_pairs();
      pair->set_key(key);
      pair->set_value(value);
    }
    context_.deps.storage.Post([stores = &context_.deps.stores, name = SettingName(origin),
                                bytes = state.SerializeAsString(), empty = area->pairs.empty()] {
      auto saved = empty ? stores->settings.Unset(name) : stores->settings.Set(name, bytes);
      if (!saved) log::Error("cannot store localStorage: {}", saved.error().message);
    });
  });
}

asio::awaitable<Result<>> LocalStorage::Clear(std::string origin) {
  if (auto found = areas_.find(origin); found != areas_.end()) found->second->pairs.clear();
  auto* stores = &context_.deps.stores;
  auto remove = [stores, name = SettingName(origin)] { return stores->settings.Unset(name); };
  co_return co_await context_.deps.storage.Run(std::move(remove));
}

}  // namespace vigil::host
