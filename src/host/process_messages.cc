// What is said between a worker process and the daemon: events, evaluations, requests, bodies.
#include <boost/asio/post.hpp>
#include <utility>

#include "base/utf8.h"
#include "host/process.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {
// What a process says about itself is kept and shown: bounded.
constexpr std::size_t kMaxErrorText = 16 * 1024;
constexpr std::size_t kMaxListeners = 1000;
constexpr std::size_t kMaxReason = 200;
}  // namespace

void WorkerProcess::Send(ipc::ToWorker message) {
  if (doomed_ || !start_sent_) return;
  channel_->Send(message);
  Watchdog();
}

void WorkerProcess::OnMessage(ipc::ToDaemon message) {
  auto keep = shared_from_this();
  cpu_at_last_sign_.reset();
  switch (message.body_case()) {
    case ipc::ToDaemon::kStarted:
      return OnStarted(message.started());
    case ipc::ToDaemon::kEventFinished:
      return OnEventFinished(message.event_finished());
    case ipc::ToDaemon::kFetchResponse: {
      auto found = events_.find(message.fetch_response().event_id());
      if (found != events_.end() && found->second.options.on_response) {
        auto handler = std::exchange(found->second.options.on_response, {});
        return handler(std::move(*message.mutable_fetch_response()));
      }
      // Nobody wants it any more: the body must not wait for credit forever.
      if (message.fetch_response().response().body().has_stream()) {
        RefuseBody(message.fetch_response().response().body().stream());
      }
      return;
    }
    case ipc::ToDaemon::kChunk:
      return OnChunk(std::move(*message.mutable_chunk()));
    case ipc::ToDaemon::kCredit: {
      auto found = outgoing_.find(message.credit().stream());
      if (found != outgoing_.end() && found->second.on_credit) {
        auto handler = found->second.on_credit;
        handler(message.credit().bytes());
      }
      return;
    }
    case ipc::ToDaemon::kBodyCancel: {
      auto found = outgoing_.find(message.body_cancel().stream());
      if (found == outgoing_.end()) return;
      auto handlers = std::move(found->second);
      outgoing_.erase(found);
      if (handlers.on_cancel) handlers.on_cancel();
      return;
    }
    case ipc::ToDaemon::kQuiescent:
      quiescent_seq_ = std::max<std::uint64_t>(quiescent_seq_, message.quiescent().seq());
      next_timer_us_ = message.quiescent().next_timer_us();
      clock_.NoteQuiescence();
      return;
    case ipc::ToDaemon::kEvaluateResult: {
      auto found = evaluations_.find(message.evaluate_result().id());
      if (found == evaluations_.end()) return;
      auto done = std::move(found->second);
      evaluations_.erase(found);
      done(std::move(*message.mutable_evaluate_result()));
      return NoteIdle();
    }
    case ipc::ToDaemon::kInspector:
      Allowed(inspector_.OnFrame(std::move(*message.mutable_inspector())));
      return;
    case ipc::ToDaemon::kDying:
      dying_ = CutUtf8(message.dying().reason(), kMaxReason);
      if (dying_.empty()) dying_ = "no reason given";
      return;
    default:
      return delegate_.OnProcessMessage(*this, std::move(message));
  }
}

void WorkerProcess::OnStarted(const ipc::Started& started) {
  if (!on_started_) return Kill(ExitReport::Reason::kMisbehaved, "started twice and was killed");
  start_limit_.Cancel();
  started_ = true;
  StartResult result;
  result.ok = started.ok();
  result.error = CutUtf8(started.error(), kMaxErrorText);
  result.error_name = CutUtf8(started.error_name(), kMaxReason);
  for (const auto& listener : started.listeners()) {
    if (result.listeners.size() == kMaxListeners) break;
    result.listeners.push_back(CutUtf8(listener, kMaxReason));
  }
  std::exchange(on_started_, {})(std::move(result));
}

