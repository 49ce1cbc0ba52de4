#include "host/zygote.h"

#include <algorithm>
#include <utility>

#include "host/zygote_process.h"

namespace vigil::host {
namespace asio = boost::asio;

std::filesystem::path Zygote::DefaultExecutable() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / "vigil-worker";
}

Zygote::Zygote(asio::any_io_executor executor, ZygoteOptions options, Handlers handlers)
    : executor_(std::move(executor)),
      options_(std::move(options)),
      handlers_(std::move(handlers)),
      pause_(executor_) {
  if (options_.executable.empty()) options_.executable = DefaultExecutable();
}

Zygote::~Zygote() {
  for (auto& process : {current_, next_}) {
    if (process) process->Close();
  }
  for (auto& process : retired_) process->Close();
}

int Zygote::pid() const { return current_ ? current_->pid() : 0; }

void Zygote::Stop() {
  stopped_ = true;
  pause_.cancel();
}

asio::awaitable<Result<>> Zygote::Start() {
  auto current = co_await Current();
  if (!current) co_return Fail(current.error());
  co_return Result<>();
}

Result<Zygote::ProcessPtr> Zygote::Launch() {
  ZygoteProcess::Handlers handlers;
  handlers.ready = [this](const ZygoteProcess& process) { v8_version_ = process.v8_version(); };
  handlers.died = [this](const ZygoteProcess& process) { OnDeath(process); };
  handlers.child_exited = handlers_.exited;
  handlers.child_lost = handlers_.lost;
  auto process = std::make_shared<ZygoteProcess>(executor_, std::move(handlers));
  VIGIL_TRY(process->Launch(options_.executable));
  return process;
}

asio::awaitable<Result<Zygote::ProcessPtr>> Zygote::Current() {
  Renew();
  if (!current_ || !current_->alive()) {
    auto paused = co_await Pause();
    if (!paused) co_return Fail(paused.error());
  }
  // Somebody else may have started it while this one paused.
  if (!current_ || !current_->alive()) {
    auto launched = Launch();
    if (!launched) co_return Fail(launched.error());
    current_ = *launched;
  }
  auto process = current_;
  auto ready = co_await process->Ready();
  if (!ready) co_return Fail(ready.error());
  co_return process;
}

asio::awaitable<Result<>> Zygote::Pause() {
  if (!pausing_ && !stopped_ && Steady::now() < not_before_) {
    pausing_.emplace(executor_);
    pause_.expires_at(not_before_);
    pause_.async_wait([over = *pausing_](const boost::system::error_code&) { over.Set(true); });
  }
  if (pausing_) {
    auto over = *pausing_;
    co_await over.Get();
    pausing_.reset();
  }
  if (stopped_) co_return Fail(ErrorCode::kUnavailable, "no worker can be started: Vigil is stopping");
  co_return Result<>();
}

void Zygote::OnDeath(const ZygoteProcess& process) {
  if (process.age() > options_.quick_death) {
    quick_deaths_ = 0;
    return;
  }
  auto pause = options_.first_pause;
  for (int i = 0; i < quick_deaths_ && pause < options_.last_pause; ++i) pause *= 2;
  ++quick_deaths_;
  not_before_ = Steady::now() + std::min(pause, options_.last_pause);
}

bool Zygote::Worn(const ZygoteProcess& process) const {
  return (options_.max_forks > 0 && process.forks() >= options_.max_forks) ||
         (options_.max_age.count() > 0 && process.age() >= options_.max_age);
}

void Zygote::Renew() {
  if (next_ && !next_->alive()) next_ = nullptr;
  if (next_ && next_->warm()) {
    if (current_) retired_.push_back(std::move(current_));
    current_ = std::exchange(next_, nullptr);
  } else if (!next_ && current_ && current_->warm() && Worn(*current_) && Steady::now() >= not_before_) {
    // Should it not start, the old one goes on: better a worn layout than no workers.
    if (auto launched = Launch()) next_ = *launched;
  }
  std::erase_if(retired_, [](const auto& process) {
    bool done = !process->alive() || process->idle();
    if (done) process->Close();
    return done;
  });
}

asio::awaitable<Result<ForkedChild>> Zygote::Fork(std::string title, bool spare) {
  ipc::ToZygote::Fork order;
  order.set_title(title.substr(0, 15));
  order.set_spare(spare);
  *order.mutable_limits() = options_.limits;
  // The second time is for the zygote that died since the last fork: that is noticed only now.
  Result<ForkedChild> child;
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto process = co_await Current();
    if (!process) co_return Fail(process.error());
    auto keep = *process;
    child = co_await keep->Fork(order);
    if (child) co_return child;
  }
  co_return child;
}

}  // namespace vigil::host
