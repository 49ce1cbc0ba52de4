// libFuzzer target: the daemon's side of a worker that is not ours any more. A whole host on real parts
// (zygote, processes, sockets, SQLite, HTTP over loopback) has two apps installed. The input is what the page
// and the worker of one of them send, message by message, well-formed or not. Nothing may crash, nothing of
// the other app may become visible or be changed, and that app's processes must not notice.
//
// Input: [who][length, 2 bytes][bytes of a ToDaemon], again and again. who & 1: the worker, else the page;
// who & 2: the bytes go out as they are, without a frame; who & 4: the host does something first. In texts
// "A:" stands for the attacker's origin, "B:" for the other, "a:" and "b:" for the ids of their pages.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "host_rig.h"

namespace {

using vigil::ipc::ToDaemon;

void Resolve(std::string* text) {
  HostRig& rig = HostRig::Instance();
  const std::string_view head = std::string_view(*text).substr(0, 2);
  if (head == "A:") *text = rig.attacker().origin() + text->substr(2);
  if (head == "B:") *text = rig.victim().origin() + text->substr(2);
  if (head == "a:") *text = rig.AttackerPageId();
  if (head == "b:") *text = rig.VictimPageId();
}

// The texts that name something.
void ResolveAll(ToDaemon& message) {
  if (message.has_web_socket() && message.web_socket().has_open()) {
    Resolve(message.mutable_web_socket()->mutable_open()->mutable_url());
  }
  if (!message.has_request()) return;
  auto& request = *message.mutable_request();
  if (request.has_fetch()) Resolve(request.mutable_fetch()->mutable_url());
  if (request.has_import_script()) Resolve(request.mutable_import_script()->mutable_url());
  if (request.has_clients_get()) Resolve(request.mutable_clients_get()->mutable_value());
  if (request.has_client_focus()) Resolve(request.mutable_client_focus()->mutable_value());
  if (request.has_clients_open_window()) Resolve(request.mutable_clients_open_window()->mutable_value());
  if (request.has_client_navigate()) {
    Resolve(request.mutable_client_navigate()->mutable_client_id());
    Resolve(request.mutable_client_navigate()->mutable_url());
  }
  if (request.has_post_message() && request.post_message().has_client_id()) {
    Resolve(request.mutable_post_message()->mutable_client_id());
  }
  if (request.has_container_register()) {
    Resolve(request.mutable_container_register()->mutable_script_url());
    Resolve(request.mutable_container_register()->mutable_scope());
  }
  if (request.has_container_get_registration()) {
    Resolve(request.mutable_container_get_registration()->mutable_value());
  }
  if (request.has_cookie_get()) Resolve(request.mutable_cookie_get()->mutable_url());
  if (request.has_cookie_subscribe()) {
    for (auto& one : *request.mutable_cookie_subscribe()->mutable_subscriptions()) Resolve(one.mutable_url());
  }
  if (request.has_cache() && request.cache().has_put()) {
    for (auto& entry : *request.mutable_cache()->mutable_put()->mutable_entries()) {
      Resolve(entry.mutable_request()->mutable_url());
    }
  }
}

void Play(std::uint8_t who, std::string_view bytes) {
  HostRig& rig = HostRig::Instance();
  if ((who & 4U) != 0) rig.Stir(who >> 3U);
  const auto puppet = (who & 1U) != 0 ? rig.AttackerWorker() : rig.AttackerPage();
  if (!puppet) return;
  ToDaemon message;
  if ((who & 2U) == 0 && message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    ResolveAll(message);
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
