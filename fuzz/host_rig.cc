#include "host_rig.h"

#include <stdlib.h>

#include <boost/asio/co_spawn.hpp>
#include <cstdio>
#include <random>

#include "host/clock.h"
#include "host/host.h"
#include "host/storage_thread.h"
#include "net/connectivity.h"
#include "net/fetcher.h"
#include "net/http_client.h"
#include "net/websocket.h"
#include "store/stores.h"

namespace asio = boost::asio;
using vigil::host::PlayHonestly;
using vigil::host::Puppet;
using vigil::host::TestServer;

namespace {

constexpr std::uint64_t kInputsPerProcess = 32;
constexpr std::uint64_t kInputsPerInstallation = 512;

[[noreturn]] void Broken(const char* what) {
  std::fprintf(stderr, "broken: %s\n", what);
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

HostRig::HostRig() {
  std::string pattern = (std::filesystem::temp_directory_path() / "vigil-fuzz-XXXXXX").string();
  directory_ = mkdtemp(pattern.data());
  static std::filesystem::path left_over = directory_;
  std::atexit([] {
    std::error_code ignored;
    std::filesystem::remove_all(left_over, ignored);
  });
  std::random_device random;
  for (int i = 0; i < 24; ++i) secret_ += static_cast<char>('!' + random() % 90);

  puppeteer_ = std::make_unique<vigil::host::Puppeteer>(
      loop_, (directory_ / "puppets").string(), [this](Puppet& puppet, const vigil::ipc::ToWorker& message) {
        const bool attacker = puppet.start().origin() == attacker_.origin();
        if (!attacker || honest_ || message.has_start()) PlayHonestly(puppet, message);
      });
  network_ = std::make_unique<vigil::net::ManualConnectivity>();
  clock_ = std::make_unique<vigil::host::RealClock>(loop_);
  storage_ = std::make_unique<vigil::host::StorageThread>();
  auto stores = vigil::store::Stores::Open(directory_);
  if (!stores) Broken(stores.error().message.c_str());
  stores_ = std::move(*stores);
  http_ = std::make_unique<vigil::net::HttpClient>(loop_.get_executor());
  vigil::net::FetcherOptions fetch;
  fetch.wall_now = [this] { return clock_->now().wall; };
  fetcher_ = std::make_unique<vigil::net::Fetcher>(loop_.get_executor(), *http_, *network_, fetch);
  vigil::net::WebSocketOptions sockets;
  sockets.wall_now = fetch.wall_now;
  sockets_ = std::make_unique<vigil::net::WebSockets>(loop_.get_executor(), *fetcher_, *network_, sockets);
  vigil::host::HostDependencies dependencies{loop_,     *clock_,   *storage_, *stores_, *fetcher_,
                                             *sockets_, *network_, policy_,   policy_,  policy_};
  vigil::host::HostOptions options;
  options.worker_executable = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "vigil-puppet";
  options.storage_directory = directory_ / "origins";
  options.caps.quota_bytes = 16 << 20;
  host_ = std::make_unique<vigil::host::Host>(dependencies, options);
  host_->SetSyncService(sync_);
  if (auto started = Await(host_->Start()); !started) Broken(started.error().message.c_str());
  for (TestServer* server : {&attacker_, &victim_}) {
    server->files["/"] = {200, "text/html", "<!doctype html>", ""};
    server->files["/app.webmanifest"] = {200, "application/manifest+json",
                                         R"({"name":"A puppet","start_url":"/","display":"standalone"})", ""};
    server->files["/sw.js"] = {200, "text/javascript", "// played by the fuzzer", ""};
    Install(*server);
  }
  OpenPage(victim_);
  StartWorker(victim_);
  PlantSecrets();
}

template <class T>
T HostRig::Await(asio::awaitable<T> task) {
  std::optional<T> result;
  loop_.restart();
  asio::co_spawn(loop_, std::move(task), [&](std::exception_ptr error, T value) {
    if (error) Broken("an exception left the host");
    result.emplace(std::move(value));
  });
  while (!result && loop_.run_one() > 0) {
  }
  return std::move(*result);
}

void HostRig::Install(TestServer& server) {
  auto app = Await(host_->Install(server.Url("/"), {}));
  if (!app) Broken(app.error().message.c_str());
}

void HostRig::OpenPage(TestServer& server) {
  vigil::host::PageOptions keep;
  keep.keep = true;
  auto opened = Await(host_->OpenPage(server.Url("/"), keep, {}));
  if (!opened) Broken(opened.error().message.c_str());
}

void HostRig::StartWorker(TestServer& server) {
  auto started = Await(host_->StartWorker(server.Url("/")));
  if (!started) Broken(started.error().message.c_str());
}

// Of the other app, wherever the attacker may look.
void HostRig::PlantSecrets() {
  const auto page = puppeteer_->Find(victim_.origin(), true);
  const auto worker = puppeteer_->Find(victim_.origin(), false);
  vigil::ipc::Request request;
  request.mutable_local_storage()->set_kind(vigil::ipc::LocalStorageOp::SET);
  request.mutable_local_storage()->set_key("k");
  request.mutable_local_storage()->set_value(secret_);
  page->Request(request, ++last_request_);
  request.Clear();
  request.set_registration_id(RegistrationOf(victim_));
  request.mutable_show_notification()->set_title(secret_);
  worker->Request(request, ++last_request_);
  request.Clear();
  request.mutable_sync_register()->set_tag(secret_);
  worker->Request(request, ++last_request_);
  request.Clear();
  request.mutable_cache()->set_open(secret_);
  worker->Request(request, ++last_request_);
  RunUntilQuiet();
  request.Clear();
  request.mutable_lock_request()->set_name(secret_);
  worker->Request(request, ++last_request_);
  request.Clear();
  request.mutable_cookie_set()->set_name("k");
  request.mutable_cookie_set()->set_value(secret_);
  request.mutable_cookie_set()->set_path("/");
  worker->Request(request, ++last_request_);
  request.Clear();
  auto* put = request.mutable_cache()->mutable_put();
  put->set_cache(1);
  auto* entry = put->add_entries();
  entry->mutable_request()->set_method("GET");
  entry->mutable_request()->set_url(victim_.Url("/x"));
  entry->mutable_response()->set_status(200);
  entry->mutable_response()->mutable_body()->set_inline_(secret_);
  worker->Request(request, ++last_request_);
  RunUntilQuiet();
  if (worker->ReplyTo(last_request_)->cache().error_name() != "") Broken("the secret was not stored");
}

std::uint64_t HostRig::RegistrationOf(TestServer& server) const {
  for (const auto& registration : host_->Registrations()) {
    if (registration.origin == server.origin()) return registration.id;
  }
  return 0;
}

std::shared_ptr<Puppet> HostRig::AttackerPage() const { return puppeteer_->Find(attacker_.origin(), true); }
std::shared_ptr<Puppet> HostRig::AttackerWorker() const {
  return puppeteer_->Find(attacker_.origin(), false);
}
std::string HostRig::AttackerPageId() const {
  const auto page = AttackerPage();
  return page ? page->start().page().client_id() : "none";
}
std::string HostRig::VictimPageId() const {
  return puppeteer_->Find(victim_.origin(), true)->start().page().client_id();
}

void HostRig::RunUntilQuiet() {
  loop_.restart();
  int calm = 0;
  for (int round = 0; round < 2000 && calm < 2; ++round) {
    const bool busy = loop_.poll() > 0 || storage_->pending() > 0;
    calm = busy ? 0 : calm + 1;
  }
}

void HostRig::Reset() {
  const bool reinstall = inputs_ % kInputsPerInstallation == 0;
  for (const auto& page : host_->Pages()) {
    if (page.origin == attacker_.origin()) Await(host_->ClosePage(page.id));
  }
  if (RegistrationOf(attacker_) != 0) Await(host_->StopWorker(attacker_.Url("/")));
  if (reinstall) Await(host_->ClearOrigin(attacker_.origin()));
  // Until their processes are gone.
  loop_.restart();
  while (AttackerPage() || AttackerWorker()) loop_.run_one();
  puppeteer_->ForgetClosed();
}

void HostRig::Begin() {
  honest_ = true;
  network_->Set(true);
  if (inputs_++ % kInputsPerProcess == 0) Reset();
  if (RegistrationOf(attacker_) == 0) Install(attacker_);
  if (!AttackerPage()) OpenPage(attacker_);
  if (!AttackerWorker()) StartWorker(attacker_);
  // Nothing that is fetched from here on leaves the machine.
  network_->Set(false);
  honest_ = false;
}

void HostRig::Stir(unsigned what) {
  switch (what % 8) {
    case 0:
      if (RegistrationOf(attacker_) != 0) {
        host_->DispatchSyncEvent(
            {vigil::host::SyncKind::kOneShot, RegistrationOf(attacker_), "t", false, vigil::Duration(0)},
            [](vigil::host::DispatchOutcome) {});
      }
      break;
    case 1:
      if (const auto page = AttackerPage()) {
        asio::co_spawn(loop_, host_->EvaluateInPage(AttackerPageId(), "1", "s"),
                       [](std::exception_ptr, vigil::Result<vigil::host::EvaluateOutcome>) {});
      }
      break;
    case 2:
      host_->PermissionsChanged(attacker_.origin(), "notifications");
      break;
    case 3:
      Await(host_->InputToPage(AttackerPageId(), "hide"));
      break;
    case 4:
      policy_.notifications = policy_.notifications == vigil::host::PermissionState::kGranted
                                  ? vigil::host::PermissionState::kDenied
                                  : vigil::host::PermissionState::kGranted;
      break;
    case 5:
      Await(host_->StopWorker(attacker_.Url("/")));
      break;
    case 6:
      if (auto shown = host_->Notifications(attacker_.Url("/")); shown && !shown->empty()) {
        asio::co_spawn(loop_, host_->ClickNotification(shown->front().id, "a"),
                       [](std::exception_ptr, vigil::Result<vigil::host::DispatchOutcome>) {});
      }
      break;
    default:
      network_->Set(false);
  }
}

void HostRig::CheckSecret(const Puppet& puppet) const {
  for (const auto& message : puppet.received()) {
    if (Holds(message.SerializeAsString(), secret_)) Broken("the attacker saw what is the other app's");
  }
}

void HostRig::End() {
  RunUntilQuiet();
  for (const auto& puppet : puppeteer_->Started()) {
    if (puppet->start().origin() != attacker_.origin()) continue;
    CheckSecret(*puppet);
    puppet->Forget();
  }
  if (RegistrationOf(victim_) == 0) Broken("the other app's service worker is gone");
  if (!puppeteer_->Find(victim_.origin(), true)) Broken("the other app's page is gone");
  const auto worker = puppeteer_->Find(victim_.origin(), false);
  if (!worker) {
    StartWorker(victim_);  // it was idle
    return;
  }
  worker->Forget();
}