// ---------------------------------------------------------------------------------------------------- events
std::uint64_t WorkerProcess::SendEvent(ipc::Event event, EventOptions options) {
  if (doomed_) {
    if (options.done) {
      EventResult result;
      result.ours = verdict_ && verdict_->reason == ExitReport::Reason::kStopped;
      result.error = "the worker has ended";
      asio::post(executor_, [done = std::move(options.done), result] { done(result); });
    }
    return 0;
  }
  std::uint64_t id = ++last_event_id_;
  event.set_id(id);
  PendingEvent pending;
  pending.limit = std::make_unique<TimeLimit>(clock_);
  if (options.limit.count() > 0) {
    pending.limit->Set(
        options.limit, [this, id] { EventTimedOut(id); }, inspector_.paused());
  }
  pending.options = std::move(options);
  allowance_.BeginEvent(events_.size());
  events_.emplace(id, std::move(pending));
  ipc::ToWorker message;
  *message.mutable_event() = std::move(event);
  Send(std::move(message));
  return id;
}

void WorkerProcess::OnEventFinished(const ipc::EventFinished& finished) {
  EventResult result;
  result.kind = finished.outcome() == ipc::EventFinished::SUCCEEDED ? EventResult::Kind::kSucceeded
                                                                    : EventResult::Kind::kRejected;
  result.error = CutUtf8(finished.error(), kMaxErrorText);
  result.handler_started_us = finished.handler_started_us();
  FinishEvent(finished.event_id(), std::move(result));
}

void WorkerProcess::EventTimedOut(std::uint64_t id) {
  auto found = events_.find(id);
  if (found == events_.end()) return;
  bool kill = found->second.options.kill_on_timeout;
  EventResult result;
  result.kind = EventResult::Kind::kTimeout;
  result.error = "the event took too long";
  auto keep = shared_from_this();
  FinishEvent(id, std::move(result));
  if (kill) Kill(ExitReport::Reason::kUnresponsive, "took too long over an event and was killed");
}

void WorkerProcess::FinishEvent(std::uint64_t id, EventResult result) {
  auto found = events_.find(id);
  if (found == events_.end()) return;  // it timed out before
  auto options = std::move(found->second.options);
  events_.erase(found);
  if (options.done) options.done(std::move(result));
  NoteIdle();
}

void WorkerProcess::Evaluate(std::string code, std::string name,
                             std::function<void(std::optional<ipc::EvaluateResult>)> done) {
  if (doomed_) {
    asio::post(executor_, [done = std::move(done)] { done(std::nullopt); });
    return;
  }
  std::uint64_t id = ++last_evaluation_id_;
  evaluations_.emplace(id, std::move(done));
  ipc::ToWorker message;
  message.mutable_evaluate()->set_id(id);
  message.mutable_evaluate()->set_code(std::move(code));
  message.mutable_evaluate()->set_name(std::move(name));
  Send(std::move(message));
}

// ----------------------------------------------------------------------------------------------------
// requests
bool WorkerProcess::Allowed(Allowance::Refusal refusal) {
  if (!refusal) return true;
  Kill(ExitReport::Reason::kMisbehaved, *refusal + " and was killed");
  return false;
}

bool WorkerProcess::BeginRequest(const ipc::Request& request) {
  // The others are found again by their numbers.
  if (request.id() == 0 && !request.has_idb() && !request.has_cache()) {
    Kill(ExitReport::Reason::kMisbehaved, "sent a request without a number and was killed");
    return false;
  }
  return Allowed(allowance_.BeginRequest(request.id(), request.ByteSizeLong()));
}

void WorkerProcess::EndRequest(std::uint64_t request_id) { allowance_.EndRequest(request_id); }

void WorkerProcess::Correspondent::Reply(ipc::Reply reply) const {
  requests_->End(reply.id());
  if (reply.id() == 0) return;
  ipc::ToWorker message;
  *message.mutable_reply() = std::move(reply);
  Send(std::move(message));
}

void WorkerProcess::Correspondent::Send(ipc::ToWorker message) const {
  sender_.Send(message);
  if (sent_) sent_();
}

