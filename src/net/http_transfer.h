// Private to http_client.cc: one libcurl easy handle with its buffers.
#pragma once

#include <curl/curl.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/curl_loop.h"
#include "net/http_client.h"

namespace vigil::net {

// Collects inside libcurl's callbacks, delivers outside of them: handlers may do anything.
class HttpTransfer : public std::enable_shared_from_this<HttpTransfer> {
 public:
  // `pending` is called, inside libcurl, when there is something to deliver.
  HttpTransfer(HttpClientRequest request, HttpClientHandlers handlers,
               std::function<void(std::shared_ptr<HttpTransfer>)> pending);
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  void Start(const HttpClientOptions& options, std::shared_ptr<CurlLoop> loop);
  void Finish(int code);
  void Deliver();
  void Pause() { paused_ = true; }
  void Resume();
  void Cancel();
  bool ended() const { return ended_; }

 private:
  static std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* self);
  std::optional<Error> Configure(const HttpClientOptions& options);
  std::optional<Error> AddHeaders(const HttpClientOptions& options);
  void SetMethodAndBody();
  void TakeHeaderLine(std::string_view line);
  Error Describe(int code) const;
  void Notify();
  void End();

  HttpClientRequest request_;
  HttpClientHandlers handlers_;
  std::function<void(std::shared_ptr<HttpTransfer>)> pending_;
  std::shared_ptr<CurlLoop> loop_;
  CURL* easy_ = nullptr;
  curl_slist* header_list_ = nullptr;
  curl_slist* resolve_list_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> error_text_{};

  HttpClientHead head_;
  bool head_complete_ = false;
  bool head_delivered_ = false;
  std::string buffer_;
  std::optional<Result<>> outcome_;
  bool paused_ = false;   // by the user
  bool blocked_ = false;  // libcurl was refused data and waits
  bool added_ = false;    // to the loop
  bool delivering_ = false;
  bool ended_ = false;
};

}  // namespace vigil::net
