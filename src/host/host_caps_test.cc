// Processes that use too much: the caps of host/caps.h, each passed by a puppet. The reason is the user's to
// read, the event has failed as the app's doing, the daemon and the other origin go on.
#include "host/puppet_rig.h"

namespace vigil::host {
namespace {

class HostCapsTest : public HostPuppetTest {
 protected:
  void BeginSync() {
    act = [this](Puppet& puppet, const ipc::ToWorker& message) {
      if (!message.has_event() || puppet.start().origin() != server.origin()) return false;
      ++events;
      return true;
    };
    host->DispatchSyncEvent({SyncKind::kOneShot, RegistrationOf(server), "tag", false, Duration(0)},
                            [ended = outcome](DispatchOutcome how) { *ended = std::move(how); });
    RunUntil([&] { return events > 0; });
  }
  void ExpectKilled(const std::string& why) {
    RunUntil([&] { return outcome->has_value(); });
    EXPECT_EQ((*outcome)->kind, DispatchOutcome::Kind::kFailed);
    EXPECT_NE((*outcome)->text.find(why), std::string::npos) << (*outcome)->text;
    EXPECT_TRUE(Reported(why));
    Settle(their_worker);
    EXPECT_FALSE(their_worker->closed());
  }
  ipc::Request Fetch(const std::string& path) {
    ipc::Request request;
    request.mutable_fetch()->set_method("GET");
    request.mutable_fetch()->set_url(server.Url(path));
    return request;
  }

