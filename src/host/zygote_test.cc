// The zygote is replaced while it works, and when it dies. Children are vigil-puppet's: real processes that
// run no script.
#include "host/zygote.h"

#include <signal.h>

#include <cstdio>
#include <fstream>

#include "host/puppet_rig.h"

namespace vigil::host {
namespace {

using std::chrono::milliseconds;

class ZygoteTest : public HostPuppetTest {
 protected:
  ZygoteTest() { zygote_options.executable = options.worker_executable; }
  ~ZygoteTest() override {
    if (zygote) zygote->Stop();
    for (const auto& child : children) {
      close(child.socket);
      close(child.pidfd);
    }
    zygote.reset();
  }

  void Make() {
    zygote.emplace(loop.get_executor(), zygote_options,
                   Zygote::Handlers{[this](int pid, int) { exited.push_back(pid); },
                                    [this](int pid) { lost.push_back(pid); }});
  }
  Result<ForkedChild> Fork() {
    auto child = Await(zygote->Fork("t"));
    if (child) children.push_back(*child);
    return child;
  }
  void EndChild(std::size_t index) {
    kill(children[index].pid, SIGKILL);
    const int pid = children[index].pid;
    RunUntil([&] { return std::find(exited.begin(), exited.end(), pid) != exited.end(); });
  }

  ZygoteOptions zygote_options;
  std::optional<Zygote> zygote;
  std::vector<ForkedChild> children;
  std::vector<int> exited, lost;
};

TEST_F(ZygoteTest, IsReplacedAfterSoManyForksWithoutKeepingAnybodyWaiting) {
  zygote_options.max_forks = 3;
  Make();
  ASSERT_TRUE(Await(zygote->Start()));
  const int first = zygote->pid();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Fork());
    EXPECT_EQ(zygote->pid(), first);
  }
  // Worn: the next one warms up meanwhile, and takes over once it is ready.
  int more = 0;
  while (zygote->pid() == first) {
    ASSERT_TRUE(Fork());
    ASSERT_LT(++more, 10'000);
  }
  // The old one lives until its last child has ended, and tells its end.
  EXPECT_EQ(kill(first, 0), 0);
  for (std::size_t i = 0; i < children.size() - 1; ++i) EndChild(i);
  EXPECT_TRUE(lost.empty());
  ASSERT_TRUE(Fork());
  EXPECT_EQ(kill(first, 0), -1);
}

TEST_F(ZygoteTest, IsReplacedWhenItIsOld) {
  zygote_options.max_age = milliseconds(1);
  Make();
  ASSERT_TRUE(Await(zygote->Start()));
  const int first = zygote->pid();
  for (int i = 0; zygote->pid() == first; ++i) {
    ASSERT_TRUE(Fork());
    ASSERT_LT(i, 10'000);
  }
}

TEST_F(ZygoteTest, TellsWhichChildrenWentWithIt) {
  Make();
  ASSERT_TRUE(Fork());
  ASSERT_TRUE(Fork());
  kill(zygote->pid(), SIGKILL);
  RunUntil([&] { return lost.size() == 2; });
  EXPECT_TRUE(exited.empty());
  EXPECT_EQ(zygote->pid(), 0);
  EXPECT_TRUE(Fork()) << "a new one";
}

TEST_F(ZygoteTest, ThatKeepsDyingIsGivenAGrowingPause) {
  zygote_options.first_pause = milliseconds(20);
  zygote_options.last_pause = milliseconds(100);
  Make();
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(Fork());
    const int pid = zygote->pid();
    kill(pid, SIGKILL);
    RunUntil([&] { return zygote->pid() == 0; });
  }
  ASSERT_TRUE(Fork());
  // 20, 40, 80, 100 ms. Not less; how much more is the machine's business.
  EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(240));
}

TEST_F(ZygoteTest, StopsWaitingWhenItIsToldTo) {
  zygote_options.first_pause = std::chrono::hours(1);
  zygote_options.last_pause = std::chrono::hours(1);
  Make();
  ASSERT_TRUE(Fork());
  kill(zygote->pid(), SIGKILL);
  RunUntil([&] { return zygote->pid() == 0; });
  boost::asio::post(loop, [&] { zygote->Stop(); });
  const auto child = Fork();
  ASSERT_FALSE(child);
  EXPECT_NE(child.error().message.find("stopping"), std::string::npos) << child.error().message;
}

TEST_F(ZygoteTest, ItsDeathIsNoFaultOfTheAppAndTheEventRunsAgain) {
  StartBoth();
  act = [this](Puppet& puppet, const ipc::ToWorker& message) {
    if (!message.has_event() || puppet.start().origin() != server.origin()) return false;
    // Parent of the process that runs the event.
    std::ifstream stat("/proc/" + std::to_string(puppet.pid()) + "/stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    int parent = 0;
    std::sscanf(text.c_str() + text.rfind(')') + 2, "%*c %d", &parent);
    kill(parent, SIGKILL);
    act = nullptr;
    return true;
  };
  const auto cut_off = Await(host->DispatchSync(RegistrationOf(server), "t", false, Duration(0)));
  EXPECT_EQ(cut_off.kind, DispatchOutcome::Kind::kNotStarted) << "counts as no attempt";
  EXPECT_NE(cut_off.text.find("the process that makes workers"), std::string::npos) << cut_off.text;
  EXPECT_EQ(Await(host->DispatchSync(RegistrationOf(server), "t", false, Duration(0))).kind,
            DispatchOutcome::Kind::kSucceeded);
}

TEST_F(ZygoteTest, NoEventIsLostWhileItIsReplacedAgainAndAgain) {
  options.zygote_max_forks = 1;
  options.idle_stop = Duration(0);  // a new process for each event
  StartBoth();
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(Await(host->DispatchSync(RegistrationOf(server), "t", false, Duration(0))).kind,
              DispatchOutcome::Kind::kSucceeded);
    RunUntil([&] { return !puppeteer->Find(server.origin(), false); });
  }
}

}  // namespace
}  // namespace vigil::host
