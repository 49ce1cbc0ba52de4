#include "host/sync_driver.h"

#include <utility>

#include "host/sync_driver_impl.h"

namespace vigil::host {
namespace asio = boost::asio;

SyncDriver::SyncDriver(SyncDriverDependencies dependencies, const Parameters& parameters)
    : impl_(std::make_shared<Impl>(dependencies, parameters)) {
  impl_->Connect();
}
SyncDriver::~SyncDriver() { impl_->Stop(); }

asio::awaitable<Result<>> SyncDriver::Start() { return impl_->Start(); }
void SyncDriver::Stop() { impl_->Stop(); }

void SyncDriver::Register(SyncRegisterCall call, Done done) {
  impl_->Register(std::move(call), std::move(done));
}
void SyncDriver::GetTags(SyncKind kind, std::uint64_t registration_id, TagsDone done) {
  impl_->GetTags(kind, registration_id, std::move(done));
}
void SyncDriver::Unregister(std::uint64_t registration_id, std::string tag, Done done) {
  impl_->Unregister(registration_id, std::move(tag), std::move(done));
}
void SyncDriver::Acknowledge(std::uint64_t registration_id, std::string tag, std::uint64_t caller) {
  impl_->Acknowledge(registration_id, tag, caller);
}
void SyncDriver::CallerGone(std::uint64_t caller) { impl_->CallerGone(caller); }
void SyncDriver::RegistrationKnown(std::uint64_t, std::string) {}
void SyncDriver::RegistrationDeleted(std::uint64_t registration_id) {
  impl_->Step(input::WorkerRegistrationDeleted{0, registration_id});
}
void SyncDriver::OriginCleared(std::string origin) {
  impl_->Step(input::OriginCleared{0, std::move(origin)});
}
void SyncDriver::WindowClientsChanged(std::string origin, int count) {
  impl_->WindowClientsChanged(origin, count);
}

void SyncDriver::NetworkChanged() { impl_->Step(input::NetworkChanged{}); }
void SyncDriver::PermissionChanged(const std::string& origin) {
  impl_->Step(input::PermissionChanged{origin});
}
void SyncDriver::AppInstalled(const std::string& origin) { impl_->Step(input::AppInstalled{origin}); }
void SyncDriver::AppUninstalled(const std::string& origin) { impl_->Step(input::AppUninstalled{origin}); }
void SyncDriver::EngagementChanged(const std::string& origin) {
  impl_->Step(input::EngagementChanged{origin});
}
void SyncDriver::EmulateOffline(std::uint64_t registration_id, bool offline) {
  impl_->Step(input::EmulateOffline{registration_id, offline});
}

std::vector<vigil::RegistrationView> SyncDriver::List() const { return impl_->engine().List(impl_->now()); }
std::vector<vigil::RegistrationView> SyncDriver::List(std::uint64_t registration_id) const {
  return impl_->engine().List(registration_id, impl_->now());
}
void SyncDriver::Fire(SyncKind kind, std::uint64_t registration_id, std::string origin, std::string tag,
                      bool last_chance, SyncDispatcher::Done done) {
  impl_->Fire(kind, registration_id, std::move(origin), std::move(tag), last_chance, std::move(done));
}
void SyncDriver::OnEvents(std::function<void(const std::vector<store::LoggedEvent>&)> sink) {
  impl_->on_events = std::move(sink);
}
void SyncDriver::OnRecordingEnded(std::function<void(store::Service)> sink) {
  impl_->on_recording_ended = std::move(sink);
}
void SyncDriver::OnChange(std::function<void()> sink) { impl_->on_change = std::move(sink); }
std::string SyncDriver::LastFailure(const RegistrationKey& key) const { return impl_->failures().Find(key); }
const Engine& SyncDriver::engine() const { return impl_->engine(); }
std::uint64_t SyncDriver::transactions() const { return impl_->transactions(); }

}  // namespace vigil::host
