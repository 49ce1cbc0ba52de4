// Pages: window clients without a screen. Opens them (navigation, possibly through a service worker), runs
// their scripts, knows who controls them. Event-loop thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/context.h"
#include "host/processes.h"

namespace vigil::host {

class Pages {
 public:
  explicit Pages(HostContext& context) : context_(context) {}

  boost::asio::awaitable<Result<OpenedPage>> Open(std::string url, PageOptions options, ConsoleSink console);
  // Opens a page that stays (of the options only launched and link count) and returns it once its own scripts
  // have run.
  boost::asio::awaitable<Result<std::shared_ptr<Page>>> OpenClient(std::string url, PageOptions options,
                                                                   ConsoleSink console);
  // HTML §7.4 "navigate": another page takes that one's place. An empty URL reloads it.
  boost::asio::awaitable<Result<std::shared_ptr<Page>>> Navigate(std::shared_ptr<Page> from, std::string url);
  boost::asio::awaitable<Result<EvaluateOutcome>> Evaluate(std::shared_ptr<Page> page, std::string code,
                                                           std::string name);
  // Waits until the page has nothing under way that we know of: requests, registration jobs. Bounded.
  boost::asio::awaitable<void> Settle(std::shared_ptr<Page> page);
  void Close(const std::shared_ptr<Page>& page);
  // The same, wherever its scripts have navigated to.
  void CloseWindow(const Page& page);
  // See Host::InputToPage. The page is alive.
  bool Input(Page& page, std::string kind);

  std::shared_ptr<Page> ById(const std::string& client_id) const;
  // The page of that id, or the one that has its place by now.
  std::shared_ptr<Page> InWindow(const std::string& id) const;
  // In the order in which they were opened.
  std::vector<std::shared_ptr<Page>> OfOrigin(const std::string& origin) const;  // empty: all
  PageView View(const Page& page) const;
  ipc::ClientInfo ClientInfo(const Page& page) const;

  int CountControlledBy(const Version& version) const;
  // Pages controlled by previous get next (null: none).
  void ReplaceController(const std::shared_ptr<Version>& previous, const std::shared_ptr<Version>& next,
                         const Registration& registration);
  // clients.claim()
  void Claim(const std::shared_ptr<Version>& version, const Registration& registration);

  // From Processes' handlers.
  void OnConsole(const Page& page, const ipc::Console& line);
  void OnDocument(Page& page, const ipc::DocumentInfo& document);
  void OnEnded(const std::shared_ptr<Page>& page, const ExitReport& report);

 private:
  boost::asio::awaitable<Result<std::shared_ptr<Page>>> Load(std::shared_ptr<Page> page,
                                                             std::shared_ptr<Page> replaced,
                                                             std::string html);
  boost::asio::awaitable<Result<>> Run(std::shared_ptr<Page> page, std::shared_ptr<Page> replaced,
                                       std::string html);
  void SetController(const std::shared_ptr<Page>& page, const std::shared_ptr<Version>& version,
                     const Registration& registration);
  void Forget(const std::shared_ptr<Page>& page);
  bool Full() const {
    const std::int64_t most = context_.options.caps.pages;
    return most > 0 && pages_.size() >= static_cast<std::size_t>(most);
  }
  void TellWindowCount(const std::string& origin);

  HostContext& context_;
  std::map<std::string, std::shared_ptr<Page>> pages_;
  std::uint64_t opened_ = 0;
};

}  // namespace vigil::host
