// libFuzzer target: the daemon's side of a worker that is not ours any more. A whole host on real parts
// (zygote, processes, sockets, SQLite, HTTP over loopback) has two apps installed. The input is what the page
// and the worker of one of them send, message by message, well-formed or not. Nothing may crash, nothing of
// the other app may become visible or be changed, and that app's processes must not notice.
//
// Input: [who][length, 2 bytes][bytes of a ToDaemon], again and again. who & 1: the worker, else the page;
// who & 2: the bytes go out as they are, without a frame; who & 4: first the host does something, who >> 3
// says what (HostRig::Stir). What differs from run to run is named in messages by signs: clients and
// notifications "A:" for one of the attacker and "B:" for the other app's, registrations and versions 1 and 2
// likewise, events by the place among those that the process was sent, from 1.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "host_rig.h"

namespace {

using namespace vigil;
using fuzz::HostRig;
using fuzz::kAttacker;
using fuzz::kVictim;

using TextOf = std::string (HostRig::*)(std::string_view) const;
using NumberOf = std::uint64_t (HostRig::*)(std::string_view) const;

void Resolve(std::string* text, TextOf find) {
  if (*text == "A:") *text = (HostRig::Instance().*find)(kAttacker);
  if (*text == "B:") *text = (HostRig::Instance().*find)(kVictim);
}
std::uint64_t Resolved(std::uint64_t number, NumberOf find) {
  if (number == 1) return (HostRig::Instance().*find)(kAttacker);
  if (number == 2) return (HostRig::Instance().*find)(kVictim);
  return number;
}

void Resolve(ipc::Request& request) {
  request.set_registration_id(Resolved(request.registration_id(), &HostRig::RegistrationOf));
  if (request.has_clients_get()) Resolve(request.mutable_clients_get()->mutable_value(), &HostRig::ClientOf);
  if (request.has_client_focus())
    Resolve(request.mutable_client_focus()->mutable_value(), &HostRig::ClientOf);
  if (request.has_client_navigate())
    Resolve(request.mutable_client_navigate()->mutable_client_id(), &HostRig::ClientOf);
  if (request.has_close_notification())
    Resolve(request.mutable_close_notification()->mutable_value(), &HostRig::NotificationOf);
  if (!request.has_post_message()) return;
  auto& message = *request.mutable_post_message();
  if (message.has_client_id()) Resolve(message.mutable_client_id(), &HostRig::ClientOf);
  if (message.has_version_id()) message.set_version_id(Resolved(message.version_id(), &HostRig::VersionOf));
}

std::uint64_t ResolvedEvent(const host::Puppet& puppet, std::uint64_t place) {
  std::uint64_t seen = 0;
  for (const auto& message : puppet.received()) {
    if (message.has_event() && ++seen == place) return message.event().id();
  }
  return place;
}

void Resolve(const host::Puppet& puppet, ipc::ToDaemon& message) {
  if (message.has_request()) Resolve(*message.mutable_request());
  if (message.has_sync_acknowledge()) {
    auto& seen = *message.mutable_sync_acknowledge();
    seen.set_registration_id(Resolved(seen.registration_id(), &HostRig::RegistrationOf));
  }
  if (message.has_event_finished()) {
    auto& finished = *message.mutable_event_finished();
    finished.set_event_id(ResolvedEvent(puppet, finished.event_id()));
  }
  if (message.has_fetch_response()) {
    auto& response = *message.mutable_fetch_response();
    response.set_event_id(ResolvedEvent(puppet, response.event_id()));
  }
}

void Play(std::uint8_t who, std::string_view bytes) {
  HostRig& rig = HostRig::Instance();
  if ((who & 4U) != 0) {
    rig.Stir(who >> 3U);
    rig.RunUntilQuiet();
  }
  const auto puppet = rig.Attacker((who & 1U) == 0);
  if (!puppet) return;
  ipc::ToDaemon message;
  if ((who & 2U) == 0 && message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    Resolve(*puppet, message);
    puppet->Send(message);
  } else {
    puppet->SendBytes(std::string(bytes));
  }
  rig.RunUntilQuiet();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  HostRig& rig = HostRig::Instance();
  rig.Begin();
  for (std::size_t at = 0; at + 3 <= size;) {
    const std::uint8_t who = data[at];
    const std::size_t wanted = data[at + 1] | static_cast<std::size_t>(data[at + 2]) << 8U;
    at += 3;
    const std::size_t length = std::min(wanted, size - at);
    Play(who, std::string_view(reinterpret_cast<const char*>(data) + at, length));
    at += length;
  }
  rig.End();
  return 0;
}
