#include "host/processes.h"

#include <poll.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <utility>

#include "base/log.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {
std::string RandomBytes(std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    ssize_t n = getrandom(bytes.data() + filled, size - filled, 0);
    if (n > 0) filled += static_cast<std::size_t>(n);
  }
  return bytes;
}

// Real time between a start and the fork of the next spare child, which would only slow that start down.
constexpr auto kRefillDelay = std::chrono::milliseconds(20);

ZygoteOptions ZygoteOptionsFrom(const HostOptions& options) {
  ZygoteOptions zygote;
  zygote.executable = options.worker_executable;
  zygote.limits.set_heap_bytes(options.heap_bytes);
  zygote.limits.set_array_buffer_bytes(options.array_buffer_bytes);
  zygote.limits.set_cpu_seconds(options.cpu_seconds);
  zygote.max_forks = options.zygote_max_forks;
  zygote.max_age = options.zygote_max_age;
  return zygote;
}

// The process's name in ps: what of the origin tells most, in 15 bytes.
std::string Title(const std::string& origin) {
  auto host = origin.substr(origin.find("//") == std::string::npos ? 0 : origin.find("//") + 2);
  return "vw:" + host.substr(0, 12);
}
}  // namespace

std::int64_t RealMonotonicUs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

std::string MakeUuid() {
  std::string bytes = RandomBytes(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string uuid;
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) uuid += '-';
    auto byte = static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
    uuid += kHex[byte >> 4];
    uuid += kHex[byte & 15];
  }
  return uuid;
}

Processes::Processes(HostContext& context)
    : context_(context),
      zygote_(context.executor, ZygoteOptionsFrom(context.options),
              Zygote::Handlers{[this](int pid, int wait_status) { OnExit(pid, wait_status); },
                               [this](int pid) { OnExit(pid, std::nullopt); }}),
      refill_timer_(context.executor) {
  context_.deps.clock.AddQuiescenceSource(this);
  network_subscription_ = context_.deps.network.OnChange([this](const net::NetworkState&) {
    ipc::ToWorker message;
    *message.mutable_network() = Network();
    ForEach({}, [&](WorkerProcess& process, const ProcessOwner&) { process.Send(message); });
  });
}

Processes::~Processes() {
  DropSpare();
  context_.deps.clock.RemoveQuiescenceSource(this);
}

asio::awaitable<Result<>> Processes::Start() {
  auto started = co_await zygote_.Start();
  if (started) RefillSpareLater();
  co_return started;
}

