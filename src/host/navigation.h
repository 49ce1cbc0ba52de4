// Navigations: where a page's document comes from. Each hop goes to the service worker whose scope it is in,
// and what that leaves alone to the network (HTML §7.4.5, "create navigation params by fetching"; Service
// Workers "Handle Fetch"). Event-loop thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "base/result.h"
#include "host/context.h"
#include "host/fetch_router.h"

namespace vigil::host {

struct NavigationStart {
  std::string url;
  std::string from;  // the document that navigates; empty: the user does
  bool reload = false;
};
struct NavigatedDocument {
  std::string url;
  std::string client_id;
  std::string html;
};

class DocumentNavigation {
 public:
  static constexpr std::size_t kMaxDocumentBytes = std::size_t{32} << 20;
  static constexpr int kMaxRedirects = 20;

  explicit DocumentNavigation(HostContext& context) : context_(context) {}

  // An error says why there is no page: a network error, a status that is none of success, another type.
  boost::asio::awaitable<Result<NavigatedDocument>> Go(NavigationStart start);

 private:
  // What one hop led to: a document, or another address.
  struct Hop {
    ipc::HttpResponse head;
    std::string body;
    std::string location;
  };
  boost::asio::awaitable<void> ForceUpdate(std::shared_ptr<Registration> registration);
  boost::asio::awaitable<Result<Hop>> Ask(NavigationStart start, std::string client_id);
  boost::asio::awaitable<Result<Hop>> AskNetwork(const NavigationStart& start);
  boost::asio::awaitable<Result<Hop>> Read(FetchRouter::Answer answer);

  HostContext& context_;
};

}  // namespace vigil::host
