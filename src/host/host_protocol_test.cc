// Processes that break the protocol, lie about it or speak out of turn: each is ended with a reason that its
// user can read, or not listened to; nobody else notices.
#include "host/process.h"
#include "host/puppet_rig.h"

namespace vigil::host {
namespace {

class HostProtocolTest : public HostPuppetTest {
 protected:
  // The worker gets a sync event that it does not finish.
  void BeginSync() {
    act = [this](Puppet& puppet, const ipc::ToWorker& message) {
      if (!message.has_event() || puppet.start().origin() != server.origin()) return false;
      event = message.event().id();
      return true;
    };
    host->DispatchSyncEvent({SyncKind::kOneShot, RegistrationOf(server), "tag", false, Duration(0)},
                            [this](DispatchOutcome ended) { outcome = std::move(ended); });
    RunUntil([&] { return event != 0; });
  }
  void Answer(ipc::EventFinished::Outcome how) {
    ipc::ToDaemon message;
    message.mutable_event_finished()->set_event_id(event);
    message.mutable_event_finished()->set_outcome(how);
    worker->Send(message);
  }
  void ExpectKilled(const std::string& why) {
    RunUntil([&] { return outcome.has_value(); });
    EXPECT_EQ(outcome->kind, DispatchOutcome::Kind::kFailed);
    EXPECT_NE(outcome->text.find(why), std::string::npos) << outcome->text;
    EXPECT_TRUE(Reported(why));
    // The other origin, and this one's next run.
    Settle(their_worker);
    EXPECT_FALSE(their_worker->closed());
    act = nullptr;
    EXPECT_EQ(Await(host->DispatchSync(RegistrationOf(server), "again", false, Duration(0))).kind,
              DispatchOutcome::Kind::kSucceeded);
  }

