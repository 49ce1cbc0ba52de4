// Developer tools at the workers of a whole host, with real processes; and what a process that lies about
// them gains.
#include "host/inspector.h"

#include <boost/json.hpp>
#include <deque>

#include "host/process.h"
#include "host/puppet_rig.h"
#include "host/time_limit.h"

namespace vigil::host {
namespace {

namespace json = boost::json;

// One tool at one process.
struct Tool {
  std::unique_ptr<InspectorSession> session;
  std::vector<json::object> heard;
  std::string detached;
  bool take = true;  // what it hears

  InspectorHandlers Handlers() {
    InspectorHandlers handlers;
    handlers.message = [this](std::string message) {
      if (take && session) session->Taken(message.size());
      heard.push_back(json::parse(message).as_object());
    };
    handlers.detached = [this](std::string reason) { detached = std::move(reason); };
    return handlers;
  }
  void Say(int id, const std::string& method, json::object params = {}) {
    session->Send(
        json::serialize(json::object{{"id", id}, {"method", method}, {"params", std::move(params)}}));
  }
  const json::object* Answer(int id) const {
    for (const auto& message : heard) {
      if (message.contains("id") && message.at("id").as_int64() == id) return &message;
    }
    return nullptr;
  }
  int Count(const std::string& method) const {
    return static_cast<int>(std::count_if(heard.begin(), heard.end(), [&](const json::object& message) {
      return message.contains("method") && message.at("method").as_string() == method.c_str();
    }));
  }
};

class HostInspectorTest : public HostTest {
 protected:
  void Attach(Tool& tool) {
    const auto targets = host->InspectorTargets();
    ASSERT_FALSE(targets.empty());
    for (const auto& target : targets) {
      if (target.version_id == 0) continue;
      auto session = host->Inspect(target.process, tool.Handlers());
      ASSERT_TRUE(session) << session.error().message;
      tool.session = std::move(*session);
    }
  }
  void Begin(const std::string& tag) {
    host->DispatchSyncEvent({SyncKind::kOneShot, RegistrationId(), tag, false, Duration(0)},
                            [this](DispatchOutcome ended) { outcome = std::move(ended); });
  }
  // Time on the host's own clock goes by.
  void Pass(Duration time) {
    bool passed = false;
    clock.After(time, [&passed] { passed = true; });
    RunUntil([&] { return passed; });
  }

  // Installs a worker, attaches the tool and sends an event "held" that stands still.
  void HoldAnEvent(Tool& tool) {
    ServeApp("self.addEventListener('sync', (event) => { debugger; self.stepped = event.tag; });");
    ASSERT_TRUE(Install());
    ASSERT_TRUE(Await(host->StartWorker(server.Url("/"))));
    Attach(tool);
    tool.Say(1, "Debugger.enable");
    Begin("held");
    RunUntil([&] { return tool.Count("Debugger.paused") == 1; });
  }