// The watchdog looks after a process with events anyway; a virtual clock waits for whoever was sent
// something.
WorkerProcess::Correspondent WorkerProcess::correspondent() {
  std::function<void()> sent;
  if (clock_.is_virtual()) {
    sent = [executor = executor_, weak = weak_from_this()] {
      asio::post(executor, [weak] {
        if (auto self = weak.lock()) self->Watchdog();
      });
    };
  }
  return Correspondent(channel_->sender(), allowance_.book(), std::move(sent));
}

WorkerProcess::FetchVerdict WorkerProcess::BeginFetch(std::uint64_t request_id) {
  if (!Allowed(allowance_.CountFetch())) return FetchVerdict::kKilled;
  const bool refused = allowance_.TooManyFetches(request_id, outgoing_.size());
  return refused ? FetchVerdict::kRefused : FetchVerdict::kGo;
}

bool WorkerProcess::BeginMessage(std::size_t bytes) { return Allowed(allowance_.BeginMessage(bytes)); }

bool WorkerProcess::MaySendTo(const WorkerProcess& receiver) {
  return Allowed(allowance_.CheckReceiver(receiver.channel_->queued_bytes()));
}

void WorkerProcess::Reply(ipc::Reply reply) {
  EndRequest(reply.id());
  if (reply.id() == 0) return;
  ipc::ToWorker message;
  *message.mutable_reply() = std::move(reply);
  Send(std::move(message));
}

// ---------------------------------------------------------------------------------------------------- bodies
bool WorkerProcess::ReceiveBody(std::uint32_t stream, ChunkHandler handler) {
  if (incoming_.contains(stream) || incoming_.size() >= kMaxBodies) {
    Kill(ExitReport::Reason::kMisbehaved, "used the number of a body twice, or too many, and was killed");
    return false;
  }
  Incoming incoming;
  incoming.handler = std::move(handler);
  incoming_.emplace(stream, std::move(incoming));
  return true;
}

void WorkerProcess::OnChunk(ipc::BodyChunk chunk) {
  auto found = incoming_.find(chunk.stream());
  if (found == incoming_.end()) return;  // cancelled
  Incoming& incoming = found->second;
  if (chunk.data().size() > incoming.credit) {
    return Kill(ExitReport::Reason::kMisbehaved, "sent more of a body than it was granted and was killed");
  }
  incoming.credit -= chunk.data().size();
  bool last = chunk.fin() || !chunk.error().empty();
  auto handler = incoming.handler;
  if (last) incoming_.erase(found);
  handler(std::move(*chunk.mutable_data()), last, chunk.error());
  if (last) NoteIdle();
}

void WorkerProcess::GrantCredit(std::uint32_t stream, std::uint32_t bytes) {
  auto found = incoming_.find(stream);
  if (found == incoming_.end() || bytes == 0) return;
  found->second.credit += bytes;
  ipc::ToWorker message;
  message.mutable_credit()->set_stream(stream);
  message.mutable_credit()->set_bytes(bytes);
  Send(std::move(message));
}

void WorkerProcess::CancelReceive(std::uint32_t stream) {
  if (incoming_.erase(stream) == 0) return;
  ipc::ToWorker message;
  message.mutable_body_cancel()->set_stream(stream);
  Send(std::move(message));
  NoteIdle();
}

void WorkerProcess::RefuseBody(std::uint32_t stream) {
  if (ReceiveBody(stream, [](std::string, bool, std::string) {})) CancelReceive(stream);
}

std::uint32_t WorkerProcess::OpenBody(BodyHandlers handlers) {
  std::uint32_t stream = ++last_outgoing_;
  outgoing_.emplace(stream, std::move(handlers));
  return stream;
}

void WorkerProcess::SendChunk(std::uint32_t stream, std::string_view data, bool fin,
                              const std::string& error) {
  auto found = outgoing_.find(stream);
  if (found == outgoing_.end()) return;
  if (fin || !error.empty()) outgoing_.erase(found);
  ipc::ToWorker message;
  auto* chunk = message.mutable_chunk();
  chunk->set_stream(stream);
  chunk->set_data(data.data(), data.size());
  chunk->set_fin(fin && error.empty());
  chunk->set_error(error);
  Send(std::move(message));
}

}  // namespace vigil::host
