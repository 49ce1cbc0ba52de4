#include "host/worker_policies.h"

#include <fmt/format.h>

#include <utility>

#include "net/content_security_policy.h"
#include "net/url.h"

namespace vigil::host {
namespace {
using Policies = net::ContentSecurityPolicies;

ipc::CspViolation Message(const net::CspViolation& violation, const std::string& what) {
  ipc::CspViolation message;
  message.set_blocked_uri(violation.blocked_uri);
  message.set_effective_directive(violation.effective_directive);
  message.set_original_policy(violation.original_policy);
  message.set_report_only(violation.report_only);
  message.set_console_text(fmt::format(
      "{} violates the following {}Content Security Policy directive: \"{}\".{}", what,
      violation.report_only ? "report-only " : "", violation.directive,
      violation.report_only ? " The policy is report-only, so the violation has been logged but no further "
                              "action has been taken."
                            : " The action has been blocked."));
  return message;
}

void FillCode(const Policies& policies, Policies::Code code, const char* what, ipc::CodeGeneration* into) {
  for (const auto& violation : policies.CheckCode(code)) {
    *into->add_violations() = Message(violation, what);
    if (!violation.report_only && into->refusal().empty()) {
      into->set_refusal(
          fmt::format("{} violates the following Content Security Policy directive because 'unsafe-eval' is "
                      "not an allowed source of script: {}",
                      what, violation.directive));
    }
  }
}
}  // namespace

void SetPolicies(Version& version, std::string enforced, std::string report_only) {
  version.csp = std::move(enforced);
  version.csp_report_only = std::move(report_only);
  const auto self = net::Url::Parse(version.script_url);
  version.policies = nullptr;
  if (!self) return;
  auto policies = std::make_shared<const Policies>(version.csp, version.csp_report_only, *self);
  if (!policies->empty()) version.policies = std::move(policies);
}

void ApplyPolicies(const std::shared_ptr<Version>& version, net::FetchClient& client) {
  client.policies = version->policies;
  if (!client.policies) return;
  client.on_violation = [weak = std::weak_ptr(version)](const net::CspViolation& violation) {
    auto broken = weak.lock();
    if (!broken || !broken->process) return;
    const bool script = violation.effective_directive == "script-src-elem";
    const auto what =
        fmt::format("{} '{}'", script ? "Loading the script" : "Connecting to", violation.blocked_uri);
    ipc::ToWorker message;
    *message.mutable_csp_violation() = Message(violation, what);
    broken->process->Send(std::move(message));
  };
}

void FillCodeGeneration(const Version& version, ipc::ServiceWorkerStart& start) {
  if (!version.policies) return;
  FillCode(*version.policies, Policies::Code::kString, "Evaluating a string as JavaScript",
           start.mutable_eval());
  FillCode(*version.policies, Policies::Code::kWasm, "Compiling or instantiating WebAssembly module",
           start.mutable_wasm());
}

}  // namespace vigil::host
