// A host whose workers and pages are played by the test: two apps of two origins, installed by honest
// puppets. What one of them does afterwards is the test's to say.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "host/puppet.h"
#include "host/test_rig.h"

namespace vigil::host {

class HostPuppetTest : public HostTest {
 protected:
  HostPuppetTest() {
    options.worker_executable =
        std::filesystem::read_symlink("/proc/self/exe").parent_path() / "vigil-puppet";
    puppeteer = std::make_unique<Puppeteer>(loop, (directory / "puppets").string(),
                                            [this](Puppet& puppet, const ipc::ToWorker& message) {
                                              if (act && act(puppet, message)) return;
                                              PlayHonestly(puppet, message);
                                            });
  }
  ~HostPuppetTest() override {
    if (host) Close();
    host.reset();
    others.Close();
  }

  // Installs both apps and opens a page of each that stays.
  void StartBoth() {
    Start();
    for (TestServer* each : {&server, &others}) {
      Serve(*each);
      auto app = Await(host->Install(each->Url("/"), {}));
      ASSERT_TRUE(app) << app.error().message;
      PageOptions options;
      options.keep = true;
      auto opened = Await(host->OpenPage(each->Url("/"), options, {}));
      ASSERT_TRUE(opened) << opened.error().message;
    }
    page = puppeteer->Find(server.origin(), true);
    ASSERT_TRUE(page);
    worker = Running(server);
    ASSERT_TRUE(worker);
    their_page = puppeteer->Find(others.origin(), true);
    their_worker = Running(others);
  }
  // The worker of that server's app, started if need be.
  std::shared_ptr<Puppet> Running(const TestServer& of) {
    auto started = Await(host->StartWorker(of.Url("/")));
    return started ? puppeteer->Find(of.origin(), false) : nullptr;
  }

  // Sends the request and runs the host until it is answered, or the puppet's process was killed.
  ipc::Reply Ask(const std::shared_ptr<Puppet>& puppet, ipc::Request request) {
    const std::uint64_t id = ++last_request;
    puppet->Request(std::move(request), id);
    RunUntil([&] { return puppet->ReplyTo(id) != nullptr || puppet->closed(); });
    const ipc::Reply* reply = puppet->ReplyTo(id);
    return reply != nullptr ? *reply : ipc::Reply();
  }
  std::string FailureOf(const std::shared_ptr<Puppet>& puppet, ipc::Request request) {
    const ipc::Reply reply = Ask(puppet, std::move(request));
    return reply.has_failure() ? reply.failure().name() : "";
  }
  // Everything that was sent before has been handled.
  void Settle(const std::shared_ptr<Puppet>& puppet) {
    ipc::Request request;
    request.mutable_storage_persisted();
    Ask(puppet, std::move(request));
  }
  bool Received(const Puppet& puppet, const std::string& bytes) const {
    for (const auto& message : puppet.received()) {
      if (message.SerializeAsString().find(bytes) != std::string::npos) return true;
    }
    return false;
  }
  std::uint64_t RegistrationOf(const TestServer& of) {
    for (const auto& registration : host->Registrations()) {
      if (registration.origin == of.origin()) return registration.id;
    }
    return 0;
  }
  std::uint64_t VersionOf(const TestServer& of) {
    for (const auto& registration : host->Registrations()) {
      if (registration.origin == of.origin()) return registration.active->version_id;
    }
    return 0;
  }

  TestServer others{loop};
  // Instead of the honest answer; false: none.
  std::function<bool(Puppet&, const ipc::ToWorker&)> act;
  std::unique_ptr<Puppeteer> puppeteer;
  std::shared_ptr<Puppet> page, worker, their_page, their_worker;
  std::uint64_t last_request = 1000;

 private:
  static void Serve(TestServer& app) {
    app.files["/"] = {200, "text/html", "<!doctype html><title>A puppet</title>", ""};
    app.files["/app.webmanifest"] = {200, "application/manifest+json",
                                     R"({"name":"A puppet","start_url":"/","display":"standalone"})", ""};
    app.files["/sw.js"] = {200, "text/javascript", "// played by the test", ""};
  }
};

}  // namespace vigil::host