asio::awaitable<void> Processes::StopAll() {
  refill_timer_.cancel();
  zygote_.Stop();
  DropSpare();
  ForEach({}, [](WorkerProcess& process, const ProcessOwner&) {
    process.Kill(ExitReport::Reason::kStopped, "was stopped with Vigil");
  });
  // A killed process is gone in a moment; the bound is for a kernel that cannot let go of one.
  asio::steady_timer pause(context_.executor);
  for (int i = 0; i < 500 && (!entries_.empty() || forks_under_way_ > 0 || refilling_); ++i) {
    pause.expires_after(std::chrono::milliseconds(10));
    co_await pause.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<Result<std::shared_ptr<WorkerProcess>>> Processes::Create(ProcessOwner owner,
                                                                          std::string origin) {
  Result<ForkedChild> child;
  if (auto spare = TakeSpare()) {
    child = *spare;
  } else {
    ++forks_under_way_;
    child = co_await zygote_.Fork(Title(origin));
    --forks_under_way_;
    context_.deps.clock.NoteQuiescence();
  }
  RefillSpareLater();
  if (!child) co_return Fail(child.error());
  std::uint64_t id = ++last_id_;
  auto process = std::make_shared<WorkerProcess>(context_.executor, context_.deps.clock,
                                                 context_.options.caps, id, std::move(origin), *child, *this);
  entries_.emplace(id, Entry{process, std::move(owner)});
  if (auto early = early_exits_.find(child->pid); early != early_exits_.end()) {
    std::optional<int> status = early->second;
    early_exits_.erase(early);
    process->OnExitStatus(status);
  }
  if (context_.stopping) process->Kill(ExitReport::Reason::kStopped, "was stopped with Vigil");
  co_return process;
}

std::optional<ForkedChild> Processes::TakeSpare() {
  if (!spare_) return std::nullopt;
  // Readable: it has ended.
  pollfd state{spare_->pidfd, POLLIN, 0};
  if (poll(&state, 1, 0) != 0) {
    DropSpare();
    return std::nullopt;
  }
  return std::exchange(spare_, std::nullopt);
}

void Processes::RefillSpareLater() {
  if (spare_ || refilling_ || context_.stopping) return;
  refill_timer_.expires_after(kRefillDelay);
  std::weak_ptr<bool> alive = alive_;
  refill_timer_.async_wait([this, alive](const boost::system::error_code& error) {
    if (error || alive.expired() || spare_ || refilling_ || context_.stopping) return;
    refilling_ = true;
    context_.Spawn(RefillSpare());
  });
}

asio::awaitable<void> Processes::RefillSpare() {
  std::string title = "vw:spare";
  auto child = co_await zygote_.Fork(std::move(title), true);
  refilling_ = false;
  // Whoever needs a process will hear of the failure.
  if (!child) co_return;
  DropSpare();
  spare_ = *child;
  if (context_.stopping) DropSpare();
}

// A child without its socket ends by itself.
void Processes::DropSpare() {
  if (!spare_) return;
  close(spare_->socket);
  close(spare_->pidfd);
  spare_.reset();
}

ipc::Start Processes::BaseStart(const std::string& origin, const std::string& url) const {
  ipc::Start start;
  start.set_origin(origin);
  start.set_url(url);
  *start.mutable_clock() = ClockNow();
  *start.mutable_network() = Network();
  start.set_seed(RandomBytes(32));
  start.set_user_agent(context_.options.user_agent);
  for (const auto& language : context_.options.languages) start.add_languages(language);
  start.set_test_natives(context_.options.test_natives);
  return start;
}

ipc::NetworkState Processes::Network() const {
  const net::NetworkState& state = context_.deps.network.current();
  ipc::NetworkState message;
  message.set_online(state.online);
  message.set_type(state.online ? state.type : "none");
  message.set_effective_type("4g");
  message.set_metered(state.metered);
  message.set_downlink_mbps(state.online ? 10 : 0);
  message.set_rtt_ms(state.online ? 50 : 0);
  return message;
}

ipc::ClockState Processes::ClockNow() const {
  ipc::ClockState message;
  if (!context_.deps.clock.is_virtual()) return message;
  Now now = context_.deps.clock.now();
  message.set_virtual_time(true);
  message.set_wall_us(now.wall.time_since_epoch().count());
  message.set_mono_us(now.mono.time_since_epoch().count());
  return message;
}

std::shared_ptr<WorkerProcess> Processes::ById(std::uint64_t id) const {
  auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : found->second.process;
}

const ProcessOwner* Processes::OwnerOf(std::uint64_t process_id) const {
  auto found = entries_.find(process_id);
  return found == entries_.end() ? nullptr : &found->second.owner;
}

void Processes::ForEach(const std::string& origin,
                        const std::function<void(WorkerProcess&, const ProcessOwner&)>& visit) {
  std::vector<Entry> matching;
  for (const auto& [id, entry] : entries_) {
    if (origin.empty() || entry.process->origin() == origin) matching.push_back(entry);
  }
  for (auto& entry : matching) visit(*entry.process, entry.owner);
}

void Processes::SendToOrigin(const std::string& origin, const ipc::ToWorker& message, std::uint64_t except) {
  ForEach(origin, [&](WorkerProcess& process, const ProcessOwner&) {
    if (process.id() != except) process.Send(message);
  });
}

void Processes::OnExit(int pid, std::optional<int> wait_status) {
  for (const auto& [id, entry] : entries_) {
    if (entry.process->pid() != pid) continue;
    auto keep = entry.process;
    return keep->OnExitStatus(wait_status);
  }
  if (spare_ && spare_->pid == pid) return DropSpare();
  if (forks_under_way_ > 0) early_exits_[pid] = wait_status;
}

void Processes::OnProcessMessage(WorkerProcess& process, ipc::ToDaemon message) {
  auto found = entries_.find(process.id());
  if (found == entries_.end()) return;
  ProcessOwner owner = found->second.owner;
  handlers_.message(process, owner, std::move(message));
}

void Processes::OnProcessStarting(WorkerProcess& process) {
  auto found = entries_.find(process.id());
  if (found == entries_.end()) return;
  ProcessOwner owner = found->second.owner;
  handlers_.starting(process, owner);
}

void Processes::OnProcessEnded(WorkerProcess& process, const ExitReport& report) {
  auto found = entries_.find(process.id());
  if (found == entries_.end()) return;
  Entry entry = std::move(found->second);
  entries_.erase(found);
  handlers_.ended(process, entry.owner, report);
}

void Processes::OnProcessIdle(WorkerProcess& process) {
  auto found = entries_.find(process.id());
  if (found == entries_.end()) return;
  ProcessOwner owner = found->second.owner;
  handlers_.idle(process, owner);
}

// ----------------------------------------------------------------------------------------------------
// virtual time
bool Processes::quiescent() const {
  if (forks_under_way_ > 0) return false;
  for (const auto& [id, entry] : entries_) {
    if (!entry.process->quiescent()) return false;
  }
  return true;
}

bool Processes::holds_time() const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const auto& entry) { return entry.second.process->inspector().paused(); });
}

std::optional<MonoTime> Processes::next_timer() const {
  std::optional<MonoTime> earliest;
  for (const auto& [id, entry] : entries_) {
    auto next = entry.process->next_timer();
    if (next && (!earliest || *next < *earliest)) earliest = next;
  }
  return earliest;
}

void Processes::TimeMoved(const Now&) {
  ipc::ToWorker message;
  *message.mutable_clock() = ClockNow();
  ForEach({}, [&](WorkerProcess& process, const ProcessOwner&) { process.Send(message); });
}

}  // namespace vigil::host
