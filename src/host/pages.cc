#include "host/pages.h"

#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "base/utf8.h"
#include "host/apps.h"
#include "host/jobs.h"
#include "host/lifecycle.h"
#include "host/navigation.h"
#include "host/registry.h"
#include "host/runner.h"
#include "net/url.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {
// Real time: for how long a page that was opened only to run its own scripts may have work under way.
constexpr auto kSettleLimit = std::chrono::seconds(10);
constexpr std::size_t kMaxTitleBytes = 500;
constexpr std::size_t kMaxUrlBytes = std::size_t{2} << 20;  // as in Chromium
}  // namespace

// ----------------------------------------------------------------------------------------------------
// opening
asio::awaitable<Result<OpenedPage>> Pages::Open(std::string url, PageOptions options, ConsoleSink console) {
  PageOptions how;
  how.launched = options.launched;
  how.link = options.link;
  auto opened = co_await OpenClient(std::move(url), std::move(how), std::move(console));
  if (!opened) co_return Fail(opened.error());
  auto page = *opened;
  page->kept = options.keep;
  if (options.opened) options.opened(page->id);
  OpenedPage result;
  if (!options.script.empty()) {
    std::string name = options.script_name.empty() ? "script" : options.script_name;
    auto evaluated = co_await Evaluate(page, options.script, name);
    if (!evaluated) {
      CloseWindow(*page);
      co_return Fail(evaluated.error());
    }
    result.script = *evaluated;
  } else if (!options.keep) {
    co_await Settle(page);
  }
  if (auto now = InWindow(page->window)) page = now;
  result.page = View(*page);
  if (!options.keep) CloseWindow(*page);
  co_return result;
}

asio::awaitable<Result<std::shared_ptr<Page>>> Pages::OpenClient(std::string url, PageOptions options,
                                                                 ConsoleSink console) {
  if (Full()) {
    co_return Fail(
        ErrorCode::kUnavailable,
        fmt::format("{} pages are open already: close some (see `vigil page list`)", pages_.size()));
  }
  NavigationStart start;
  start.url = std::move(url);
  auto document = co_await DocumentNavigation(context_).Go(std::move(start));
  if (!document) co_return Fail(document.error());
  auto page = std::make_shared<Page>();
  page->id = page->window = document->client_id;
  page->url = document->url;
  page->origin = net::Url::Parse(document->url)->Origin();
  page->kept = true;
  if (console) {
    page->console = [console, origin = page->origin, id = page->id](std::string level, std::string text,
                                                                    std::string source) {
      ConsoleLine line;
      line.level = std::move(level);
      line.text = std::move(text);
      line.source = std::move(source);
      line.origin = origin;
      line.client_id = id;
      console(line);
    };
  }
  bool in_app = context_.apps->IsLaunchUrl(page->url);
  context_.deps.engagement.PageOpened(page->id, page->origin,
                                      options.link ? Navigation::kLink : Navigation::kChosen);
  if (options.launched || (in_app && !options.link)) context_.deps.engagement.AppLaunched(page->origin);
  co_return co_await Load(page, nullptr, std::move(document->html));
}

asio::awaitable<Result<std::shared_ptr<Page>>> Pages::Navigate(std::shared_ptr<Page> from, std::string url) {
  const std::uint64_t turn = ++from->navigations;
  NavigationStart start;
  start.reload = url.empty();
  start.url = url.empty() ? from->url : std::move(url);
  start.from = from->url;
  auto document = co_await DocumentNavigation(context_).Go(std::move(start));
  if (!document) co_return Fail(document.error());
  if (!pages_.contains(from->id) || from->navigations != turn) {
    co_return Fail(ErrorCode::kAborted, "the page was closed, or went elsewhere meanwhile");
  }
  auto page = std::make_shared<Page>();
  page->id = document->client_id;
  page->window = from->window;
  page->url = document->url;
  page->origin = net::Url::Parse(document->url)->Origin();
  page->kept = from->kept;
  page->visible = from->visible;
  page->console = from->console;
  if (page->origin == from->origin) page->session_storage = from->session_storage;
  context_.deps.engagement.PageOpened(page->id, page->origin, Navigation::kLink);
  co_return co_await Load(page, from, std::move(document->html));
}

// Until the page's own scripts have run, or those of the page that they lead to.
asio::awaitable<Result<std::shared_ptr<Page>>> Pages::Load(std::shared_ptr<Page> page,
                                                           std::shared_ptr<Page> replaced, std::string html) {
  page->opened = ++opened_;
  auto ran = co_await Run(page, std::move(replaced), std::move(html));
  page->loading = false;
  for (auto& waiting : std::exchange(page->awaiting_load, {})) waiting.Set(true);
  if (ran) {
    if (auto registration = context_.registry->Match(page->url)) context_.jobs->SoftUpdate(registration);
    co_return page;
  }
  Close(page);
  auto next = InWindow(page->window);
  if (!next) co_return Fail(ran.error());
  while (next && next->loading) {
    Waiter<bool> loaded(context_.executor);
    next->awaiting_load.push_back(loaded);
    co_await loaded.Get();
    next = InWindow(page->window);
  }
  if (!next) co_return Fail(ErrorCode::kAborted, fmt::format("the page {} was closed", page->url));
  co_return next;
}