  std::optional<DispatchOutcome> outcome;
};

TEST_F(HostInspectorTest, AnEventSucceedsAlthoughItStoodAtABreakpointForLongerThanItsLimit) {
  options.sync_event_limit = options.event_limit = std::chrono::milliseconds(1500);
  Start();
  Tool tool;
  HoldAnEvent(tool);
  RunUntil([&] { return host->InspectorTargets()[0].paused; });
  Pass(3 * options.sync_event_limit);
  EXPECT_FALSE(outcome);
  tool.Say(2, "Debugger.stepOver");
  RunUntil([&] { return tool.Count("Debugger.paused") == 2; });
  tool.Say(3, "Debugger.resume");
  RunUntil([&] { return outcome.has_value(); });
  EXPECT_EQ(outcome->kind, DispatchOutcome::Kind::kSucceeded) << outcome->text;
  tool.Say(4, "Runtime.evaluate", {{"expression", "stepped"}, {"returnByValue", true}});
  RunUntil([&] { return tool.Answer(4) != nullptr; });
  EXPECT_EQ(tool.Answer(4)->at("result").at("result").at("value").as_string(), "held");
}

TEST_F(HostInspectorTest, WhoLeavesLetsGoOnWhatStoodStill) {
  Start();
  Tool tool;
  HoldAnEvent(tool);
  tool.session.reset();
  RunUntil([&] { return outcome.has_value(); });
  EXPECT_EQ(outcome->kind, DispatchOutcome::Kind::kSucceeded) << outcome->text;
  EXPECT_EQ(tool.detached, "");
}

TEST_F(HostInspectorTest, AWorkerThatStandsStillCanBeStopped) {
  Start();
  Tool tool;
  HoldAnEvent(tool);
  ASSERT_TRUE(Await(host->StopWorker(server.Url("/"))));
  RunUntil([&] { return !tool.detached.empty() && outcome.has_value(); });
  EXPECT_EQ(tool.detached, "the worker was stopped by its user");
  EXPECT_EQ(outcome->kind, DispatchOutcome::Kind::kNotStarted);
  EXPECT_TRUE(host->InspectorTargets().empty());
}

TEST_F(HostInspectorTest, WhoIsInspectedIsNotStoppedForBeingIdle) {
  options.idle_stop = std::chrono::milliseconds(50);
  Start();
  ServeApp("");
  ASSERT_TRUE(Install());
  Tool tool;
  ASSERT_TRUE(Await(host->StartWorker(server.Url("/"))));
  Attach(tool);
  Pass(4 * options.idle_stop);
  EXPECT_EQ(host->Registrations()[0].active->running, "running");
  tool.session.reset();
  RunUntil([&] { return host->Registrations()[0].active->running == "stopped"; });
}

TEST_F(HostInspectorTest, AToolThatHearsOfTheStartSeesTheFirstRun) {
  Start();
  ServeApp("self.first = 1;\nself.second = self.first + 1;");
  ASSERT_TRUE(Install());
  ASSERT_TRUE(Await(host->StopWorker(server.Url("/"))));
  RunUntil([&] { return host->InspectorTargets().empty(); });
  Tool tool;
  std::vector<std::uint64_t> ended;
  InspectorObserver observer;
  observer.starting = [&](const InspectorTarget& target) {
    EXPECT_EQ(target.url, server.Url("/sw.js"));
    tool.session = std::move(*host->Inspect(target.process, tool.Handlers(), true));
    tool.Say(1, "Debugger.enable");
    tool.Say(2, "Debugger.setBreakpointByUrl", {{"url", target.url}, {"lineNumber", 1}});
    tool.Say(3, "Runtime.runIfWaitingForDebugger");
  };
  observer.ended = [&](std::uint64_t process) { ended.push_back(process); };
  host->SetInspectorObserver(std::move(observer));
  Begin("starts");
  RunUntil([&] { return tool.Count("Debugger.paused") == 1; });
  const std::uint64_t process = host->InspectorTargets()[0].process;
  tool.Say(4, "Debugger.resume");
  RunUntil([&] { return outcome.has_value(); });
  EXPECT_EQ(outcome->kind, DispatchOutcome::Kind::kSucceeded) << outcome->text;
  ASSERT_TRUE(Await(host->StopWorker(server.Url("/"))));
  RunUntil([&] { return std::find(ended.begin(), ended.end(), process) != ended.end(); });
  host->SetInspectorObserver({});
}

TEST_F(HostInspectorTest, AToolThatTakesNothingIsDetachedAndTheWorkerGoesOn) {
  options.caps.inspector_bytes = 64 * 1024;
  Start();
  ServeApp(
      "self.addEventListener('sync', () => { for (let i = 0; i < 500; ++i) console.log('x'.repeat(1000)); "
      "});");
  ASSERT_TRUE(Install());
  ASSERT_TRUE(Await(host->StartWorker(server.Url("/"))));
  Tool idle, busy;
  idle.take = false;
  Attach(idle);
  Attach(busy);
  idle.Say(1, "Runtime.enable");
  busy.Say(1, "Runtime.enable");
  Begin("floods");
  RunUntil([&] { return outcome.has_value() && busy.Count("Runtime.consoleAPICalled") == 500; });
  EXPECT_EQ(outcome->kind, DispatchOutcome::Kind::kSucceeded) << outcome->text;
  EXPECT_EQ(idle.detached, "the worker says more than is read: 65536 bytes wait");
  EXPECT_EQ(busy.detached, "");
}

// ----------------------------------------------------------------------------------------------------
// forgery
class HostInspectorForgeryTest : public HostPuppetTest {
 protected:
  void Send(bool paused, std::uint64_t session, const std::string& text) {
    ipc::ToDaemon message;
    message.mutable_inspector()->set_session(session);
    if (text.empty()) {
      message.mutable_inspector()->set_paused(paused);
    } else {
      message.mutable_inspector()->set_message(text);
    }
    worker->Send(message);
  }
  std::uint64_t ProcessOf(const Puppet& puppet) {
    for (const auto& target : host->InspectorTargets()) {
      if (target.pid == puppet.pid()) return target.process;
    }
    return 0;
  }
};

TEST_F(HostInspectorForgeryTest, WordsToAToolThatIsNotAttachedEndTheProcess) {
  StartBoth();
  Send(true, 0, "");
  RunUntil([&] { return Reported("spoke to a developer tool that is not attached"); });
  reports.clear();
  worker = Running(server);
  Send(false, 1, "{}");
  RunUntil([&] { return Reported("spoke to a developer tool that is not attached"); });
}

TEST_F(HostInspectorForgeryTest, APauseIsBelievedOnlyWhileAToolIsAttached) {
  options.sync_event_limit = std::chrono::milliseconds(100);
  StartBoth();
  Tool tool;
  auto session = host->Inspect(ProcessOf(*worker), tool.Handlers());
  ASSERT_TRUE(session) << session.error().message;
  Send(true, 0, "");
  RunUntil([&] {
    return host->InspectorTargets()[0].paused || host->InspectorTargets()[1].paused ||
           host->InspectorTargets().back().paused;
  });
  act = [](Puppet&, const ipc::ToWorker& message) { return message.has_event(); };
  std::optional<DispatchOutcome> outcome;
  host->DispatchSyncEvent({SyncKind::kOneShot, RegistrationOf(server), "tag", false, Duration(0)},
                          [&](DispatchOutcome ended) { outcome = std::move(ended); });
  bool passed = false;
  clock.After(3 * options.sync_event_limit, [&passed] { passed = true; });
  RunUntil([&] { return passed; });
  EXPECT_FALSE(outcome);
  session->reset();
  RunUntil([&] { return outcome.has_value(); });
  EXPECT_EQ(outcome->kind, DispatchOutcome::Kind::kTimeout);
}

// ---------------------------------------------------------------------------------------------------- limits
TEST(TimeLimit, GoesOnFromWhereItStood) {
  boost::asio::io_context loop;
  VirtualClock clock(loop, Now{});
  TimeLimit limit(clock);
  int passed = 0;
  const auto advance = [&](Duration by) {
    boost::asio::co_spawn(loop, clock.Advance(by), [](std::exception_ptr, Result<>) {});
    loop.restart();
    loop.run();
  };
  limit.Set(
      std::chrono::minutes(3), [&] { ++passed; }, false);
  advance(std::chrono::minutes(2));
  limit.StandStill();
  advance(std::chrono::hours(24));
  EXPECT_EQ(passed, 0);
  limit.GoOn();
  advance(std::chrono::seconds(59));
  EXPECT_EQ(passed, 0);
  advance(std::chrono::seconds(1));
  EXPECT_EQ(passed, 1);
  limit.GoOn();
  advance(std::chrono::hours(1));
  EXPECT_EQ(passed, 1);
}

}  // namespace
}  // namespace vigil::host
