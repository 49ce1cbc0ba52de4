// For tests: a host behind the C API, with everything in memory and time moved by hand.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vigil/vigil.h"

namespace vigil::capi {

inline std::string Copy(vigil_bytes bytes) {
  return bytes.size == 0 ? std::string() : std::string(bytes.data, bytes.size);
}
inline vigil_bytes Give(std::string_view text) { return {text.data(), text.size()}; }

struct TestHost {
  TestHost() {
    table.struct_size = sizeof(vigil_host);
    table.context = this;
    table.online = [](void* self) { return Of(self).is_online; };
    table.allowed = [](void* self, vigil_bytes, vigil_kind) { return Of(self).is_allowed; };
    table.installed = [](void* self, vigil_bytes) { return Of(self).is_installed; };
    table.engagement = [](void* self, vigil_bytes) { return Of(self).level; };
    table.now = [](void* self, vigil_time* now) { *now = Of(self).now; };
    table.wake_at = [](void* self, std::int64_t mono_us) { Of(self).wake_us = mono_us; };
    table.load = [](void* self, vigil_loader* loader) { return Of(self).Load(loader); };
    table.write = [](void* self, const vigil_write* write) { return Of(self).Write(*write); };
    table.run = [](void* self, const vigil_event* event) { Of(self).Run(*event); };
    table.reply = [](void* self, const vigil_reply* reply) { Of(self).Reply(*reply); };
    table.log = [](void* self, const vigil_log_line* line) {
      Of(self).log.push_back(Copy(line->event_name));
    };
  }
  ~TestHost() { vigil_engine_destroy(engine); }
  TestHost(const TestHost&) = delete;
  TestHost& operator=(const TestHost&) = delete;

  // As after a crash: memory is gone, the store is there.
  vigil_status Start(const vigil_parameters* parameters = nullptr) {
    vigil_engine_destroy(engine);
    events.clear();
    const vigil_status made = vigil_engine_create(parameters, &table, &engine);
    return made == VIGIL_OK ? vigil_engine_start(engine, message, sizeof message) : made;
  }

  // Points to the tag.
  static vigil_registration Call(std::string_view tag, vigil_kind kind = VIGIL_ONE_SHOT) {
    vigil_registration call{};
    call.struct_size = sizeof call;
    call.worker = 1;
    call.kind = kind;
    call.tag = Give(tag);
    call.origin = vigil_text("https://shop.example");
    return call;
  }
  // The answer: "ok", the exception's name, or "none yet".
  std::string Register(const std::string& tag, vigil_kind kind = VIGIL_ONE_SHOT) {
    vigil_registration call = Call(tag, kind);
    call.reply_token = ++last_token;
    status = vigil_register(engine, &call);
    if (status != VIGIL_OK) return vigil_status_name(status);
    const std::string answer = AnswerTo(last_token);
    if (answer == "ok" && kind == VIGIL_ONE_SHOT) vigil_acknowledge(engine, 1, Give(tag));
    return answer;
  }
  std::string AnswerTo(std::uint64_t token) const {
    const auto found = answers.find(token);
    return found == answers.end() ? "none yet" : found->second;
  }
  void Advance(std::int64_t us) {
    now.wall_us += us;
    now.mono_us += us;
    vigil_tick(engine);
  }
  std::string Reason(const std::string& tag, vigil_kind kind = VIGIL_ONE_SHOT) {
    std::string reason = "gone";
    vigil_explain(
        engine, 1, kind, Give(tag),
        [](void* to, const vigil_view* view) { *static_cast<std::string*>(to) = Copy(view->reason); },
        &reason);
    return reason;
  }

  struct Event {
    std::uint64_t token;
    std::string tag;
    bool last_chance;
    std::int64_t limit_us;
  };

  vigil_host table{};
  vigil_engine* engine = nullptr;
  vigil_time now{1'728'000'000'000'000, 25'200'000'000};
  std::int64_t wake_us = 0;
  std::int32_t is_online = 1;
  std::int32_t is_allowed = 1;
  std::int32_t is_installed = 1;
  vigil_engagement level = VIGIL_ENGAGEMENT_HIGH;
  vigil_status store_answer = VIGIL_OK;  // of every write
  vigil_status load_answer = VIGIL_OK;
  std::vector<vigil_status> loaded;  // what vigil_load_record said
  std::map<std::string, std::string> disk;
  std::vector<std::uint64_t> writes;
  std::vector<Event> events;
  std::map<std::uint64_t, std::string> answers;
  std::vector<std::string> tags;
  std::vector<std::string> log;
  std::uint64_t last_token = 0;
  vigil_status status = VIGIL_OK;  // of the last Register
  char message[256] = "";

 private:
  static TestHost& Of(void* self) { return *static_cast<TestHost*>(self); }

  vigil_status Load(vigil_loader* loader) {
    loaded.clear();
    for (const auto& [key, value] : disk) loaded.push_back(vigil_load_record(loader, Give(value)));
    return load_answer;
  }
  vigil_status Write(const vigil_write& write) {
    writes.push_back(write.token);
    if (store_answer != VIGIL_OK && store_answer != VIGIL_LATER) return store_answer;
    for (std::size_t i = 0; i < write.count; ++i) {
      const vigil_change& change = write.changes[i];
      if (change.op == VIGIL_PUT) {
        disk[Copy(change.key)] = Copy(change.value);
      } else {
        disk.erase(Copy(change.key));
      }
    }
    return store_answer;
  }
  void Run(const vigil_event& event) {
    events.push_back({event.token, Copy(event.tag), event.last_chance != 0, event.limit_us});
  }
  void Reply(const vigil_reply& reply) {
    answers[reply.token] = reply.error_name.size == 0 ? "ok" : Copy(reply.error_name);
    tags.clear();
    for (std::size_t i = 0; i < reply.tag_count; ++i) tags.push_back(Copy(reply.tags[i]));
  }
};

}  // namespace vigil::capi