  std::uint64_t event = 0;
  std::optional<DispatchOutcome> outcome;
};

TEST_F(HostProtocolTest, BytesThatAreNoMessageEndTheProcess) {
  const std::string garbage[] = {
      std::string("\x05\0\0\0hello", 9),                 // no protobuf
      std::string("\0\0\0\0", 4),                        // an empty message
      std::string("\x03\0\0\0\x3a\x7f\x01", 7),          // a length that leads beyond the message
      std::string("\x05\0\0\0\x3a\x03\x12\x01\xff", 9),  // text that is not UTF-8
      std::string("\xff\xff\xff\xff", 4)};               // a frame of four gigabytes
  StartBoth();
  for (const auto& bytes : garbage) {
    outcome.reset();
    event = 0;
    worker = Running(server);
    BeginSync();
    worker->SendBytes(bytes);
    ExpectKilled(bytes[3] == '\0' ? "sent a malformed message" : "sent a message that is too large");
  }
}

TEST_F(HostProtocolTest, AWorkerThatIsRemovedWhileItsProcessIsMadeDoesNotRun) {
  StartBoth();
  for (const auto* app : {&others, &server}) ASSERT_TRUE(Await(host->StopWorker(app->Url("/"))));
  RunUntil([&] { return worker->closed() && their_worker->closed(); });
  // The other app's takes the child that is kept ready; this one's has to be made.
  for (const auto* app : {&others, &server}) {
    host->DispatchSyncEvent({SyncKind::kOneShot, RegistrationOf(*app), "tag", false, Duration(0)},
                            [this, app](DispatchOutcome ended) {
                              if (app == &server) outcome = std::move(ended);
                            });
  }
  ASSERT_TRUE(Await(host->ClearOrigin(server.origin())));
  RunUntil([&] { return outcome.has_value(); });
  EXPECT_EQ(outcome->kind, DispatchOutcome::Kind::kNotStarted);
  Settle(Running(others));
  EXPECT_EQ(puppeteer->Find(server.origin(), false), nullptr);
}

TEST_F(HostProtocolTest, StartingTwiceEndsTheProcess) {
  StartBoth();
  BeginSync();
  ipc::ToDaemon again;
  again.mutable_started()->set_ok(true);
  worker->Send(again);
  ExpectKilled("started twice");
}

TEST_F(HostProtocolTest, ANumberOfARequestThatIsUnderWayEndsTheProcess) {
  StartBoth();
  BeginSync();
  server.files["/slow"] = {200, "text/plain", "x", ""};
  ipc::Request request;
  request.mutable_fetch()->set_url(server.Url("/slow"));
  worker->Request(request, 7);
  worker->Request(request, 7);
  ExpectKilled("used the number of a request twice");
}

TEST_F(HostProtocolTest, ARequestWithoutANumberThatIsNotOneOfStorageEndsTheProcess) {
  StartBoth();
  BeginSync();
  ipc::Request request;
  request.mutable_fetch()->set_url(server.Url("/slow"));
  worker->Request(request, 0);
  ExpectKilled("sent a request without a number");
}

TEST_F(HostProtocolTest, MoreOfABodyThanWasGrantedEndsTheProcess) {
  StartBoth();
  BeginSync();
  std::vector<ipc::ToDaemon> messages(2);
  auto& request = *messages[0].mutable_request();
  request.set_id(7);
  request.mutable_fetch()->set_method("POST");
  request.mutable_fetch()->set_url(server.Url("/upload"));
  request.mutable_fetch()->mutable_body()->set_stream(5);
  request.mutable_fetch()->mutable_body()->set_size(10 << 20);  // collected before anything is sent
  messages[1].mutable_chunk()->set_stream(5);
  messages[1].mutable_chunk()->set_data(std::string(WorkerProcess::kInitialCredit + 1, 'x'));
  worker->SendTogether(messages);
  ExpectKilled("sent more of a body than it was granted");
}

TEST_F(HostProtocolTest, ABodyThatIsSentTwiceEndsTheProcess) {
  StartBoth();
  BeginSync();
  for (std::uint64_t id : {7U, 8U}) {
    ipc::Request request;
    request.mutable_fetch()->set_method("POST");
    request.mutable_fetch()->set_url(server.Url("/upload"));
    request.mutable_fetch()->mutable_body()->set_stream(5);
    worker->Request(request, id);
  }
  ExpectKilled("used the number of a body twice");
}

TEST_F(HostProtocolTest, ANegativeIntervalEndsTheProcess) {
  StartBoth();
  BeginSync();
  ipc::Request request;
  request.mutable_periodic_register()->set_tag("p");
  request.mutable_periodic_register()->set_min_interval_ms(-1);
  worker->Request(request, 7);
  ExpectKilled("negative interval");
}

TEST_F(HostProtocolTest, ClosingTheSocketEndsTheProcess) {
  StartBoth();
  BeginSync();
  worker->Hang();
  RunUntil([&] { return outcome.has_value(); });
  EXPECT_EQ(outcome->kind, DispatchOutcome::Kind::kFailed);
  EXPECT_EQ(kill(worker->pid(), 0), -1) << "it was killed and reaped";
}

TEST_F(HostProtocolTest, AnswersToWhatNobodyAskedAreNotHeard) {
  StartBoth();
  BeginSync();
  std::vector<ipc::ToDaemon> messages(9);
  messages[0].mutable_event_finished()->set_event_id(event + 1);
  messages[1].mutable_fetch_response()->set_event_id(event + 1);
  messages[1].mutable_fetch_response()->mutable_response()->mutable_body()->set_stream(9);
  messages[2].mutable_fetch_response()->set_event_id(event);  // of a sync event
  messages[3].mutable_chunk()->set_stream(77);
  messages[3].mutable_chunk()->set_data("x");
  messages[4].mutable_credit()->set_stream(77);
  messages[4].mutable_credit()->set_bytes(4'000'000'000U);
  messages[5].mutable_body_cancel()->set_stream(77);
  messages[6].set_cancel_request(12345);
  messages[7].mutable_evaluate_result()->set_id(3);
  messages[8].mutable_quiescent()->set_seq(1'000'000);
  for (const auto& message : messages) worker->Send(message);
  Settle(worker);
  EXPECT_FALSE(worker->closed());
  EXPECT_FALSE(outcome);
  Answer(ipc::EventFinished::SUCCEEDED);
  RunUntil([&] { return outcome.has_value(); });
  EXPECT_EQ(outcome->kind, DispatchOutcome::Kind::kSucceeded);
}

TEST_F(HostProtocolTest, TheFirstAnswerToAnEventCounts) {
  StartBoth();
  BeginSync();
  Answer(ipc::EventFinished::REJECTED);
  Answer(ipc::EventFinished::SUCCEEDED);
  Settle(worker);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, DispatchOutcome::Kind::kRejected);
}

TEST_F(HostProtocolTest, AnAnswerAfterTheLimitIsNotHeard) {
  options.sync_event_limit = std::chrono::milliseconds(50);
  StartBoth();
  BeginSync();
  RunUntil([&] { return outcome.has_value(); });
  EXPECT_EQ(outcome->kind, DispatchOutcome::Kind::kTimeout);
  outcome.reset();
  Answer(ipc::EventFinished::SUCCEEDED);
  RunUntil([&] { return worker->closed(); });  // told to stop as soon as it was idle
  EXPECT_FALSE(outcome);
}

TEST_F(HostProtocolTest, WhatAProcessSendsAfterItsEndIsNotHeard) {
  StartBoth();
  BeginSync();
  ipc::Request forever;
  forever.mutable_sync_register()->set_tag("from the dead");
  // Ended first, and sent more in the same breath.
  std::vector<ipc::ToDaemon> messages(3);
  messages[0].mutable_started()->set_ok(true);
  messages[1].mutable_request()->set_id(9);
  *messages[1].mutable_request()->mutable_sync_register() = forever.sync_register();
  messages[2].mutable_event_finished()->set_event_id(event);
  worker->SendTogether(messages);
  ExpectKilled("started twice");
  EXPECT_TRUE(sync.calls.empty());
}

TEST_F(HostProtocolTest, APageThatIsClosedIsNotHeard) {
  StartBoth();
  const std::string id = page->start().page().client_id();
  ipc::Request request;
  request.set_registration_id(RegistrationOf(server));
  request.mutable_sync_register()->set_tag("from a closed page");
  page->Request(request, 7);
  ASSERT_TRUE(Await(host->ClosePage(id)));
  RunUntil([&] { return page->closed(); });
  Settle(worker);
  EXPECT_TRUE(sync.calls.empty());
}

TEST_F(HostProtocolTest, WhatAProcessSaysAboutItselfIsCut) {
  StartBoth();
  BeginSync();
  ipc::ToDaemon message;
  message.mutable_event_finished()->set_event_id(event);
  message.mutable_event_finished()->set_outcome(ipc::EventFinished::REJECTED);
  message.mutable_event_finished()->set_error(std::string(1 << 20, 'x'));
  worker->Send(message);
  RunUntil([&] { return outcome.has_value(); });
  EXPECT_LT(outcome->text.size(), std::size_t{20'000});
  ipc::ToDaemon document;
  std::string umlauts;
  for (int i = 0; i < 1000; ++i) umlauts += "ä";
  document.mutable_document()->set_title(umlauts);
  document.mutable_document()->set_manifest_url(std::string(3 << 20, 'x'));
  page->Send(document);
  Settle(page);
  for (const auto& view : host->Pages()) {
    if (view.origin != server.origin()) continue;
    EXPECT_EQ(view.title, umlauts.substr(0, 500) + "…");
    EXPECT_EQ(view.manifest_url, "");
  }
}

}  // namespace
}  // namespace vigil::host