asio::awaitable<Result<>> Pages::Run(std::shared_ptr<Page> page, std::shared_ptr<Page> replaced,
                                     std::string html) {
  pages_.emplace(page->id, page);
  TellWindowCount(page->origin);
  auto registration = context_.registry->Match(page->url);
  if (registration && registration->active) page->controller = registration->active;
  // The controller never is without a client while one of its pages is reloaded.
  if (replaced) Close(std::exchange(replaced, nullptr));
  ProcessOwner owner;
  owner.page = page;
  auto created = co_await context_.processes->Create(std::move(owner), page->origin);
  if (!created) co_return Fail(created.error());
  page->process = *created;
  ipc::Start start = context_.processes->BaseStart(page->origin, page->url);
  start.set_scope(ipc::Start::PAGE);
  auto* info = start.mutable_page();
  info->set_client_id(page->id);
  info->set_html(std::move(html));
  // The registration may have changed while the process was made.
  registration = context_.registry->Match(page->url);
  if (registration) *info->mutable_registration() = Registry::Info(*registration);
  if (page->controller) info->set_controller_version_id(page->controller->id);
  Waiter<StartResult> started(context_.executor);
  page->process->Start(std::move(start), context_.options.install_start_limit, context_.options.answer_limit,
                       [started](StartResult result) { started.Set(std::move(result)); });
  auto result = co_await started.Get();
  if (result.process_died) {
    co_return Fail(ErrorCode::kAborted, fmt::format("the page {} cannot run: {}", page->url, result.error));
  }
  if (!result.ok)
    co_return Fail(ErrorCode::kAborted, fmt::format("the page {} failed: {}", page->url, result.error));
  co_return Result<>();
}

asio::awaitable<Result<EvaluateOutcome>> Pages::Evaluate(std::shared_ptr<Page> page, std::string code,
                                                         std::string name) {
  if (!page->process) co_return Fail(ErrorCode::kUnavailable, "the page has ended");
  Waiter<std::optional<ipc::EvaluateResult>> evaluated(context_.executor);
  page->process->Evaluate(
      std::move(code), std::move(name),
      [evaluated](std::optional<ipc::EvaluateResult> result) { evaluated.Set(std::move(result)); });
  auto result = co_await evaluated.Get();
  if (!result) {
    const auto now = InWindow(page->window);
    co_return Fail(ErrorCode::kAborted,
                   now ? fmt::format("the page {} went to {} before its script ended", page->url, now->url)
                       : fmt::format("the page {} ended before its script did", page->url));
  }
  EvaluateOutcome outcome;
  outcome.ok = result->ok();
  outcome.json = result->json();
  outcome.text = result->text();
  co_return outcome;
}

asio::awaitable<void> Pages::Settle(std::shared_ptr<Page> page) {
  asio::steady_timer pause(context_.executor);
  auto deadline = std::chrono::steady_clock::now() + kSettleLimit;
  // Twice in a row: between an answer and the next request the page has nothing under way for a moment.
  int calm = 0;
  while (calm < 2 && std::chrono::steady_clock::now() < deadline) {
    pause.expires_after(std::chrono::milliseconds(20));
    co_await pause.async_wait(asio::use_awaitable);
    if (!page->process || page->process->doomed()) co_return;
    bool busy = page->process->requests_under_way() > 0 || context_.jobs->HasJobs(page->origin);
    calm = busy ? 0 : calm + 1;
  }
}

// ---------------------------------------------------------------------------------------------------- the
// end
void Pages::Close(const std::shared_ptr<Page>& page) {
  if (page->process) page->process->Kill(ExitReport::Reason::kStopped, "was closed");
  Forget(page);
}

void Pages::CloseWindow(const Page& page) {
  if (auto now = InWindow(page.window)) Close(now);
}

void Pages::Forget(const std::shared_ptr<Page>& page) {
  if (pages_.erase(page->id) == 0) return;
  context_.deps.engagement.PageClosed(page->id);
  TellWindowCount(page->origin);
  if (auto controller = std::exchange(page->controller, nullptr)) context_.lifecycle->ClientGone(controller);
}

void Pages::OnEnded(const std::shared_ptr<Page>& page, const ExitReport& report) {
  bool open = pages_.contains(page->id);
  page->process = nullptr;
  Forget(page);
  bool closed_itself = report.text.find("window.close") != std::string::npos;
  if (!open || closed_itself || report.reason == ExitReport::Reason::kStopped) return;
  std::string text = fmt::format("page {} {}", page->url, report.text);
  if (page->console) page->console("error", text, "vigil");
  context_.Report(page->origin, 0, text);
}

void Pages::TellWindowCount(const std::string& origin) {
  if (!context_.sync) return;
  int count = static_cast<int>(OfOrigin(origin).size());
  context_.sync->WindowClientsChanged(origin, count);
}

bool Pages::Input(Page& page, std::string kind) {
  EngagementSink& engagement = context_.deps.engagement;
  if (kind == "media") return engagement.Media(page.id, page.origin, page.visible);
  bool earned = false;
  if (kind == "show" || kind == "hide") {
    const bool visible = kind == "show";
    if (page.visible == visible) return false;
    page.visible = visible;
    if (visible) engagement.PageShown(page.id);
  } else {
    earned = engagement.Input(page.id, page.origin);
  }
  ipc::ToWorker message;
  message.mutable_input()->set_kind(std::move(kind));
  page.process->Send(std::move(message));
  return earned;
}

void Pages::OnConsole(const Page& page, const ipc::Console& line) {
  if (page.console) page.console(line.level(), line.text(), line.source());
  if (!context_.console_sink) return;
  ConsoleLine shown;
  shown.level = line.level();
  shown.text = line.text();
  shown.source = line.source();
  shown.origin = page.origin;
  shown.client_id = page.id;
  context_.console_sink(shown);
}

void Pages::OnDocument(Page& page, const ipc::DocumentInfo& document) {
  page.title = CutUtf8(document.title(), kMaxTitleBytes);
  page.manifest_url =
      document.manifest_url().size() <= kMaxUrlBytes ? document.manifest_url() : std::string();
  page.document_parsed = true;
}

}  // namespace vigil::host
