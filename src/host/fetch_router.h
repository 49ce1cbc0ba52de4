// Where the fetches of worker processes go: a page's first to its controller as a fetch event, everything
// else, and what the controller leaves alone, to the network ("Handle Fetch" of the Service Workers
// specification). Event-loop thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/body.h"
#include "host/context.h"
#include "host/processes.h"
#include "host/upload.h"

namespace vigil::host {

class NavigationPreload;

class FetchRouter {
 public:
  // Of a request that a fetch event gets: it is held in memory, since the network may need it after the
  // event.
  static constexpr std::size_t kMaxRequestBody = std::size_t{60} << 20;

  enum class Kind { kResponse, kFallback, kNetworkError };
  struct Answer {
    Kind kind = Kind::kNetworkError;
    ipc::HttpResponse response;        // its body inline, or absent
    std::shared_ptr<BodySource> body;  // when it is a stream
    std::string error;                 // kNetworkError: why
  };
  struct FetchIds {
    std::string client_id, resulting_client_id;
    bool navigation = false;  // a page is opened: nothing that a process could claim
    bool reload = false;
    net::FetchClient client;  // on whose behalf the network may be asked at the same time
  };

  explicit FetchRouter(HostContext& context) : context_(context) {}
  FetchRouter(const FetchRouter&) = delete;
  FetchRouter& operator=(const FetchRouter&) = delete;

  // As the worker's static routes say, else by a fetch event. The request's body is absent or inline.
  boost::asio::awaitable<Answer> Ask(std::shared_ptr<Version> version, ipc::HttpRequest request,
                                     FetchIds ids);

  // A module that a page imports, through the page's controller like any other of its fetches.
  boost::asio::awaitable<ScriptResult<std::shared_ptr<const ScriptResource>>> FetchModule(
      std::shared_ptr<Page> page, ipc::ImportScript wanted);

  // A Request.fetch of a process.
  void OnFetch(WorkerProcess& process, const ProcessOwner& owner, std::uint64_t request_id,
               ipc::HttpRequest request);
  void OnCancel(WorkerProcess& process, std::uint64_t request_id);
  // Where the server redirected a navigation that the worker passed on; empty: nothing is known of it.
  std::string TakeRedirect(const Version& version, const std::string& url);
  void OnProcessEnded(std::uint64_t process_id);

 private:
  using Key = std::pair<std::uint64_t, std::uint64_t>;  // process, request
  struct Running {
    std::shared_ptr<FetchBody> body;  // null while a fetch event decides
    bool keepalive = false;
    std::vector<std::string> redirected_from;  // URLs that the worker answered with redirects
  };
  // fetch_router_event.cc
  boost::asio::awaitable<Answer> AskEvent(std::shared_ptr<Version> version, ipc::HttpRequest request,
                                          FetchIds ids);
  boost::asio::awaitable<Answer> AskCache(std::string origin, ipc::HttpRequest request,
                                          std::optional<std::string> cache_name);
  boost::asio::awaitable<Answer> Race(std::shared_ptr<Version> version, ipc::HttpRequest request,
                                      FetchIds ids);
  std::shared_ptr<NavigationPreload> Preload(const Version& version, const ipc::HttpRequest& request);
  boost::asio::awaitable<Result<std::shared_ptr<net::UploadBody>>> HoldBody(
      std::shared_ptr<BodySource> source, bool controlled, ipc::HttpRequest& request);
  boost::asio::awaitable<void> Route(std::shared_ptr<WorkerProcess> process, ProcessOwner owner,
                                     std::uint64_t request_id, ipc::HttpRequest request);
  void FromNetwork(const std::shared_ptr<WorkerProcess>& process, const ProcessOwner& owner,
                   std::uint64_t request_id, ipc::HttpRequest request,
                   std::shared_ptr<net::UploadBody> upload = nullptr);
  void LetFinish(Key key, std::shared_ptr<FetchBody> body);
  void Reply(WorkerProcess& process, std::uint64_t request_id, ipc::HttpResponse response,
             std::shared_ptr<BodySource> body);
  void ReplyError(WorkerProcess& process, std::uint64_t request_id, const std::string& why);

  HostContext& context_;
  std::map<Key, Running> running_;
  std::map<std::pair<std::uint64_t, std::string>, std::string> redirects_;  // by version and URL
  std::map<Key, std::shared_ptr<FetchBody>> orphans_;  // keepalive fetches whose process has ended
  std::shared_ptr<Spool::Meter> spooled_ = std::make_shared<Spool::Meter>();
};

}  // namespace vigil::host
