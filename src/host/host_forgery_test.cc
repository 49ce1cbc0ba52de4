// What a process that is not ours any more asks for: things of another origin, things of the other kind of
// process, headers that a script may not set. Refused in the daemon, as if the things did not exist.
#include "host/puppet_rig.h"

namespace vigil::host {
namespace {

class HostForgeryTest : public HostPuppetTest {
 protected:
  // With the registration of the other origin named in it.
  ipc::Request OnTheirs() {
    ipc::Request request;
    request.set_registration_id(RegistrationOf(others));
    return request;
  }
  static ipc::Request Named(void (*fill)(ipc::Request&)) {
    ipc::Request request;
    fill(request);
    return request;
  }
};

TEST_F(HostForgeryTest, SyncRegistrationsOfAnotherOriginCannotBeMadeReadOrRemoved) {
  StartBoth();
  SyncRegisterCall theirs;
  theirs.registration_id = RegistrationOf(others);
  theirs.tag = "SECRET";
  sync.calls.push_back(theirs);
  for (const auto& attacker : {page, worker}) {
    auto one_shot = OnTheirs();
    one_shot.mutable_sync_register()->set_tag("forged");
    EXPECT_EQ(FailureOf(attacker, one_shot), "InvalidStateError");
    auto periodic = OnTheirs();
    periodic.mutable_periodic_register()->set_tag("forged");
    EXPECT_EQ(FailureOf(attacker, periodic), "InvalidStateError");
    auto tags = OnTheirs();
    tags.mutable_sync_get_tags();
    EXPECT_EQ(Ask(attacker, tags).tags().tags_size(), 0);
    auto periodic_tags = OnTheirs();
    periodic_tags.mutable_periodic_get_tags();
    EXPECT_EQ(Ask(attacker, periodic_tags).tags().tags_size(), 0);
    auto unregister = OnTheirs();
    unregister.mutable_periodic_unregister()->set_value("SECRET");
    EXPECT_TRUE(Ask(attacker, unregister).has_ok());
    EXPECT_FALSE(Received(*attacker, "SECRET"));
  }
  EXPECT_EQ(sync.calls.size(), 1U);
}

TEST_F(HostForgeryTest, AnAcknowledgementOfSomebodyElsesSyncIsIgnored) {
  StartBoth();
  ipc::Request request;
  request.set_registration_id(RegistrationOf(others));
  request.mutable_sync_register()->set_tag("theirs");
  EXPECT_TRUE(Ask(their_page, request).has_ok());
  ipc::ToDaemon message;
  message.mutable_sync_acknowledge()->set_tag("theirs");
  message.mutable_sync_acknowledge()->set_registration_id(RegistrationOf(others));
  page->Send(message);
  Settle(page);
  EXPECT_TRUE(sync.acknowledged.empty());
  their_page->Send(message);
  Settle(their_page);
  EXPECT_EQ(sync.acknowledged, std::vector<std::string>{"theirs"});
}

TEST_F(HostForgeryTest, RegistrationsOfAnotherOriginCannotBeUpdatedRemovedOrSeen) {
  StartBoth();
  auto update = OnTheirs();
  update.mutable_registration_update();
  EXPECT_EQ(FailureOf(page, update), "InvalidStateError");
  auto unregister = OnTheirs();
  unregister.mutable_registration_unregister();
  EXPECT_FALSE(Ask(page, unregister).flag().value());
  auto preload = OnTheirs();
  preload.mutable_navigation_preload()->set_header_value("SECRET");
  EXPECT_EQ(FailureOf(their_page, preload), "");
  EXPECT_EQ(FailureOf(page, preload), "InvalidStateError");
  preload.mutable_navigation_preload()->Clear();
  EXPECT_NE(Ask(page, preload).navigation_preload().header_value(), "SECRET");
  EXPECT_EQ(Ask(their_page, preload).navigation_preload().header_value(), "SECRET");
  ipc::Request one;
  one.mutable_container_get_registration()->set_value(others.Url("/"));
  EXPECT_EQ(FailureOf(page, one), "SecurityError");
  ipc::Request all;
  all.mutable_container_get_registrations();
  const auto reply = Ask(page, all);
  ASSERT_EQ(reply.registrations().registrations_size(), 1);
  EXPECT_EQ(reply.registrations().registrations(0).id(), RegistrationOf(server));
  EXPECT_EQ(host->Registrations().size(), 2U);
  EXPECT_FALSE(Received(*page, others.origin()));
}

TEST_F(HostForgeryTest, AServiceWorkerIsRegisteredOnlyForOnesOwnOrigin) {
  StartBoth();
  for (const auto& [script, scope] :
       {std::pair(others.Url("/sw.js"), std::string()), std::pair(server.Url("/sw.js"), others.Url("/")),
        std::pair(others.Url("/sw.js"), others.Url("/deep/"))}) {
    ipc::Request request;
    request.mutable_container_register()->set_script_url(script);
    request.mutable_container_register()->set_scope(scope);
    EXPECT_EQ(FailureOf(page, request), "SecurityError") << script << " " << scope;
  }
  ipc::Request odd;
  odd.mutable_container_register()->set_script_url(server.Url("/sw.js"));
  odd.mutable_container_register()->set_update_via_cache("whatever");
  EXPECT_EQ(FailureOf(page, odd), "TypeError");
  EXPECT_EQ(host->Registrations().size(), 2U);
}

TEST_F(HostForgeryTest, ClientsOfAnotherOriginCannotBeSeenFocusedNavigatedOrSpokenTo) {
  StartBoth();
  const std::string theirs = their_page->start().page().client_id();
  ipc::Request get;
  get.mutable_clients_get()->set_value(theirs);
  EXPECT_EQ(Ask(worker, get).clients().clients_size(), 0);
  ipc::Request all;
  all.mutable_clients_match_all()->set_include_uncontrolled(true);
  const auto matched = Ask(worker, all);
  ASSERT_EQ(matched.clients().clients_size(), 1);
  EXPECT_EQ(matched.clients().clients(0).id(), page->start().page().client_id());
  ipc::Request focus;
  focus.mutable_client_focus()->set_value(theirs);
  EXPECT_EQ(FailureOf(worker, focus), "TypeError");
  ipc::Request navigate;
  navigate.mutable_client_navigate()->set_client_id(theirs);
  navigate.mutable_client_navigate()->set_url(server.Url("/"));
  EXPECT_EQ(FailureOf(worker, navigate), "TypeError");
  ipc::Request to_page;
  to_page.mutable_post_message()->set_client_id(theirs);
  to_page.mutable_post_message()->set_data("FORGED");
  EXPECT_TRUE(Ask(worker, to_page).has_ok()) << "tells nothing";
  ipc::Request to_worker;
  to_worker.mutable_post_message()->set_version_id(VersionOf(others));
  to_worker.mutable_post_message()->set_data("FORGED");
  EXPECT_TRUE(Ask(page, to_worker).has_ok());
  ipc::ToDaemon broadcast;
  broadcast.mutable_broadcast()->set_channel("c");
  broadcast.mutable_broadcast()->set_data("FORGED");
  page->Send(broadcast);
  Settle(page);
  Settle(their_page);
  Settle(their_worker);
  EXPECT_FALSE(Received(*their_page, "FORGED"));
  EXPECT_FALSE(Received(*their_worker, "FORGED"));
  EXPECT_TRUE(Received(*worker, "FORGED")) << "the channel of their own origin";
}

TEST_F(HostForgeryTest, NotificationsOfAnotherOriginCannotBeShownReadOrClosed) {
  StartBoth();
  ipc::Request show;
  show.set_registration_id(RegistrationOf(others));
  show.mutable_show_notification()->set_title("SECRET");
  EXPECT_TRUE(Ask(their_page, show).has_ok());
  auto shown = host->Notifications("");
  ASSERT_TRUE(shown && shown->size() == 1);
  EXPECT_EQ(FailureOf(worker, show), "TypeError");
  auto get = OnTheirs();
  get.mutable_get_notifications();
  EXPECT_EQ(Ask(worker, get).notifications().notifications_size(), 0);
  ipc::Request close;
  close.mutable_close_notification()->set_value((*shown)[0].id);
  EXPECT_TRUE(Ask(worker, close).has_ok());
  EXPECT_EQ(host->Notifications("")->size(), 1U);
  EXPECT_FALSE(Received(*worker, "SECRET"));
}

TEST_F(HostForgeryTest, StorageIsFoundByTheSocketAndNotByTheMessage) {
  StartBoth();
  ipc::Request set;
  set.mutable_local_storage()->set_kind(ipc::LocalStorageOp::SET);
  set.mutable_local_storage()->set_key("k");
  set.mutable_local_storage()->set_value("SECRET");
  Ask(their_page, set);
  ipc::Request load;
  load.mutable_local_storage()->set_kind(ipc::LocalStorageOp::LOAD);
  EXPECT_EQ(Ask(page, load).local_storage().pairs_size(), 0);
  EXPECT_EQ(FailureOf(worker, load), "SecurityError");

  ipc::Request open;
  open.mutable_cache()->set_open("SECRET");
  const std::uint64_t cache = Ask(their_worker, open).cache().cache();
  ipc::Request put;
  auto* entry = put.mutable_cache()->mutable_put();
  entry->set_cache(cache);
  auto* stored = entry->add_entries();
  stored->mutable_request()->set_method("GET");
  stored->mutable_request()->set_url(others.Url("/x"));
  stored->mutable_response()->set_status(200);
  stored->mutable_response()->mutable_body()->set_inline_("SECRET");
  EXPECT_EQ(Ask(their_worker, put).cache().error_name(), "");
  for (std::uint64_t number = 0; number < cache + 3; ++number) {
    ipc::Request match;
    match.mutable_cache()->mutable_match_all()->set_cache(number);
    EXPECT_EQ(Ask(worker, match).cache().responses_size(), 0);
    ipc::Request body;
    body.mutable_cache()->mutable_download()->set_body(number);
    body.mutable_cache()->mutable_download()->set_limit(1000);
    EXPECT_EQ(Ask(worker, body).cache().chunk(), "");
  }
  ipc::Request keys;
  keys.mutable_cache()->set_keys(true);
  EXPECT_EQ(Ask(worker, keys).cache().names_size(), 0);

  ipc::Request database;
  database.mutable_idb()->mutable_open()->set_connection(1);
  database.mutable_idb()->mutable_open()->set_name(std::string("\0S", 2));
  their_worker->Request(database, ++last_request);
  ipc::Request databases;
  databases.mutable_idb()->set_databases(true);
  EXPECT_EQ(Ask(worker, databases).idb().databases_size(), 0);
  ipc::Request run;
  run.mutable_idb()->mutable_run()->set_connection(1);
  run.mutable_idb()->mutable_run()->set_transaction(1);
  EXPECT_NE(Ask(worker, run).idb().error_name(), "");
  EXPECT_FALSE(Received(*worker, "SECRET"));
  EXPECT_FALSE(Received(*page, "SECRET"));
}

TEST_F(HostForgeryTest, PagesAndWorkersCannotDoWhatOnlyTheOtherMay) {
  StartBoth();
  for (auto fill : {+[](ipc::Request& r) { r.mutable_clients_match_all(); },
                    +[](ipc::Request& r) { r.mutable_clients_claim(); },
                    +[](ipc::Request& r) { r.mutable_skip_waiting(); },
                    +[](ipc::Request& r) { r.mutable_clients_get()->set_value("x"); },
                    +[](ipc::Request& r) { r.mutable_client_focus()->set_value("x"); },
                    +[](ipc::Request& r) { r.mutable_clients_open_window()->set_value("/"); }}) {
    EXPECT_EQ(FailureOf(page, Named(fill)), "InvalidStateError");
  }
  ipc::Request window;
  window.mutable_clients_open_window()->set_value(server.Url("/"));
  EXPECT_EQ(FailureOf(worker, window), "InvalidAccessError") << "no notification was clicked";
  ipc::Request focus;
  focus.mutable_client_focus()->set_value(page->start().page().client_id());
  EXPECT_EQ(FailureOf(worker, focus), "InvalidAccessError");
  ipc::ToDaemon document;
  document.mutable_document()->set_title("FORGED");
  worker->Send(document);
  Settle(worker);
  for (const auto& view : host->Pages()) EXPECT_NE(view.title, "FORGED");
  EXPECT_EQ(FailureOf(page, ipc::Request()), "NotSupportedError");
}

TEST_F(HostForgeryTest, AFetchCarriesWhatTheDaemonSaysAndNotWhatTheProcessSays) {
  StartBoth();
  server.files["/probe"] = {200, "text/plain", "ok", ""};
  ipc::Request request;
  auto* fetch = request.mutable_fetch();
  fetch->set_method("GET");
  fetch->set_url(server.Url("/probe"));
  fetch->set_mode("navigate");
  fetch->set_destination("serviceworker");
  fetch->set_referrer("https://forged.example/");
  const std::pair<const char*, const char*> headers[] = {
      {"Cookie", "forged=1"},          {"Host", "forged.example"},   {"Origin", "https://forged.example"},
      {"Sec-Fetch-Site", "none"},      {"Service-Worker", "script"}, {"X-Split", "a\r\nX-Forged: yes"},
      {"X-Na\r\nme", "X-Forged: yes"}, {"Content-Length", "9999"}};
  for (const auto& [name, value] : headers) {
    auto* header = fetch->add_headers();
    header->set_name(name);
    header->set_value(value);
  }
  Ask(worker, request);
  for (const auto& asked : server.requests) {
    if (asked.target != "/probe") continue;
    EXPECT_EQ(asked.head.find("forged"), std::string::npos) << asked.head;
    EXPECT_EQ(asked.head.find("X-Forged"), std::string::npos) << asked.head;
    EXPECT_EQ(asked.head.find("serviceworker"), std::string::npos) << asked.head;
    EXPECT_EQ(asked.head.find("9999"), std::string::npos) << asked.head;
  }
  // Without the bytes that no header may hold it goes out, tamed.
  fetch->mutable_headers()->DeleteSubrange(4, 4);
  EXPECT_EQ(Ask(worker, request).response().status(), 200U);
  const std::string head = server.requests.back().head;
  EXPECT_EQ(head.find("forged"), std::string::npos) << head;
  EXPECT_NE(head.find("Sec-Fetch-Site: same-origin"), std::string::npos) << head;
  EXPECT_NE(head.find("Sec-Fetch-Dest: empty"), std::string::npos) << head;
}

TEST_F(HostForgeryTest, AnOpaqueResponseShowsNothingAndOthersNeedTheServersLeave) {
  StartBoth();
  others.files["/data"] = {200, "text/plain", "SECRET", ""};
  for (const char* mode : {"no-cors", "cors", "same-origin", "navigate", ""}) {
    ipc::Request request;
    request.mutable_fetch()->set_method("GET");
    request.mutable_fetch()->set_url(others.Url("/data"));
    request.mutable_fetch()->set_mode(mode);
    const auto reply = Ask(worker, request);
    EXPECT_EQ(reply.response().status(), 0U) << mode;
  }
  EXPECT_FALSE(Received(*worker, "SECRET")) << "not even the bytes of an opaque response";
  ipc::Request file;
  file.mutable_fetch()->set_method("GET");
  file.mutable_fetch()->set_url("file:///etc/passwd");
  file.mutable_fetch()->set_mode("no-cors");
  EXPECT_EQ(Ask(worker, file).response().type(), ipc::HttpResponse::ERROR);
}

}  // namespace
}  // namespace vigil::host
