#include "net/rtnetlink.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

namespace vigil::net {
namespace {

// Another network namespace, held by a process, as the far end of a cable.
class FarEnd {
 public:
  FarEnd() {
    int ready[2];
    if (::pipe(ready) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      const bool made = ::unshare(CLONE_NEWNET) == 0 && ::write(ready[1], "x", 1) == 1;
      while (made) ::pause();
      ::_exit(1);
    }
    ::close(ready[1]);
    char byte = 0;
    ready_ = ::read(ready[0], &byte, 1) == 1;
    ::close(ready[0]);
  }
  ~FarEnd() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  }
  FarEnd(const FarEnd&) = delete;
  FarEnd& operator=(const FarEnd&) = delete;
  bool ready() const { return ready_; }
  std::string pid() const { return std::to_string(pid_); }
  std::string Enter(const std::string& command) const { return "nsenter -t " + pid() + " -n " + command; }

 private:
  pid_t pid_ = -1;
  bool ready_ = false;
};

bool Shell(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

// Runs the test on a thread in a network namespace of its own: other threads and the machine notice nothing.
void InOwnNetwork(const std::function<void()>& test) {
  if (::geteuid() != 0) GTEST_SKIP() << "making a network namespace needs root";
  bool possible = true;
  std::thread([&] {
    possible = ::unshare(CLONE_NEWNET) == 0 && Shell("ip link set lo up") &&
               Shell("ip link add near type veth peer name far") && Shell("nsenter --version");
    if (possible) test();
  }).join();
  if (!possible) GTEST_SKIP() << "this machine permits no network namespaces, or lacks ip and nsenter";
}

class Watcher {
 public:
  explicit Watcher(boost::asio::io_context& io)
      : io_(io), network_(RtnetlinkConnectivity::Create(io.get_executor()).value()) {
    subscription_ = network_->OnChange([this](const NetworkState& state) {
      ++changes;
      EXPECT_EQ(state, network_->current());
    });
  }
  const NetworkState& state() const { return network_->current(); }
  void RunUntil(const std::function<bool(const NetworkState&)>& condition) {
    while (!condition(state())) ASSERT_EQ(io_.run_one(), 1U);
  }
  void RunWhatIsReady() {
    while (io_.poll() > 0) {
    }
  }
  int changes = 0;

 private:
  boost::asio::io_context& io_;
  std::unique_ptr<RtnetlinkConnectivity> network_;
  ConnectivityObserver::Subscription subscription_;
};

TEST(Rtnetlink, SeesThePresentStateWhenMade) {
  InOwnNetwork([] {
    boost::asio::io_context io;
    EXPECT_FALSE(Watcher(io).state().online);
    ASSERT_TRUE(Shell("ip addr add 10.9.0.1/24 dev near && ip link set near up && ip link set far up"));
    Watcher after(io);
    EXPECT_TRUE(after.state().online);
    EXPECT_EQ(after.state().interface_name, "near");
    EXPECT_EQ(after.state().type, "ethernet");
    EXPECT_EQ(after.changes, 0);
  });
}

TEST(Rtnetlink, IsOnlineWithALinkThatIsUpAndHasARoute) {
  InOwnNetwork([] {
    boost::asio::io_context io;
    Watcher network(io);
    ASSERT_TRUE(Shell("ip link set near up"));  // no carrier yet
    ASSERT_TRUE(Shell("ip addr add 10.9.0.1/24 dev near"));
    network.RunWhatIsReady();
    EXPECT_FALSE(network.state().online);
    ASSERT_TRUE(Shell("ip link set far up"));
    network.RunUntil([](const NetworkState& state) { return state.online; });
    EXPECT_EQ(network.changes, 1);
    ASSERT_TRUE(Shell("ip link set far down"));
    network.RunUntil([](const NetworkState& state) { return !state.online; });
    EXPECT_EQ(network.state().type, "none");
    ASSERT_TRUE(Shell("ip link set far up"));
    network.RunUntil([](const NetworkState& state) { return state.online; });
    ASSERT_TRUE(Shell("ip addr del 10.9.0.1/24 dev near"));
    network.RunUntil([](const NetworkState& state) { return !state.online; });
  });
}

TEST(Rtnetlink, LinkLocalAddressesAreNoNetwork) {
  InOwnNetwork([] {
    boost::asio::io_context io;
    Watcher network(io);
    ASSERT_TRUE(Shell("ip addr add 169.254.7.7/16 dev near && ip link set near up && ip link set far up"));
    network.RunWhatIsReady();
    EXPECT_FALSE(network.state().online);
    EXPECT_EQ(network.changes, 0);
  });
}

TEST(Rtnetlink, FindsOutTheGatewaysHardwareAddressByItself) {
  InOwnNetwork([] {
    const FarEnd gateway;
    ASSERT_TRUE(gateway.ready());
    ASSERT_TRUE(Shell("ip link set far netns " + gateway.pid()));
    ASSERT_TRUE(Shell(gateway.Enter("ip link set far address 02:00:00:00:00:fe")));
    ASSERT_TRUE(Shell(gateway.Enter("ip addr add 10.9.0.254/24 dev far")));
    ASSERT_TRUE(Shell(gateway.Enter("ip link set far up")));
    boost::asio::io_context io;
    Watcher network(io);
    ASSERT_TRUE(Shell("ip addr add 10.9.0.1/24 dev near && ip link set near up"));
    ASSERT_TRUE(Shell("ip route add default via 10.9.0.254"));
    network.RunUntil([](const NetworkState& state) { return !state.network_id.empty(); });
    EXPECT_TRUE(network.state().online);
    EXPECT_EQ(network.state().network_id, "gw:02:00:00:00:00:fe");
    ASSERT_TRUE(Shell("ip route del default"));
    network.RunUntil([](const NetworkState& state) { return state.network_id.empty(); });
    EXPECT_TRUE(network.state().online);
  });
}

TEST(Rtnetlink, TheDefaultRouteNamesTheNetwork) {
  InOwnNetwork([] {
    ASSERT_TRUE(
        Shell("ip link add second type veth peer name second-far && ip link set second-far up && ip link set "
              "far up"));
    ASSERT_TRUE(Shell("ip addr add 10.9.0.1/24 dev near && ip link set near up"));
    ASSERT_TRUE(Shell("ip addr add 10.8.0.1/24 dev second && ip link set second up"));
    ASSERT_TRUE(Shell("ip neigh add 10.8.0.9 lladdr 02:00:00:00:00:09 dev second nud permanent"));
    boost::asio::io_context io;
    Watcher network(io);
    ASSERT_TRUE(Shell("ip route add default via 10.8.0.9"));
    network.RunUntil([](const NetworkState& state) {
      return state.interface_name == "second" && !state.network_id.empty();
    });
    EXPECT_EQ(network.state().network_id, "gw:02:00:00:00:00:09");
    ASSERT_TRUE(Shell("ip link del second"));
    network.RunUntil([](const NetworkState& state) { return state.interface_name == "near"; });
    EXPECT_EQ(network.state().network_id, "");
  });
}

}  // namespace
}  // namespace vigil::net
