// Memory that runs out at every place where the library asks for some: an error code, never a crash, and
// nothing that was acknowledged is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "capi/test_host.h"
#include "vigil/vigil.h"

namespace {

// Allocations of the library until one fails; negative: none does. Those of the test itself do not count.
std::int64_t allocations_left = -1;
bool all_after_it_fail = false;
bool failed = false;
bool in_library = false;

void* Allocate(std::size_t size) {
  if (in_library && allocations_left >= 0) {
    if (allocations_left == 0) {
      failed = true;
      if (!all_after_it_fail) allocations_left = -1;
      return nullptr;
    }
    --allocations_left;
  }
  return std::malloc(size == 0 ? 1 : size);
}

}  // namespace

void* operator new(std::size_t size) {
  void* memory = Allocate(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return Allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace vigil::capi {
namespace {

class Switch {
 public:
  explicit Switch(bool to) : before_(in_library) { in_library = to; }
  ~Switch() { in_library = before_; }
  Switch(const Switch&) = delete;
  Switch& operator=(const Switch&) = delete;

 private:
  bool before_;
};
template <class Fn>
auto InLibrary(Fn fn) {
  const Switch on(true);
  return fn();
}

// The host's callbacks have memory.
const vigil_host& Sheltered(TestHost& host) {
  static vigil_host inner;
  inner = host.table;
  host.table.wake_at = [](void* self, std::int64_t at) {
    const Switch off(false);
    inner.wake_at(self, at);
  };
  host.table.load = [](void* self, vigil_loader* loader) {
    const Switch off(false);
    vigil_status worst = VIGIL_OK;
    for (const auto& [key, value] : static_cast<TestHost*>(self)->disk) {
      const vigil_status status =
          InLibrary([&, bytes = Give(value)] { return vigil_load_record(loader, bytes); });
      if (status != VIGIL_OK) worst = status;
    }
    return worst;
  };
  host.table.write = [](void* self, const vigil_write* write) {
    const Switch off(false);
    return inner.write(self, write);
  };
  host.table.run = [](void* self, const vigil_event* event) {
    const Switch off(false);
    inner.run(self, event);
  };
  host.table.reply = [](void* self, const vigil_reply* reply) {
    const Switch off(false);
    inner.reply(self, reply);
  };
  host.table.log = [](void* self, const vigil_log_line* line) {
    const Switch off(false);
    inner.log(self, line);
  };
  return host.table;
}

bool IsAllowed(vigil_status status) {
  return status == VIGIL_OK || status == VIGIL_ERROR_OUT_OF_MEMORY || status == VIGIL_ERROR_BROKEN;
}

// Registers, fires, fails, retries; notes what was promised and what was kept.
void LiveThrough(TestHost& host) {
  const vigil_host& table = Sheltered(host);
  std::set<std::string> promised;
  std::vector<vigil_status> statuses;
  const auto note = [&](vigil_status status) {
    statuses.push_back(status);
    return status == VIGIL_OK;
  };
  const auto start = [&] {
    vigil_engine_destroy(host.engine);
    host.events.clear();
    return note(InLibrary([&] { return vigil_engine_create(nullptr, &table, &host.engine); })) &&
           note(
               InLibrary([&] { return vigil_engine_start(host.engine, host.message, sizeof host.message); }));
  };
  host.is_online = 0;
  if (start()) {
    for (const char* tag : {"a tag that is too long for a small string: one", "a tag of that kind: two"}) {
      vigil_registration call = TestHost::Call(tag);
      call.reply_token = ++host.last_token;
      note(InLibrary([&] { return vigil_register(host.engine, &call); }));
      if (host.AnswerTo(host.last_token) == "ok") promised.insert(tag);
      note(InLibrary([&] { return vigil_acknowledge(host.engine, 1, call.tag); }));
      note(InLibrary([&] { return vigil_get_tags(host.engine, 1000, 1, VIGIL_ONE_SHOT); }));
      note(InLibrary([&] {
        return vigil_list(
            host.engine, [](void*, const vigil_view*) {}, nullptr);
      }));
    }
    host.is_online = 1;
    note(InLibrary([&] { return vigil_network_changed(host.engine); }));
    for (const auto& event : std::vector(host.events)) {
      note(InLibrary([&] {
        return vigil_event_finished(host.engine, event.token, VIGIL_REJECTED,
                                    vigil_text("no answer from the server"));
      }));
    }
    host.now.mono_us += 300'000'000;
    note(InLibrary([&] { return vigil_tick(host.engine); }));
  }
  EXPECT_THAT(statuses, testing::Each(testing::ResultOf(IsAllowed, true)));

  // With memory again, everything that was promised runs.
  allocations_left = -1;
  host.is_online = 1;
  ASSERT_TRUE(start()) << vigil_status_name(statuses.back()) << host.message;
  host.now.mono_us += 3'600'000'000;
  EXPECT_EQ(vigil_tick(host.engine), VIGIL_OK);
  std::set<std::string> ran;
  for (const auto& event : host.events) ran.insert(event.tag);
  EXPECT_TRUE(std::includes(ran.begin(), ran.end(), promised.begin(), promised.end()));
}

TEST(CApiOutOfMemory, IsAnErrorCodeWhereverItHappens) {
  for (const bool all : {false, true}) {
    std::int64_t places = 0;
    do {
      TestHost host;
      failed = false;
      all_after_it_fail = all;
      allocations_left = places++;
      LiveThrough(host);
    } while (failed && !testing::Test::HasFailure());
    allocations_left = -1;
    EXPECT_GT(places, 100) << "the test does not reach the library's allocations";
  }
}

// The memory of one call of vigil_register() runs out after so many allocations.
class CApiOutOfMemoryInACall : public testing::Test {
 protected:
  CApiOutOfMemoryInACall() {
    EXPECT_EQ(vigil_engine_create(nullptr, &Sheltered(host_), &host_.engine), VIGIL_OK);
    EXPECT_EQ(vigil_engine_start(host_.engine, nullptr, 0), VIGIL_OK);
  }
  vigil_status RegisterWith(std::int64_t allocations) {
    const vigil_registration call = TestHost::Call(tag_);
    allocations_left = allocations;
    all_after_it_fail = false;
    return InLibrary([&] { return vigil_register(host_.engine, &call); });
  }

  TestHost host_;
  const std::string tag_ = std::string(100, 't');
};

TEST_F(CApiOutOfMemoryInACall, LeavesTheEngineUsableWhereNoStepHadBegun) {
  EXPECT_EQ(RegisterWith(0), VIGIL_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(host_.Reason(tag_), "gone");
  EXPECT_EQ(host_.Register(tag_), "ok");
}

TEST_F(CApiOutOfMemoryInACall, BreaksAnEngineInTheMiddleOfAStepForGood) {
  EXPECT_EQ(RegisterWith(4), VIGIL_ERROR_BROKEN);
  EXPECT_EQ(vigil_tick(host_.engine), VIGIL_ERROR_BROKEN);
  EXPECT_EQ(vigil_engine_start(host_.engine, nullptr, 0), VIGIL_ERROR_BROKEN);
  EXPECT_EQ(vigil_engine_destroy(host_.engine), VIGIL_OK);
  host_.engine = nullptr;
}

}  // namespace
}  // namespace vigil::capi
