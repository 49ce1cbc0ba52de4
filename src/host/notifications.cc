#include "host/notifications.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/utf8.h"
#include "host/processes.h"
#include "host/registry.h"
#include "host/requests.h"
#include "host/runner.h"
#include "host/storage_thread.h"
#include "store/stores.h"

namespace vigil::host {
namespace asio = boost::asio;

asio::awaitable<Result<>> Notifications::Load() {
  auto* stores = &context_.deps.stores;
  auto load = [stores] { return stores->notifications.All(); };
  auto stored = co_await context_.deps.storage.Run(std::move(load));
  if (!stored) co_return Fail(stored.error());
  for (auto& one : *stored) {
    const auto texts = {&one.id, &one.title, &one.body, &one.tag, &one.icon, &one.options_json};
    if (!std::all_of(texts.begin(), texts.end(), [](const auto* text) { return IsUtf8(*text); })) {
      log::Warning("a stored notification of {} makes no sense and is passed over", ToUtf8(one.origin));
      continue;
    }
    Entry entry;
    entry.origin = one.origin;
    entry.registration_id = one.registration_id;
    entry.notification.set_id(one.id);
    entry.notification.set_title(one.title);
    entry.notification.set_body(one.body);
    entry.notification.set_tag(one.tag);
    entry.notification.set_icon(one.icon);
    entry.notification.set_options_json(one.options_json);
    entry.notification.set_data(one.data);
    entry.notification.set_shown_at_us(
        std::clamp(one.shown_at.time_since_epoch().count(), -kMostInScripts, kMostInScripts));
    entries_.push_back(std::move(entry));
  }
  co_return Result<>();
}

void Notifications::Show(WorkerProcess& process, std::uint64_t request_id, const Registration& registration,
                         ipc::Notification notification) {
  if (context_.deps.permissions.Query(registration.origin, "notifications") != PermissionState::kGranted) {
    return ReplyFailure(
        process, request_id, "TypeError",
        "Failed to execute 'showNotification' on 'ServiceWorkerRegistration': No notification "
        "permission has been granted for this origin.");
  }
  const auto most = static_cast<std::size_t>(context_.options.caps.notification_bytes);
  if (most > 0 && notification.ByteSizeLong() > most) {
    return ReplyFailure(
        process, request_id, "TypeError",
        fmt::format("Failed to execute 'showNotification' on 'ServiceWorkerRegistration': The "
                    "notification is larger than {} bytes.",
                    most));
  }
  Entry entry;
  entry.origin = registration.origin;
  entry.registration_id = registration.id;
  notification.set_id(MakeUuid());
  notification.set_shown_at_us(context_.deps.clock.now().wall.time_since_epoch().count());
  entry.notification = std::move(notification);
  context_.Spawn(StoreAndReply(process.shared_from_this(), request_id, std::move(entry)));
}

asio::awaitable<void> Notifications::StoreAndReply(std::shared_ptr<WorkerProcess> process,
                                                   std::uint64_t request_id, Entry entry) {
  store::StoredNotification stored;
  const auto& shown = entry.notification;
  stored.id = shown.id();
  stored.origin = entry.origin;
  stored.registration_id = entry.registration_id;
  stored.title = shown.title();
  stored.body = shown.body();
  stored.tag = shown.tag();
  stored.icon = shown.icon();
  stored.options_json = shown.options_json();
  stored.data = shown.data();
  stored.shown_at = WallTime(Duration(shown.shown_at_us()));
  auto* stores = &context_.deps.stores;
  auto show = [stores, stored] { return stores->notifications.Show(stored); };
  auto replaced = co_await context_.deps.storage.Run(std::move(show));
  if (!replaced) {
    ReplyFailure(*process, request_id, "UnknownError", "The notification could not be stored.");
    co_return;
  }
  for (const auto& id : *replaced) {
    std::erase_if(entries_, [&](const Entry& old) { return old.notification.id() == id; });
  }
  std::string origin = entry.origin;
  std::string text = fmt::format("notification: {}{}{}", entry.notification.title(),
                                 entry.notification.body().empty() ? "" : " — ", entry.notification.body());
  std::uint64_t registration_id = entry.registration_id;
  entries_.push_back(std::move(entry));
  auto of_origin = [&](const Entry& one) { return one.origin == origin; };
  const std::int64_t most = context_.options.caps.notifications;
  if (most > 0 && std::count_if(entries_.begin(), entries_.end(), of_origin) > most) {
    std::string oldest = std::find_if(entries_.begin(), entries_.end(), of_origin)->notification.id();
    Drop(oldest);
  }
  context_.Report(origin, registration_id, text, "info");
  ReplyOk(*process, request_id);
}

void Notifications::Get(WorkerProcess& process, std::uint64_t request_id, const Registration& registration,
                        const std::string& tag) {
  ipc::Reply reply;
  reply.set_id(request_id);
  auto* list = reply.mutable_notifications();
  std::size_t bytes = 0;
  for (const auto& entry : entries_) {
    if (entry.registration_id != registration.id) continue;
    if (!tag.empty() && entry.notification.tag() != tag) continue;
    bytes += entry.notification.ByteSizeLong();
    if (bytes > kMaxListBytes) break;
    *list->add_notifications() = entry.notification;
  }
  process.Reply(std::move(reply));
}

void Notifications::CloseByScript(WorkerProcess& process, std::uint64_t request_id, const std::string& id) {
  const Entry* entry = Find(id);
  if (entry != nullptr && entry->origin == process.origin()) Drop(id);
  ReplyOk(process, request_id);
}

std::vector<NotificationView> Notifications::List(const std::string& origin) const {
  std::vector<NotificationView> views;
  for (const auto& entry : entries_) {
    if (!origin.empty() && entry.origin != origin) continue;
    NotificationView view;
    view.id = entry.notification.id();
    view.registration_id = entry.registration_id;
    if (auto registration = context_.registry->ById(entry.registration_id)) view.scope = registration->scope;
    view.title = entry.notification.title();
    view.body = entry.notification.body();
    view.tag = entry.notification.tag();
    view.icon = entry.notification.icon();
    view.options_json = entry.notification.options_json();
    view.shown_at_us = entry.notification.shown_at_us();
    views.push_back(std::move(view));
  }
  return views;
}

asio::awaitable<Result<DispatchOutcome>> Notifications::Click(std::string id, std::string action) {
  return DispatchEvent(std::move(id), std::move(action), true);
}

asio::awaitable<Result<DispatchOutcome>> Notifications::Close(std::string id) {
  return DispatchEvent(std::move(id), {}, false);
}

asio::awaitable<Result<DispatchOutcome>> Notifications::DispatchEvent(std::string id, std::string action,
                                                                      bool click) {
  const Entry* entry = Find(id);
  if (entry == nullptr) {
    co_return Fail(ErrorCode::kNotFound, fmt::format("no notification {} (see `vigil notifications`)", id));
  }
  std::uint64_t registration_id = entry->registration_id;
  ipc::Event event;
  auto* body = click ? event.mutable_notification_click() : event.mutable_notification_close();
  *body->mutable_notification() = entry->notification;
  body->set_action(action);
  if (click) context_.deps.engagement.NotificationClicked(entry->origin);
  // A click leaves it to the script to close the notification.
  if (!click) Drop(id);
  auto registration = context_.registry->ById(registration_id);
  auto version = registration ? registration->active : nullptr;
  // While the click is handled the worker may open or focus a window.
  if (click && version) context_.requests->AllowWindow(version->id, +1);
  Runner::DispatchOptions options;
  auto outcome =
      co_await context_.runner->DispatchFunctional(registration_id, std::move(event), std::move(options));
  if (click && version) context_.requests->AllowWindow(version->id, -1);
  co_return outcome;
}

const Notifications::Entry* Notifications::Find(const std::string& id) const {
  for (const auto& entry : entries_) {
    if (entry.notification.id() == id) return &entry;
  }
  return nullptr;
}

void Notifications::Drop(const std::string& id) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.notification.id() == id; });
  context_.deps.storage.Post([stores = &context_.deps.stores, id] {
    if (auto closed = stores->notifications.Close(id); !closed) {
      log::Warning("cannot remove a notification: {}", closed.error().message);
    }
  });
}

void Notifications::RegistrationDeleted(std::uint64_t registration_id) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.registration_id == registration_id; });
  context_.deps.storage.Post([stores = &context_.deps.stores, registration_id] {
    if (auto removed = stores->notifications.RemoveRegistration(registration_id); !removed) {
      log::Warning("cannot remove notifications: {}", removed.error().message);
    }
  });
}

void Notifications::OriginCleared(const std::string& origin) {
  std::vector<std::string> ids;
  for (const auto& entry : entries_) {
    if (entry.origin == origin) ids.push_back(entry.notification.id());
  }
  for (const auto& id : ids) Drop(id);
}

}  // namespace vigil::host
