#include "daemon/daemon.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/log.h"
#include "net/http_cache_disk.h"
#include "net/rtnetlink.h"
#include "net/trust_roots.h"
#include "server/access.h"
#include "ui/bundle.h"

namespace vigil::daemon {
namespace asio = boost::asio;
namespace {

// Where the panel is served when nobody said where: any free port.
constexpr const char* kPanelAddress = "127.0.0.1:0";

// A virtual clock's monotonic time: anything but 0, which means "never" in places.
constexpr MonoTime kVirtualMonoStart{Duration(1'000'000)};

host::Caps CapsFrom(const Parameters& parameters) {
  host::Caps caps;
  caps.requests = parameters.worker_max_requests;
  caps.request_bytes = parameters.worker_max_request_bytes;
  caps.fetches = parameters.worker_max_fetches;
  caps.fetches_per_event = parameters.event_max_fetches;
  caps.messages = parameters.worker_max_messages;
  caps.message_bytes = parameters.worker_max_message_bytes;
  caps.console_lines = parameters.worker_max_console_lines;
  caps.console_lines_per_second = parameters.worker_console_lines_per_second;
  caps.notifications = parameters.origin_max_notifications;
  caps.notification_bytes = parameters.max_notification_bytes;
  caps.service_workers = parameters.origin_max_service_workers;
  caps.quota_bytes = parameters.origin_quota_bytes;
  caps.pages = parameters.max_pages;
  return caps;
}

// Of the header, and of what scripts are told.
std::string UserAgent() { return fmt::format("Mozilla/5.0 (X11; Linux x86_64) Vigil/{}", Version()); }

host::HostOptions HostOptionsFrom(const Parameters& parameters, const ServeOptions& options,
                                  const std::filesystem::path& storage_directory) {
  host::HostOptions host;
  host.storage_directory = storage_directory;
  host.user_agent = UserAgent();
  host.start_limit = parameters.worker_start_limit;
  host.install_start_limit = parameters.new_worker_start_limit;
  host.event_limit = parameters.event_limit;
  host.sync_event_limit = parameters.sync_event_limit;
  host.idle_stop = parameters.worker_idle_stop;
  host.heap_bytes = static_cast<std::uint64_t>(parameters.worker_heap_bytes);
  host.array_buffer_bytes = static_cast<std::uint64_t>(parameters.worker_array_buffer_bytes);
  host.cpu_seconds = static_cast<std::uint64_t>(
      std::chrono::ceil<std::chrono::seconds>(parameters.worker_cpu_limit).count());
  host.caps = CapsFrom(parameters);
  host.zygote_max_forks = parameters.zygote_max_forks;
  host.zygote_max_age = parameters.zygote_max_age;
  host.test_natives = options.test_natives;
  return host;
}

server::Documents PanelDocuments() {
  server::Documents documents;
  for (std::size_t i = 0; i < vigil_ui_file_count; ++i) {
    const vigil_ui_file& file = vigil_ui_files[i];
    documents.push_back({file.path, file.content_type, std::string_view(file.data, file.size)});
  }
  return documents;
}

}  // namespace

Daemon::Daemon(ServeOptions options, const Parameters& parameters, store::DataDirectory directory)
    : options_(std::move(options)), parameters_(parameters), directory_(std::move(directory)) {}

Daemon::~Daemon() = default;

Result<> Daemon::Run() {
  Result<> result = Fail(ErrorCode::kInternal, "the daemon ended without saying why");
  asio::co_spawn(
      loop_, [this] { return Main(); },
      [&](std::exception_ptr exception, Result<> ended) {
        if (exception) {
          try {
            std::rethrow_exception(exception);
          } catch (const std::exception& error) {
            result = Fail(ErrorCode::kInternal, fmt::format("internal error: {}", error.what()));
          }
        } else {
          result = std::move(ended);
        }
        loop_.stop();
      });
  loop_.run();
  return result;
}

asio::awaitable<Result<>> Daemon::Main() {
  // From the start on: a signal that comes while the daemon starts stops it as soon as it runs.
  asio::signal_set signals(loop_, SIGTERM, SIGINT, SIGHUP);
  storage_.emplace();
  // Only a virtual clock asks; waking up the loop after each job costs as much as many a job.
  if (options_.virtual_clock) {
    storage_->OnIdle([this] {
      asio::post(loop_, [this] {
        if (clock_) clock_->NoteQuiescence();
      });
    });
  }
  auto step = co_await OpenStores();
  if (step) step = co_await MakeClock();
  if (step) step = co_await MakeNetwork();
  if (!step) co_return step;
  policy_.emplace(parameters_, *clock_, *storage_, *stores_);
  step = co_await policy_->Load();
  if (step) step = co_await LoadCookies();
  if (!step) co_return step;
  policy_->SetNetwork(network_->current());
  MakeHost();
  step = co_await host_->Start();
  // Nothing may fire before it is sure that this daemon can be reached.
  if (step) step = Listen();
  if (step) step = co_await driver_->Start();
  if (step) {
    std::string where = (directory_.path() / "vigil.sock").string();
    if (!listening_.empty()) where += " and http://" + listening_;
    if (!devtools_.empty()) where += ", developer tools on " + devtools_;
    fmt::print("vigil: ready on {} (process {}{}{})\n", where, ::getpid(),
               options_.virtual_clock ? ", virtual clock" : "",
               options_.manual_network ? ", manual network" : "");
    std::fflush(stdout);
    boost::system::error_code error;
    co_await signals.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
  // A second signal ends the process the hard way.
  signals.clear();
  co_await Stop();
  co_return step;
}

asio::awaitable<Result<>> Daemon::OpenStores() {
  const auto open = [path = directory_.path()] {
    return std::make_shared<Result<std::unique_ptr<store::Stores>>>(store::Stores::Open(path));
  };
  auto stores = co_await storage_->Run(open);
  if (!*stores) co_return Fail(std::move(*stores).error());
  stores_ = std::move(**stores);
  co_return Result<>();
}

asio::awaitable<Result<>> Daemon::MakeClock() {
  if (!options_.virtual_clock) {
    clock_ = std::make_unique<host::RealClock>(loop_);
  } else {
    // Starts at the real present, and never before the end of what was advanced earlier.
    const auto read = [&stores = *stores_] { return stores.settings.Get(control::kVirtualWallSetting); };
    auto stored = co_await storage_->Run(read);
    if (!stored) co_return Fail(std::move(stored).error());
    Now start;
    start.mono = kVirtualMonoStart;
    start.wall = std::chrono::floor<Duration>(std::chrono::system_clock::now());
    std::int64_t last = 0;
    if (*stored) std::from_chars((*stored)->data(), (*stored)->data() + (*stored)->size(), last);
    start.wall = std::max(start.wall, WallTime(Duration(last)));
    auto clock = std::make_unique<host::VirtualClock>(loop_, start);
    virtual_clock_ = clock.get();
    clock_ = std::move(clock);
  }
  storage_quiescence_.emplace(*clock_, *storage_);
  feed_.emplace(*clock_);
  co_return Result<>();
}

Result<net::HttpClientOptions> Daemon::HttpOptions() const {
  net::HttpClientOptions http;
  http.user_agent = UserAgent();
  http.spill_directory = directory_.path() / "storage";
  http.proxies = net::Proxies::FromEnvironment();
  http.max_requests_per_party = static_cast<std::size_t>(parameters_.origin_max_connections);
  for (const std::string& entry : options_.resolve) VIGIL_TRY(http.hosts.Add(entry));
  if (!options_.ca_file.empty()) {
    VIGIL_TRY(net::CheckTrustRoots(options_.ca_file));
    http.ca_file = options_.ca_file.string();
  }
  return http;
}

asio::awaitable<Result<>> Daemon::MakeNetwork() {
  std::unique_ptr<net::ConnectivityObserver> source;
  if (options_.manual_network) {
    source = std::make_unique<net::ManualConnectivity>();
  } else {
    auto kernel = net::RtnetlinkConnectivity::Create(loop_.get_executor());
    if (!kernel) co_return Fail(std::move(kernel).error());
    source = std::move(*kernel);
  }
  network_.emplace(std::move(source));
  const auto read = [&stores = *stores_] { return stores.settings.Get(control::kNetworkModeSetting); };
  auto mode = co_await storage_->Run(read);
  if (!mode) co_return Fail(std::move(mode).error());
  if (*mode && **mode == "offline") network_->SetMode(net::SwitchableConnectivity::Mode::kOffline);
  if (*mode && **mode == "online") network_->SetMode(net::SwitchableConnectivity::Mode::kOnline);

  auto http = HttpOptions();
  if (!http) co_return Fail(std::move(http).error());
  net::WebSocketOptions sockets;
  sockets.http = *http;
  http_.emplace(loop_.get_executor(), std::move(*http));
  net::FetcherOptions fetcher;
  fetcher.wall_now = [this] { return clock_->now().wall; };
  net::DiskHttpCacheOptions cache;
  cache.directory = directory_.path() / "http-cache";
  cache.run_blocking = [this](std::function<void()> job) { storage_->Post(std::move(job)); };
  fetcher.cache = net::OpenDiskHttpCache(loop_.get_executor(), std::move(cache));
  fetcher_.emplace(loop_.get_executor(), *http_, *network_, std::move(fetcher));
  fetch_quiescence_.emplace(*clock_, *fetcher_);
  sockets.wall_now = [this] { return clock_->now().wall; };
  web_sockets_.emplace(loop_.get_executor(), *fetcher_, *network_, std::move(sockets));
  web_socket_quiescence_.emplace(*clock_, *web_sockets_);
  network_subscription_ = network_->OnChange([this](const net::NetworkState& state) {
    http_->ForgetConnections();
    if (policy_) policy_->SetNetwork(state);
    changes_.Note();
  });
  co_return Result<>();
}

asio::awaitable<Result<>> Daemon::LoadCookies() {
  const auto read = [&stores = *stores_] { return stores.cookies.All(); };
  auto cookies = co_await storage_->Run(read);
  if (!cookies) co_return Fail(std::move(cookies).error());
  for (const auto& stored : *cookies) {
    if (auto cookie = net::Cookie::Deserialize(stored.value))
      fetcher_->JarOf(stored.jar).Restore(std::move(*cookie));
  }
  fetcher_->OnCookieChange([this](const std::string& jar, const net::Cookie& cookie, bool removed) {
    store::StoredCookie stored;
    stored.jar = jar;
    stored.key = cookie.Key();
    stored.value = cookie.Serialize();
    storage_->Post([&stores = *stores_, stored, removed] {
      const std::vector<store::StoredCookie> one(1, stored);
      const std::vector<store::StoredCookie> none;
      const auto applied = stores.cookies.Apply(removed ? none : one, removed ? one : none);
      if (!applied) log::Warning("cannot store a cookie of {}: {}", stored.jar, applied.error().message);
    });
  });
  co_return Result<>();
}

void Daemon::MakeHost() {
  host::HostDependencies host{loop_,         *clock_,   *storage_, *stores_, *fetcher_,
                              *web_sockets_, *network_, *policy_,  *policy_, *policy_};
  host_.emplace(host, HostOptionsFrom(parameters_, options_, directory_.path() / "storage"));
  monitor_.emplace(*host_, *feed_, metrics_, [this](std::uint64_t id) {
    for (const auto& registration : host_->Registrations()) {
      if (registration.id == id) return registration.origin;
    }
    return std::string();
  });
  host::SyncDriverDependencies driver{loop_,
                                      *clock_,
                                      *storage_,
                                      stores_->registrations,
                                      stores_->events,
                                      *monitor_,
                                      Ports{policy_->state(), policy_->state(), random_}};
  driver_.emplace(driver, parameters_);
  driver_->OnEvents([this](const std::vector<store::LoggedEvent>& events) { feed_->Events(events); });
  driver_->OnChange([this] { changes_.Note(); });
  driver_->OnRecordingEnded([this](store::Service service) {
    store::Recording off;
    off.service = service;
    feed_->Recording(off);
  });
  host_->SetSyncService(*driver_);
  host_->SetConsoleSink([this](const host::ConsoleLine& line) { feed_->Console(line); });
  host_->SetReportSink([this](const host::HostReport& report) {
    log::Warning("{}", report.text);
    feed_->Report(report);
  });
  policy_->Connect(*host_, *driver_);
}

control::Services Daemon::MakeServices() {
  return control::Services{loop_,
                           *clock_,
                           virtual_clock_,
                           *storage_,
                           *stores_,
                           *host_,
                           *driver_,
                           *network_,
                           *fetcher_,
                           *policy_,
                           *feed_,
                           changes_,
                           metrics_,
                           parameters_,
                           Version(),
                           directory_.path(),
                           options_.manual_network ? "manual" : "auto",
                           [this] { return OpenPanel(); },
                           [this] { return OpenFrontEnd(); }};
}

Result<std::string> Daemon::Token() const {
  const std::filesystem::path path = directory_.File("token");
  std::ifstream existing(path);
  std::string token;
  if (existing && std::getline(existing, token) && token.size() >= 32) return token;
  VIGIL_ASSIGN(token, server::MakeToken());
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const std::string line = token + "\n";
  const bool written =
      file >= 0 && ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  const int error = errno;
  if (file >= 0) ::close(file);
  if (!written)
    return Fail(ErrorCode::kIo,
                fmt::format("cannot write the access token to {}: {}", path.string(), std::strerror(error)));
  return token;
}

server::Served Daemon::Served() const {
  return {&api_->router(), &api_->sockets(), &documents_, &front_end_};
}

Result<> Daemon::Listen() {
  api_.emplace(MakeServices());
  server_.emplace(loop_);
  documents_ = PanelDocuments();
  if (!options_.listen.empty()) VIGIL_TRY(ListenLoopback(options_.listen));
  if (!options_.devtools.empty()) VIGIL_TRY(ListenDevTools());
  return server_->ListenUnix(directory_.File("vigil.sock"), Served());
}

Result<> Daemon::ListenLoopback(const std::string& address) {
  server::Server::Loopback where{address, "--listen", {}, Served()};
  VIGIL_ASSIGN(where.guard.token, Token());
  VIGIL_ASSIGN(listening_, server_->ListenLoopback(std::move(where)));
  return {};
}

// Debuggers cannot send a token. Web pages are told apart by their Origin, and programs of this machine that
// can reach the port are trusted, as whoever opens it decides.
Result<> Daemon::ListenDevTools() {
  api_->devtools().AddRoutes(devtools_router_, devtools_sockets_, [this] {
    return control::PanelAccess{devtools_, {}};
  });
  server::Server::Loopback where{options_.devtools, "--devtools", {}, {}};
  where.served.router = &devtools_router_;
  where.served.sockets = &devtools_sockets_;
  where.guard.devtools = true;
  VIGIL_ASSIGN(devtools_, server_->ListenLoopback(std::move(where)));
  return {};
}

Result<control::PanelAccess> Daemon::OpenPanel() {
  if (listening_.empty()) VIGIL_TRY(ListenLoopback(kPanelAddress));
  control::PanelAccess access;
  access.address = listening_;
  VIGIL_ASSIGN(access.token, Token());
  return access;
}

Result<control::PanelAccess> Daemon::OpenFrontEnd() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto folder = program.parent_path().parent_path() / "share" / "vigil" / "devtools";
  auto files = server::DocumentFolder::Open("/devtools/front_end", folder);
  if (!files) {
    return Fail(
        ErrorCode::kNotFound,
        fmt::format("the front end of the developer tools is not installed in {}; Chrome's own works with "
                    "`vigil serve --devtools 127.0.0.1:9222` and chrome://inspect",
                    folder.string()));
  }
  front_end_ = std::move(*files);
  return OpenPanel();
}

asio::awaitable<void> Daemon::Stop() {
  driver_->Stop();
  if (server_) co_await server_->Stop();
  co_await host_->Stop();
  // What was posted before is written when this comes back.
  const auto nothing = [] {};
  co_await storage_->Run(nothing);
}

}  // namespace vigil::daemon
