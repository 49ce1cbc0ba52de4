// libFuzzer target: any sequence of calls of the C API, with any arguments that a C program can form, from
// outside and from inside the callbacks, on a world that changes and a store that fails or tells later.
// Nothing crashes; every status is one of the header's; every question has exactly one answer; at most one
// write is under way; at the end the store holds what the engine knows.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "vigil/vigil.h"

namespace {

// Reads the input as numbers and strings; zeros after its end.
class Source {
 public:
  Source(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  bool empty() const { return at_ >= size_; }
  std::uint8_t Byte() { return at_ < size_ ? data_[at_++] : 0; }
  std::int64_t Number() {
    std::uint64_t value = 0;
    for (int i = Byte() % 9; i > 0; --i) value = value << 8 | Byte();
    return static_cast<std::int64_t>(value);
  }
  vigil_bytes Bytes() {
    const std::uint8_t how = Byte();
    if (how == 255) return {nullptr, 3};
    if (how == 254) return {"x", ~std::size_t{0}};
    if (how % 4 != 0) return vigil_text(how % 2 == 0 ? "post" : "news");
    const std::size_t count = std::min<std::size_t>(how / 4, size_ - std::min(at_, size_));
    const vigil_bytes bytes{reinterpret_cast<const char*>(data_) + at_, count};
    at_ += count;
    return bytes;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};

std::string Copy(vigil_bytes bytes) { return bytes.size == 0 ? "" : std::string(bytes.data, bytes.size); }

struct World {
  explicit World(Source& source) : in(source) {
    table.struct_size = sizeof table;
    table.context = this;
    table.online = [](void* self) { return Of(self).online; };
    table.known_network = [](void* self, vigil_bytes) { return Of(self).known; };
    table.allowed = [](void* self, vigil_bytes, vigil_kind) { return Of(self).allowed; };
    table.installed = [](void* self, vigil_bytes) { return Of(self).installed; };
    table.engagement = [](void* self, vigil_bytes) { return Of(self).level; };
    table.random = [](void*) { return 0.5; };
    table.now = [](void* self, vigil_time* now) { *now = Of(self).now; };
    table.wake_at = [](void* self, std::int64_t us) { Of(self).wake_us = us; };
    table.load = [](void* self, vigil_loader* loader) { return Of(self).Load(loader); };
    table.write = [](void* self, const vigil_write* write) { return Of(self).Write(*write); };
    table.run = [](void* self, const vigil_event* event) { Of(self).Run(*event); };
    table.reply = [](void* self, const vigil_reply* reply) { Of(self).Reply(*reply); };
    table.log = [](void*, const vigil_log_line*) {};
  }
  static World& Of(void* self) { return *static_cast<World*>(self); }

  vigil_status Load(vigil_loader* loader) {
    for (const auto& [key, value] : disk) {
      if (vigil_load_record(loader, {value.data(), value.size()}) != VIGIL_OK) std::abort();
    }
    return VIGIL_OK;
  }
  vigil_status Write(const vigil_write& write) {
    if (held != 0) std::abort();  // one write at a time
    waiting.clear();
    for (std::size_t i = 0; i < write.count; ++i) {
      const vigil_change& change = write.changes[i];
      waiting.emplace_back(change.op, Copy(change.key), Copy(change.value));
    }
    if (store == 1) return VIGIL_ERROR_STORE;
    if (store == 2) {
      held = write.token;
      return VIGIL_LATER;
    }
    Apply();
    return VIGIL_OK;
  }
  void Apply() {
    for (auto& [op, key, value] : waiting) {
      if (op == VIGIL_PUT) {
        disk[key] = value;
      } else {
        disk.erase(key);
      }
    }
    waiting.clear();
  }
  void FinishWrite(bool good) {
    if (held == 0) return;
    const std::uint64_t token = held;
    held = 0;
    if (good) Apply();
    if (vigil_write_finished(engine, token, good ? VIGIL_OK : VIGIL_ERROR_STORE, {}) != VIGIL_OK)
      std::abort();
  }
  void Run(const vigil_event& event) {
    open.push_back(event.token);
    if (depth < 3 && !in.empty()) Call();
  }
  void Reply(const vigil_reply& reply) {
    if (asked.erase(reply.token) != 1) std::abort();  // exactly one answer
    if (depth < 3 && !in.empty()) Call();
  }
  std::uint64_t Ask() {
    asked.insert(++last_reply);
    return last_reply;
  }
  void Check(vigil_status status) {
    if (status > VIGIL_OK || status < VIGIL_ERROR_BROKEN || status == VIGIL_ERROR_OUT_OF_MEMORY ||
        status == VIGIL_ERROR_BROKEN) {
      std::abort();
    }
  }

  void Call();
  void Register();
  void Restart();

  Source& in;
  vigil_host table{};
  vigil_engine* engine = nullptr;
  vigil_parameters* parameters = nullptr;
  vigil_time now{1'728'000'000'000'000, 1'000'000};
  std::int64_t wake_us = 0;
  std::int32_t online = 1, known = 1, allowed = 1, installed = 1, level = 4;
  int store = 0;  // 0 works, 1 fails, 2 tells later
  int depth = 0;
  std::uint64_t held = 0;
  std::vector<std::tuple<vigil_change_op, std::string, std::string>> waiting;
  std::map<std::string, std::string> disk;
  std::vector<std::uint64_t> open;
  std::set<std::uint64_t> asked;
  std::uint64_t last_reply = 0;
};

void World::Register() {
  vigil_registration call{};
  call.struct_size = in.Byte() == 255 ? 4 : sizeof call;
  call.worker = in.Byte() % 3;
  call.kind = in.Byte() % 8 == 7 ? in.Byte() - 5 : in.Byte() % 2;
  call.tag = in.Bytes();
  call.origin = vigil_text(call.worker == 1 ? "https://shop.example" : "https://news.example");
  if (in.Byte() == 255) call.origin = in.Bytes();
  call.min_interval_ms = in.Number();
  call.reply_token = Ask();
  const vigil_status status = vigil_register(engine, &call);
  if (status != VIGIL_OK) asked.erase(call.reply_token);
  Check(status);
}

void World::Call() {
  ++depth;
  const auto visit = [](void*, const vigil_view* view) {
    if (view->reason.size == 0 || view->sentence.size == 0) std::abort();
  };
  const std::uint8_t what = in.Byte() % 24;
  std::uint64_t token = 0;
  vigil_status status = VIGIL_OK;
  if (what < 5) {
    Register();
  } else if (what == 5) {
    status = vigil_acknowledge(engine, in.Byte() % 3, in.Bytes());
  } else if (what == 6) {
    status = vigil_unregister(engine, token = Ask(), in.Byte() % 3, in.Bytes());
  } else if (what == 7) {
    status = vigil_get_tags(engine, token = Ask(), in.Byte() % 3, in.Byte() % 3);
  } else if (what < 11) {
    if (!open.empty()) {
      const std::uint64_t event = open.back();
      open.pop_back();
      status = vigil_event_finished(engine, event, in.Byte() % 9 - 1, in.Bytes());
    }
  } else if (what == 11) {
    status = vigil_event_finished(engine, static_cast<std::uint64_t>(in.Number()), in.Byte() % 7, {});
  } else if (what == 12) {
    FinishWrite(in.Byte() % 2 == 0);
  } else if (what == 13) {
    store = in.Byte() % 3;
    status = vigil_store_recovered(engine);
  } else if (what == 14) {
    online = in.Byte() % 2;
    known = in.Byte() % 2;
    status = vigil_network_changed(engine);
  } else if (what == 15) {
    allowed = in.Byte() % 4 != 0;
    installed = in.Byte() % 4 != 0;
    status = vigil_permission_changed(engine, in.Byte() % 2 == 0 ? vigil_bytes{nullptr, 0} : in.Bytes());
  } else if (what == 16) {
    level = in.Byte() % 8 - 1;
    status = vigil_engagement_changed(engine, vigil_text("https://shop.example"));
  } else if (what == 17) {
    status = vigil_worker_deleted(engine, token = Ask(), in.Byte() % 3);
  } else if (what == 18) {
    status = vigil_origin_cleared(engine, token = Ask(), in.Bytes());
  } else if (what == 19) {
    status = vigil_explain(engine, in.Byte() % 3, in.Byte() % 2, in.Bytes(), visit, nullptr);
  } else if (what == 20) {
    status = vigil_list(engine, visit, nullptr);
  } else if (what == 21) {
    now = {in.Number(), in.Number()};
    status = vigil_tick(engine);
  } else if (what == 22) {
    if (wake_us != VIGIL_NEVER && wake_us > now.mono_us) {
      const auto by = static_cast<std::uint64_t>(wake_us) - static_cast<std::uint64_t>(now.mono_us);
      now.wall_us = static_cast<std::int64_t>(static_cast<std::uint64_t>(now.wall_us) + by);
      now.mono_us = wake_us;
    }
    status = vigil_tick(engine);
  } else if (depth == 1) {
    Restart();
  } else if (vigil_engine_destroy(engine) != VIGIL_ERROR_BUSY) {
    std::abort();
  }
  if (token != 0 && status != VIGIL_OK) asked.erase(token);
  Check(status);
  --depth;
}

void World::Restart() {
  if (vigil_engine_destroy(engine) != VIGIL_OK) std::abort();
  held = 0;
  open.clear();
  asked.clear();
  waiting.clear();
  now.mono_us = 0;
  ++depth;  // no calls from inside: the engine is not known yet
  depth += 3;
  if (vigil_engine_create(parameters, &table, &engine) != VIGIL_OK) std::abort();
  if (vigil_engine_start(engine, nullptr, 0) != VIGIL_OK) std::abort();
  depth -= 4;
}

void SetParameters(Source& in, vigil_parameters* parameters) {
  static const char* const kNames[] = {"min_periodic_gap",
                                       "min_periodic_gap_across_origins",
                                       "first_retry_delay",
                                       "acknowledge_timeout",
                                       "max_attempts",
                                       "engagement_factor_high",
                                       "max_parallel_events",
                                       "store_retry_delay",
                                       "jitter",
                                       "disabled"};
  static const char* const kValues[] = {"0", "1us", "1s",      "100d", "1000d",
                                        "1", "2",   "1000000", "1.5",  "true"};
  for (int i = in.Byte() % 4; i > 0; --i) {
    vigil_parameters_set(parameters, vigil_text(kNames[in.Byte() % 10]), vigil_text(kValues[in.Byte() % 10]),
                         nullptr, 0);
  }
  char message[16];
  const vigil_bytes name = in.Bytes();
  vigil_parameters_set(parameters, name, in.Bytes(), message, in.Byte() % 17);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Source source(data, size);
  vigil_parameters* parameters = vigil_parameters_create();
  SetParameters(source, parameters);
  World world(source);
  world.parameters = parameters;
  world.Restart();
  while (!source.empty()) world.Call();
  // Once the store works, everything that was asked has been answered.
  world.store = 0;
  world.depth = 4;
  world.FinishWrite(true);
  if (vigil_tick(world.engine) != VIGIL_OK || !world.asked.empty()) std::abort();
  // What the engine knows is what the store holds, unless the store has failed and not been tried again.
  if (vigil_store_recovered(world.engine) != VIGIL_OK) std::abort();
  std::size_t known = 0;
  vigil_list(
      world.engine, [](void* count, const vigil_view*) { ++*static_cast<std::size_t*>(count); }, &known);
  if (known != world.disk.size()) std::abort();
  vigil_engine_destroy(world.engine);
  vigil_parameters_destroy(parameters);
  return 0;
}
