// Private to the fetcher: one fetch on its way through the Fetch standard's main fetch, with all its
// redirects and preflights. Event-loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ipc/storage.pb.h"
#include "net/fetch_context.h"
#include "net/fetcher.h"
#include "net/http_client.h"
#include "net/url.h"

namespace vigil::net {

class FetchJob : public std::enable_shared_from_this<FetchJob> {
 public:
  FetchJob(std::shared_ptr<FetchContext> context, FetchClient client, ipc::HttpRequest request,
           std::shared_ptr<UploadBody> upload, FetchHandlers handlers);
  ~FetchJob();
  FetchJob(const FetchJob&) = delete;
  FetchJob& operator=(const FetchJob&) = delete;

  // Outside of Fetcher::Start: may call handlers.
  void Begin();
  void Pause();
  void Resume();
  void Cancel();
  // The network has gone.
  void BreakOff();

 private:
  enum class Tainting { kBasic, kCors, kOpaque };

  // fetch_job.cc: the way through the standard
  void Prepare();
  void ApplyHeaderRules();
  void MainFetch();
  void SchemeData();
  bool CountKeepalive();
  void ReleaseKeepalive();
  void NetworkFetch(bool fresh_connection = false);
  void Send(HttpClientRequest request, CacheMode mode, std::function<void(HttpClientHead)> on_head);
  // fetch_response.cc: from the response's head on
  bool CanSendAgain();
  bool RetryMisdirected(const HttpClientHead& head);
  void RedirectManually(HttpClientHead head);
  void OnHead(HttpClientHead head);
  void OnData(std::string_view data);
  void OnTransferDone(const Result<>& result);
  void Redirect(const HttpClientHead& head, const std::string& location);
  void DrainThen(std::function<void()> step);
  void RunNextStep();
  void Deliver(HttpClientHead head);
  void DeliverHeld();
  void CheckIntegrity();
  void NetworkError(ErrorCode code, std::string why);
  void Finish(Result<> result);
  void UpdateActive();

  // fetch_cors.cc
  void CorsFetch();
  void Preflight(std::vector<std::string> unsafe_headers);
  void OnPreflightHead(const HttpClientHead& head, const std::vector<std::string>& unsafe_headers);

  // fetch_request.cc: what goes out, what may come in
  Headers RequestHeaders();
  void AddFetchMetadata(Headers& headers) const;
  std::string SerializedOrigin() const;
  std::string Referrer() const;
  bool IncludesCredentials() const;
  bool IsSameSite() const;
  std::string JarName() const;
  void StoreCookies(const Headers& headers);
  std::string CrossOriginResourceProblem(const Headers& headers) const;
  ipc::HttpResponse Filtered(HttpClientHead head) const;
  bool PassesPolicy();
  bool IsNavigation() const { return request_.mode() == "navigate"; }

  std::shared_ptr<FetchContext> context_;
  FetchClient client_;
  ipc::HttpRequest request_;
  std::shared_ptr<UploadBody> upload_;
  FetchHandlers handlers_;

  std::optional<Url> url_;         // the present one
  std::optional<Url> client_url_;  // of client_.origin
  std::vector<Url> url_list_;
  std::string method_;
  Headers headers_;  // of the request, as the script gave them and the rules left them
  std::optional<std::string> body_;
  std::string referrer_policy_;
  Tainting tainting_ = Tainting::kBasic;
  bool origin_is_tainted_ = false;  // a redirect went from one foreign origin to another
  bool was_cross_site_ = false;
  bool retried_ = false;  // on a new connection, after a 421
  int redirects_ = 0;
  std::uint64_t keepalive_bytes_ = 0;

  std::unique_ptr<HttpClient::Transfer> transfer_;
  // Set while the rest of a response that nobody will see is read, so that its connection can be used again.
  std::function<void()> next_step_;
  std::size_t drained_ = 0;
  bool head_delivered_ = false;
  // A whole response that waits for its integrity check, or for Resume.
  std::optional<ipc::HttpResponse> held_head_;
  std::string held_body_;
  bool held_is_complete_ = false;
  bool paused_ = false;
  bool active_ = false;
  bool ended_ = false;
};

}  // namespace vigil::net