  int events = 0;
  // Shared: an event that is under way is ended when the host is, after this.
  std::shared_ptr<std::optional<DispatchOutcome>> outcome =
      std::make_shared<std::optional<DispatchOutcome>>();
};

TEST_F(HostCapsTest, RequestsUnderWay) {
  options.caps.requests = 50;
  StartBoth();
  BeginSync();
  std::vector<ipc::ToDaemon> all(51);
  for (std::size_t i = 0; i < all.size(); ++i) {
    *all[i].mutable_request() = Fetch("/x");
    all[i].mutable_request()->set_id(i + 1);
  }
  worker->SendTogether(all);
  ExpectKilled("has more than 50 requests under way");
}

TEST_F(HostCapsTest, BytesOfRequestsUnderWay) {
  options.caps.request_bytes = 1 << 20;
  StartBoth();
  BeginSync();
  for (std::uint64_t id = 1; id <= 20; ++id) {
    ipc::Request request = Fetch("/x");
    request.mutable_fetch()->set_method("POST");
    request.mutable_fetch()->mutable_body()->set_inline_(std::string(100'000, 'x'));
    worker->Request(std::move(request), id);
  }
  ExpectKilled("has requests of more than 1048576 bytes under way");
}

TEST_F(HostCapsTest, FetchesAtOnceAreRefusedAsABrowserRefusesThem) {
  options.caps.fetches = 5;
  StartBoth();
  BeginSync();
  server.files["/body"] = {200, "text/plain", std::string(1'000'000, 'x'), ""};
  std::uint32_t stream = 0;
  for (int i = 0; i < 5; ++i) {
    const auto response = Ask(worker, Fetch("/body")).response();
    EXPECT_EQ(response.status(), 200U);
    stream = response.body().stream();
  }
  const auto sixth = Ask(worker, Fetch("/body"));
  EXPECT_EQ(sixth.response().type(), ipc::HttpResponse::ERROR) << "bodies that nobody read are under way too";
  EXPECT_NE(sixth.response().error().find("more than 5 fetches"), std::string::npos);
  EXPECT_FALSE(worker->closed());
  // Who gives one up makes room.
  ipc::ToDaemon cancel;
  cancel.mutable_body_cancel()->set_stream(stream);
  worker->Send(cancel);
  EXPECT_EQ(Ask(worker, Fetch("/body")).response().status(), 200U);
}

TEST_F(HostCapsTest, FetchesOfOneEvent) {
  options.caps.fetches_per_event = 5;
  StartBoth();
  BeginSync();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Ask(worker, Fetch("/none")).response().status(), 404U);
  Ask(worker, Fetch("/none"));
  ExpectKilled("made more than 5 fetches in one event");
}

TEST_F(HostCapsTest, MessagesThatTheirReceiverDoesNotHandle) {
  options.caps.messages = 20;
  StartBoth();
  BeginSync();  // from now on the worker finishes no event
  ipc::Request request;
  request.mutable_post_message()->set_version_id(VersionOf(server));
  request.mutable_post_message()->set_data("x");
  for (std::uint64_t id = 1; id <= 21; ++id) page->Request(request, id);
  RunUntil([&] { return Reported("has sent more than 20 messages that were not handled yet"); });
  EXPECT_FALSE(worker->closed());
}

TEST_F(HostCapsTest, BytesOfMessagesThatTheirReceiverDoesNotHandle) {
  options.caps.message_bytes = 1 << 20;
  StartBoth();
  BeginSync();
  ipc::Request request;
  request.mutable_post_message()->set_version_id(VersionOf(server));
  request.mutable_post_message()->set_data(std::string(300'000, 'x'));
  for (std::uint64_t id = 1; id <= 5; ++id) page->Request(request, id);
  RunUntil([&] { return Reported("has sent messages of more than 1048576 bytes"); });
  EXPECT_FALSE(worker->closed());
}

TEST_F(HostCapsTest, MessagesToAPageThatDoesNotReadThem) {
  options.caps.message_bytes = 1 << 20;
  StartBoth();
  BeginSync();
  page->Sleep();
  ipc::Request request;
  request.mutable_post_message()->set_client_id(page->start().page().client_id());
  request.mutable_post_message()->set_data(std::string(500'000, 'x'));
  for (std::uint64_t id = 1; id <= 20; ++id) worker->Request(request, id);
  ExpectKilled("sends messages faster than they are read");
}

TEST_F(HostCapsTest, BroadcastsToAPageThatDoesNotReadThem) {
  options.caps.message_bytes = 1 << 20;
  StartBoth();
  BeginSync();
  page->Sleep();
  ipc::ToDaemon broadcast;
  broadcast.mutable_broadcast()->set_channel("c");
  broadcast.mutable_broadcast()->set_data(std::string(500'000, 'x'));
  for (int i = 0; i < 20; ++i) worker->Send(broadcast);
  ExpectKilled("sends messages faster than they are read");
}

TEST_F(HostCapsTest, MessagesThroughAPortToAPageThatDoesNotReadThem) {
  options.caps.message_bytes = 1 << 20;
  StartBoth();
  BeginSync();
  ipc::ToDaemon frame;
  frame.mutable_port()->set_channel("c");
  worker->Send(frame);
  Settle(worker);
  frame.mutable_port()->set_side(1);
  page->Send(frame);
  Settle(page);
  page->Sleep();
  frame.mutable_port()->set_kind(ipc::PortFrame::MESSAGE);
  frame.mutable_port()->set_data(std::string(500'000, 'x'));
  for (int i = 0; i < 20; ++i) worker->Send(frame);
  ExpectKilled("sends messages faster than they are read");
}

TEST_F(HostCapsTest, AnswersThatAProcessDoesNotRead) {
  options.caps.requests = 0;
  options.caps.request_bytes = 0;
  StartBoth();
  ipc::Request set;
  set.mutable_local_storage()->set_kind(ipc::LocalStorageOp::SET);
  set.mutable_local_storage()->set_key("k");
  set.mutable_local_storage()->set_value(std::string(8 << 20, 'x'));
  Ask(page, set);
  page->Sleep();
  ipc::Request load;
  load.mutable_local_storage()->set_kind(ipc::LocalStorageOp::LOAD);
  for (std::uint64_t id = 1; id <= 40; ++id) page->Request(load, id);
  RunUntil([&] { return Reported("does not read what it is sent"); });
  EXPECT_FALSE(their_page->closed());
}

TEST_F(HostCapsTest, ConsoleLinesAreDroppedAndThatIsSaid) {
  options.caps.console_lines = 10;
  options.caps.console_lines_per_second = 0;
  StartBoth();
  BeginSync();
  console.clear();
  for (int i = 0; i < 100; ++i) {
    ipc::ToDaemon line;
    line.mutable_console()->set_level("<script>");
    line.mutable_console()->set_text("line " + std::to_string(i));
    worker->Send(line);
  }
  Settle(worker);
  ASSERT_EQ(console.size(), 11U);
  EXPECT_EQ(console[9], "line 9");
  EXPECT_NE(console[10].find("too many console lines"), std::string::npos) << console[10];
  EXPECT_FALSE(worker->closed());
}

TEST_F(HostCapsTest, AWorkerThatNeverEndsTheBodyItSendsIsStoppedAllTheSame) {
  options.idle_stop = std::chrono::milliseconds(20);
  options.event_limit = std::chrono::milliseconds(50);
  StartBoth();
  worker = Running(server);
  ipc::Request request = Fetch("/upload");
  request.mutable_fetch()->set_method("POST");
  request.mutable_fetch()->mutable_body()->set_stream(5);
  worker->Request(request, 7);
  // Its only event ends.
  EXPECT_EQ(Await(host->DispatchSync(RegistrationOf(server), "t", false, Duration(0))).kind,
            DispatchOutcome::Kind::kSucceeded);
  RunUntil([&] { return worker->closed(); });
  EXPECT_TRUE(reports.empty()) << reports.front();
}

}  // namespace
}  // namespace vigil::host
