// Content security policies of workers against real processes and servers.
#include "host/test_rig.h"

namespace vigil::host {
namespace {

class WorkerPoliciesTest : public HostTest {
 protected:
  void ServeWith(const std::string& header, const std::string& worker) {
    ServeApp(
        "self.addEventListener('securitypolicyviolation', e => console.log('violation', e.blockedURI, "
        "e.effectiveDirective, e.disposition));" +
        worker);
    server.files["/sw.js"].headers = header + "\r\n";
    server.files["/x"] = {200, "text/plain", "x"};
    server.files["/lib.js"] = {200, "text/javascript", "self.imported = true;"};
  }
  // Events come in tasks of their own, which may be after the end of what broke the policy.
  void Hear(const std::string& line) {
    RunUntil([&] { return Said(line); });
  }
  bool Said(const std::string& line) const {
    return std::find(console.begin(), console.end(), line) != console.end();
  }
};

constexpr const char* kTries = R"(
  self.addEventListener('sync', e => e.waitUntil((async () => {
    try { eval('1'); console.log('evaluated'); } catch (x) { console.log(x.name); }
    await fetch('/x').then(() => console.log('fetched'), x => console.log('fetch: ' + x.name));
    await fetch('data:,x').then(() => console.log('data'), x => console.log('data: ' + x.name));
    const socket = new WebSocket(location.origin.replace('http', 'ws') + '/socket');
    await new Promise(done => socket.onclose = done);
    console.log('closed');
  })()));)";

TEST_F(WorkerPoliciesTest, KeepConnectionsAndCodeFromAWorkerAlsoAfterARestart) {
  Start();
  ServeWith("Content-Security-Policy: script-src 'self'; connect-src 'none'", kTries);
  ASSERT_TRUE(Install());
  for (int run = 0; run < 2; ++run) {
    console.clear();
    server.requests.clear();
    EXPECT_EQ(Sync("a").kind, DispatchOutcome::Kind::kSucceeded);
    EXPECT_TRUE(Said("EvalError"));
    EXPECT_TRUE(Said("fetch: TypeError"));
    EXPECT_TRUE(Said("data: TypeError"));
    EXPECT_TRUE(Said("closed"));
    Hear("violation eval script-src enforce");
    Hear("violation " + server.Url("/x") + " connect-src enforce");
    Hear("violation data connect-src enforce");
    EXPECT_TRUE(server.requests.empty());
    Restart();
  }
}

TEST_F(WorkerPoliciesTest, ReportOnlyPoliciesOnlyTell) {
  Start();
  ServeWith("Content-Security-Policy-Report-Only: default-src 'none'", R"(
    self.addEventListener('sync', e => e.waitUntil(fetch('/x').then(() => console.log(eval('"both"')))));)");
  ASSERT_TRUE(Install());
  EXPECT_EQ(Sync("a").kind, DispatchOutcome::Kind::kSucceeded);
  EXPECT_TRUE(Said("both"));
  Hear("violation " + server.Url("/x") + " connect-src report");
}

TEST_F(WorkerPoliciesTest, KeepScriptsFromBeingImported) {
  Start();
  ServeWith("Content-Security-Policy: script-src 'none'",
            "try { importScripts('/lib.js'); } catch (x) { console.log(x.name); }");
  ASSERT_TRUE(Install());
  EXPECT_TRUE(Said("NetworkError"));
  Hear("violation " + server.Url("/lib.js") + " script-src-elem enforce");
  for (const auto& request : server.requests) EXPECT_NE(request.target, "/lib.js");
}

TEST_F(WorkerPoliciesTest, ARedirectIsHeldAgainstThePolicyToo) {
  Start();
  ServeWith("Content-Security-Policy: connect-src 'self'", R"(
    self.addEventListener('sync', e => e.waitUntil(fetch('/away').then(() => console.log('fetched'),
      () => console.log('refused'))));)");
  const std::string elsewhere =
      "http://localhost" + server.origin().substr(server.origin().rfind(':')) + "/x";
  server.files["/away"] = {302, "text/plain", "", "Location: " + elsewhere + "\r\n"};
  server.files["/x"].headers = "Access-Control-Allow-Origin: *\r\n";
  ASSERT_TRUE(Install());
  EXPECT_EQ(Sync("a").kind, DispatchOutcome::Kind::kSucceeded);
  EXPECT_TRUE(Said("refused"));
  Hear("violation " + server.Url("/away") + " connect-src enforce");
}

}  // namespace
}  // namespace vigil::host
