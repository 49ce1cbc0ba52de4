#include "host_rig.h"

#include <boost/asio/co_spawn.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>
#include <utility>

#include "base/log.h"
#include "folder.h"

namespace vigil::fuzz {
namespace asio = boost::asio;
using host::Puppet;

namespace {

// Real time. Everything here takes milliseconds; the machine may have much else to do.
constexpr auto kPatience = std::chrono::seconds(30);

[[noreturn]] void Broken(const std::string& what) {
  std::fprintf(stderr, "broken: %s\n", what.c_str());
  std::abort();
}

// Not by memcmp: what the fuzzer sees compared it would learn.
bool Holds(const std::string& bytes, const std::string& part) {
  for (std::size_t at = 0; at + part.size() <= bytes.size(); ++at) {
    std::size_t same = 0;
    while (same < part.size() && static_cast<unsigned char>(bytes[at + same] ^ part[same]) == 0) ++same;
    if (same == part.size()) return true;
  }
  return false;
}

}  // namespace

HostRig& HostRig::Instance() {
  static HostRig& rig = *new HostRig;
  return rig;
}

HostRig::HostRig()
    : puppeteer_(loop_, (Folder() / "puppets").string(),
                 [this](Puppet& puppet, const ipc::ToWorker& message) {
                   const bool attacker = puppet.start().origin() == kAttacker;
                   if (!attacker || honest_ || message.has_start()) PlayHonestly(puppet, message);
                 }) {
  log::SetLevel(log::Level::kError);
  std::random_device random;
  for (int i = 0; i < 24; ++i) secret_ += static_cast<char>('a' + random() % 26);
  Serve(kAttacker);
  Serve(kVictim);
  StartHost();
  OpenPage(kVictim);
  victim_page_ = puppeteer_.Find(std::string(kVictim), true);
  StartVictim();
  PlantSecrets();
}

void HostRig::Serve(std::string_view origin) {
  const std::string base(origin);
  server_.files[base + "/"] = {200, "text/html", "<!doctype html>", ""};
  server_.files[base + "/x"] = {200, "text/plain", "some text", "Cache-Control: max-age=60\r\n"};
  server_.files[base + "/moved"] = {302, "text/plain", "", "Location: /x\r\nSet-Cookie: moved=1\r\n"};
  server_.files[base + "/app.webmanifest"] = {200, "application/manifest+json", R"({"name":"A puppet"})", ""};
  server_.files[base + "/sw.js"] = {200, "text/javascript", "// played by the fuzzer", ""};
}

void HostRig::StartHost() {
  auto stores = store::Stores::Open(Folder());
  if (!stores) Broken(stores.error().message);
  stores_ = std::move(*stores);
  net::HttpClientOptions network;
  const std::string proxy = server_.origin();
  network.proxies = {proxy, proxy, ""};
  http_ = std::make_unique<net::HttpClient>(loop_.get_executor(), network);
  net::FetcherOptions fetch;
  fetch.wall_now = [this] { return clock_.now().wall; };
  fetcher_ = std::make_unique<net::Fetcher>(loop_.get_executor(), *http_, network_, fetch);
  net::WebSocketOptions sockets;
  sockets.http = network;
  sockets.wall_now = fetch.wall_now;
  sockets_ = std::make_unique<net::WebSockets>(loop_.get_executor(), *fetcher_, network_, sockets);
  host::HostDependencies dependencies{loop_,     clock_,   storage_, *stores_, *fetcher_,
                                      *sockets_, network_, policy_,  policy_,  policy_};
  host::HostOptions options;
  options.worker_executable = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "vigil-puppet";
  options.storage_directory = Folder() / "origins";
  options.caps.quota_bytes = 16 << 20;
  options.zygote_max_forks = 0;
  host_ = std::make_unique<host::Host>(dependencies, options);
  host_->SetSyncService(sync_);
  if (auto started = Await(host_->Start()); !started) Broken(started.error().message);
}

template <class Condition>
void HostRig::RunUntil(const char* what, Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  loop_.restart();
  while (!condition()) {
    if (loop_.run_one_until(end) == 0) Broken(std::string("this never ends: ") + what);
  }
}

template <class T>
T HostRig::Await(asio::awaitable<T> task) {
  std::optional<T> result;
  asio::co_spawn(loop_, std::move(task), [&](std::exception_ptr error, T value) {
    if (error) Broken("an exception left the host");
    result.emplace(std::move(value));
  });
  RunUntil("a call of the host", [&] { return result.has_value(); });
  return std::move(*result);
}

template <class T>
void HostRig::Spawn(asio::awaitable<T> task) {
  asio::co_spawn(loop_, std::move(task), [](std::exception_ptr error, const T&) {
    if (error) Broken("an exception left the host");
  });
}

void HostRig::RunUntilQuiet() {
  loop_.restart();
  int calm = 0;
  for (int round = 0; round < 2000 && calm < 2; ++round) {
    const bool busy = loop_.poll() > 0 || storage_.pending() > 0;
    calm = busy ? 0 : calm + 1;
  }
}

// A page that registers its service worker, until that is active.
void HostRig::OpenPage(std::string_view origin) {
  host::PageOptions keep;
  keep.keep = true;
  auto opened = Await(host_->OpenPage(std::string(origin) + "/", keep, {}));
  if (!opened) Broken(opened.error().message);
  RunUntil("an installation", [&] { return VersionOf(origin) != 0; });
}

void HostRig::StartVictim() {
  auto started = Await(host_->StartWorker(std::string(kVictim) + "/"));
  if (!started) Broken(started.error().message);
  victim_worker_ = puppeteer_.Find(std::string(kVictim), false);
  if (!victim_worker_) Broken("the other app's service worker does not start");
}

ipc::Reply HostRig::AskVictim(ipc::Request request) {
  const auto& puppet = request.has_local_storage() ? victim_page_ : victim_worker_;
  const std::uint64_t id = ++last_request_;
  request.set_registration_id(RegistrationOf(kVictim));
  puppet->Request(std::move(request), id);
  RunUntil("a request of the other app", [&] { return puppet->ReplyTo(id) != nullptr || puppet->closed(); });
  if (puppet->closed()) Broken("the other app's process was killed");
  ipc::Reply reply = *puppet->ReplyTo(id);
  if (reply.has_failure()) Broken("the other app gets an error: " + reply.failure().message());
  return reply;
}

// Wherever the attacker may look.
void HostRig::PlantSecrets() {
  ipc::Request request;
  request.mutable_local_storage()->set_kind(ipc::LocalStorageOp::SET);
  request.mutable_local_storage()->set_key(std::string("k\0", 2));
  request.mutable_local_storage()->set_value(secret_);
  AskVictim(request);
  request.Clear();
  request.mutable_show_notification()->set_title(secret_);
  AskVictim(request);
  request.Clear();
  request.mutable_sync_register()->set_tag(secret_);
  AskVictim(request);
  request.Clear();
  request.mutable_lock_request()->set_name(secret_);
  AskVictim(request);
  request.Clear();
  request.mutable_cookie_set()->set_name("k");
  request.mutable_cookie_set()->set_value(secret_);
  request.mutable_cookie_set()->set_path("/");
  AskVictim(request);
  request.Clear();
  request.mutable_cache()->set_open(secret_);
  AskVictim(request);
}

std::shared_ptr<Puppet> HostRig::Attacker(bool page) const {
  return puppeteer_.Find(std::string(kAttacker), page);
}

std::string HostRig::ClientOf(std::string_view origin) const {
  const auto page = origin == kVictim ? victim_page_ : Attacker(true);
  return page ? page->start().page().client_id() : "none";
}

std::string HostRig::NotificationOf(std::string_view origin) const {
  const auto shown = host_->Notifications(std::string(origin) + "/");
  return shown && !shown->empty() ? shown->front().id : "none";
}

std::uint64_t HostRig::RegistrationOf(std::string_view origin) const {
  for (const auto& registration : host_->Registrations()) {
    if (registration.origin == origin) return registration.id;
  }
  return 0;
}

std::uint64_t HostRig::VersionOf(std::string_view origin) const {
  for (const auto& registration : host_->Registrations()) {
    if (registration.origin == origin && registration.active) return registration.active->version_id;
  }
  return 0;
}

// What is left; empty: nothing.
std::string HostRig::LeftOfAttacker() const {
  if (Attacker(true)) return "a process of a page";
  if (Attacker(false)) return "a process of a worker";
  if (RegistrationOf(kAttacker) != 0) return "a registration";
  return host_->Pages().size() > 1 ? "a page" : "";
}

// Its processes end, and with them what they left unfinished; those that are made meanwhile are honest.
void HostRig::RemoveAttacker() {
  honest_ = true;
  network_.Set(true);
  for (const auto& puppet : puppeteer_.Started()) {
    if (puppet->start().origin() == kAttacker && !puppet->closed()) puppet->Hang();
  }
  // More than once: a page that was being opened when the others were closed comes, and registers again.
  const auto end = std::chrono::steady_clock::now() + kPatience;
  for (std::string left; !(left = LeftOfAttacker()).empty();) {
    if (std::chrono::steady_clock::now() > end) Broken("of the attacker this cannot be removed: " + left);
    for (const auto& page : host_->Pages()) {
      if (page.id != ClientOf(kVictim)) (void)Await(host_->ClosePage(page.id));
    }
    auto cleared = Await(host_->ClearOrigin(std::string(kAttacker)));
    if (!cleared) Broken(cleared.error().message);
    loop_.run_one_for(std::chrono::milliseconds(1));
    RunUntilQuiet();
  }
  puppeteer_.ForgetClosed();
  server_.requests.clear();
  sync_.calls.clear();
  sync_.acknowledged.clear();
}

void HostRig::Begin() {
  time_moved_ = false;
  policy_.notifications = host::PermissionState::kGranted;
  OpenPage(kAttacker);
  if (auto started = Await(host_->StartWorker(std::string(kAttacker) + "/")); !started)
    Broken(started.error().message);
  if (victim_worker_->closed()) StartVictim();
  RunUntilQuiet();
  for (const auto& puppet : puppeteer_.Started()) puppet->Forget();
  honest_ = false;
}

void HostRig::MoveTime(unsigned how_far) {
  constexpr std::chrono::seconds kSteps[] = {std::chrono::seconds(1), std::chrono::minutes(6),
                                             std::chrono::hours(25)};
  time_moved_ = true;
  clock_.Advance(kSteps[how_far % 3]);
}

void HostRig::Stir(unsigned what) {
  const std::string url = std::string(kAttacker) + "/";
  const std::uint64_t registration = RegistrationOf(kAttacker);
  const bool also = what >= 16;
  switch (what % 16) {
    case 0:
      return host_->DispatchSyncEvent({also ? host::SyncKind::kPeriodic : host::SyncKind::kOneShot,
                                       registration, "t", false, Duration(0)},
                                      [](host::DispatchOutcome) {});
    case 1:
      return Spawn(host_->EvaluateInPage(ClientOf(kAttacker), "1", "s"));
    case 2:
      return host_->PermissionsChanged(also ? std::string(kAttacker) : "", "notifications");
    case 3:
      return Spawn(host_->InputToPage(ClientOf(kAttacker), also ? "show" : "hide"));
    case 4:
      policy_.notifications = also ? host::PermissionState::kDenied : host::PermissionState::kPrompt;
      return;
    case 5:
      return Spawn(host_->StopWorker(url));
    case 6:
      return also ? Spawn(host_->CloseNotification(NotificationOf(kAttacker)))
                  : Spawn(host_->ClickNotification(NotificationOf(kAttacker), "a"));
    case 7:
      return network_.Set(also);
    case 8:
      return Spawn(host_->UpdateWorker(url));
    case 9:
      return Spawn(host_->OpenPage(url + (also ? "x" : "moved"), {}, {}));
    case 10:
      return Spawn(host_->ClosePage(ClientOf(kAttacker)));
    case 11:
      return Spawn(host_->Unregister(url));
    case 12:
      server_.files[url + "sw.js"].body += also ? " " : "x";
      return;
    default:
      return MoveTime(what);
  }
}

void HostRig::CheckAttacker(const Puppet& puppet) const {
  for (const auto& message : puppet.received()) {
    if (Holds(message.SerializeAsString(), secret_)) Broken("the attacker saw what is the other app's");
  }
}

// It may have been asked for a page that the attacker led somebody to; nothing else was its business.
void HostRig::CheckVictim() {
  for (const auto& puppet : {victim_page_, victim_worker_}) {
    for (const auto& message : puppet->received()) {
      const bool led = message.has_event() && message.event().has_fetch();
      const bool general = message.has_network() || message.has_clock() || message.has_permission();
      if (!led && !general) Broken("the other app was told: " + std::to_string(message.body_case()));
    }
    puppet->Forget();
  }
  if (victim_page_->closed()) Broken("the other app's page is gone");
  if (victim_worker_->closed() && !time_moved_) Broken("the other app's service worker is gone");
  if (victim_worker_->closed()) StartVictim();
  ipc::Request request;
  request.mutable_local_storage()->set_kind(ipc::LocalStorageOp::LOAD);
  if (!Holds(AskVictim(request).SerializeAsString(), secret_)) Broken("the other app's localStorage is gone");
  request.Clear();
  request.mutable_get_notifications();
  if (!Holds(AskVictim(request).SerializeAsString(), secret_)) Broken("the other app's notification is gone");
  request.Clear();
  request.mutable_cookie_get()->set_url(std::string(kVictim) + "/");
  if (!Holds(AskVictim(request).SerializeAsString(), secret_)) Broken("the other app's cookie is gone");
  request.Clear();
  request.mutable_cache()->set_keys(true);
  if (!Holds(AskVictim(request).SerializeAsString(), secret_)) Broken("the other app's cache is gone");
}

void HostRig::End() {
  RunUntilQuiet();
  for (const auto& puppet : puppeteer_.Started()) {
    if (puppet->start().origin() == kAttacker) CheckAttacker(*puppet);
  }
  CheckVictim();
  RemoveAttacker();
}

}  // namespace vigil::fuzz
