// One HTTP request, one response: HTTP/1.1 and 2 over kept-alive connections, bodies streamed both ways with
// back-pressure. No redirects, no cookies, no decoding, no policy: that is Fetcher's. Event-loop thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/host_map.h"
#include "net/proxies.h"

namespace vigil::net {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpClientOptions {
  std::string user_agent = "Vigil";
  std::string ca_file;  // PEM: trusted beside the system's; empty: none
  HostMap hosts;        // names that it knows are never looked up, nor left to a proxy
  Proxies proxies;
  std::chrono::milliseconds connect_timeout{30'000};
  // A transfer that is not paused and moves no byte for this long fails. 0: never.
  std::chrono::seconds stall_timeout{300};
  int max_connections_per_host = 6;
  // Requests of one party that are on the network at a time, and with them its connections to however many
  // hosts; further ones wait for their turn. 0: no limit.
  std::size_t max_requests_per_party = 256;
  // Where bodies wait that HTTP/2 brings faster than they are read, each up to a bound; empty: nowhere.
  std::filesystem::path spill_directory;
};

// A request body that comes in pieces, when it is asked for them.
class UploadBody {
 public:
  struct Piece {
    std::size_t bytes = 0;
    bool end = false;     // this was the last one
    bool failed = false;  // it breaks off here
  };
  virtual ~UploadBody() = default;
  // Of the whole; absent: only its end will tell.
  virtual std::optional<std::uint64_t> size() const = 0;
  // Copies at most `size` bytes. None, and not the end: not here yet; `ready` is then called when there is
  // something, once, and never inside this call.
  virtual Piece Read(char* to, std::size_t size, std::function<void()> ready) = 0;
  // From the beginning again. False: what was read is gone.
  virtual bool Rewind() = 0;
};

struct HttpClientRequest {
  std::string method = "GET";
  std::string url;  // http or https, absolute
  Headers headers;  // sent as they are; User-Agent, Accept-Encoding and Content-Length are added when missing
  std::optional<std::string> body;
  std::shared_ptr<UploadBody> upload;  // in place of `body`; without a size it needs HTTP/2
  bool fresh_connection = false;       // not one that was used before
  std::string party;                   // on whose behalf; empty: Vigil's own
};

struct HttpClientHead {
  int status = 0;
  std::string status_text;
  Headers headers;           // as received and in order; values trimmed
  std::string http_version;  // "1.1", "2"
};

struct HttpClientHandlers {
  std::function<void(HttpClientHead)> on_head;
  std::function<void(std::string_view)> on_data;  // as it came over the wire; valid during the call
  // Once and last. Errors: kUnavailable (cannot connect, connection broke, TLS refused), kTimeout, kTooLarge
  // (headers), kInvalidArgument.
  std::function<void(Result<>)> on_done;
};

class HttpClient {
 public:
  explicit HttpClient(boost::asio::any_io_executor executor, HttpClientOptions options = {});
  ~HttpClient();  // breaks off what still runs, without calling its handlers
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // A running request. Destroying it cancels; no handler is called afterwards.
  class Transfer {
   public:
    virtual ~Transfer() = default;
    // Paused, no more on_data or on_done comes and the socket is not read, so that the sender has to wait.
    virtual void Pause() = 0;
    virtual void Resume() = 0;
  };
  // Handlers are never called before Start returns, and may destroy the Transfer.
  std::unique_ptr<Transfer> Start(HttpClientRequest request, HttpClientHandlers handlers);

  // Requests that have not ended.
  int Running() const;
  // New requests make new connections; running ones go on. For a change of network.
  void ForgetConnections();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace vigil::net
