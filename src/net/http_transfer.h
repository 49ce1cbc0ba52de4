// Private to http_client.cc: one libcurl easy handle with its buffers.
#pragma once

#include <curl/curl.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/curl_loop.h"
#include "net/http_client.h"
#include "net/spill_buffer.h"
#include "net/url.h"

namespace vigil::net {

// What the transfers of a client have in common.
struct HttpSharedState {
  std::uint64_t spilled_bytes = 0;
  // Origins with a connection that a transfer holds up, and how many do.
  std::map<std::string, int> held_up;
};

// Collects inside libcurl's callbacks, delivers outside of them: handlers may do anything.
class HttpTransfer : public std::enable_shared_from_this<HttpTransfer> {
 public:
  // `pending` is called, inside libcurl, when there is something to deliver.
  HttpTransfer(HttpClientRequest request, HttpClientHandlers handlers,
               std::shared_ptr<HttpSharedState> shared,
               std::function<void(std::shared_ptr<HttpTransfer>)> pending);
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  // turn: let go when the transfer ends.
  void Start(const HttpClientOptions& options, std::shared_ptr<CurlLoop> loop, std::shared_ptr<void> turn);
  void Finish(int code);
  void Deliver();
  void Pause() { paused_ = true; }
  void Resume();
  void Cancel();
  bool ended() const { return ended_; }

 private:
  static std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t OnUpload(char* data, std::size_t size, std::size_t count, void* self);
  static int OnRewind(void* self, curl_off_t offset, int origin);
  static int OnConnected(void* self, char*, char*, int, int);
  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* self);
  std::optional<Error> Configure(const HttpClientOptions& options);
  void SetUpload();
  void UploadReady();
  bool Keep(std::string_view data);
  std::string TakeBuffered();
  void HoldUp(bool holds);
  void TakeHeaderLine(std::string_view line);
  Error Describe(int code) const;
  void Notify();
  void End();

  HttpClientRequest request_;
  HttpClientHandlers handlers_;
  std::function<void(std::shared_ptr<HttpTransfer>)> pending_;
  std::shared_ptr<CurlLoop> loop_;
  std::shared_ptr<void> turn_;
  CURL* easy_ = nullptr;
  curl_slist* header_list_ = nullptr;
  curl_slist* resolve_list_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> error_text_{};

  HttpClientHead head_;
  std::size_t header_bytes_ = 0;    // of all heads and trailers
  std::optional<Error> own_error_;  // why libcurl was told to give up
  bool head_complete_ = false;
  bool head_delivered_ = false;
  std::shared_ptr<HttpSharedState> shared_;
  std::string origin_;
  std::optional<SpillBuffer> buffer_;
  std::optional<Result<>> outcome_;
  bool paused_ = false;       // by the user
  bool blocked_ = false;      // libcurl was refused data and waits
  bool multiplexed_ = false;  // over HTTP/2
  bool can_spill_ = false, spills_ = false;
  bool holds_up_ = false;      // the others of its connection
  bool upload_waits_ = false;  // libcurl waits for more of the request's body
  bool added_ = false;         // to the loop
  bool delivering_ = false;
  bool ended_ = false;
};

}  // namespace vigil::net
