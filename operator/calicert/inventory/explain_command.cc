// `calicert explain`.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "operator/calicert/cluster/cluster.h"
#include "operator/calicert/cluster/cluster_flags.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/input.h"
#include "operator/calicert/command/output.h"
#include "operator/calicert/inventory/inventory_commands.h"
#include "operator/calicert/inventory/verdict.h"
#include "operator/config/signer_policy.h"
#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert::inventory {
namespace {

using csr_policy::Decision;

struct Options {
  ClusterFlags cluster;
  std::vector<std::string> names;
  std::string policy = "calico";
  std::string policy_file;
  std::vector<std::string> signer_names;
  std::string output = "text";
};

absl::StatusOr<csr_policy::CsrPolicy> ReadPolicy(const Options& options, Terminal& terminal) {
  std::string text;
  if (options.policy_file.empty()) {
    text = std::string(config::BuiltinSignerPolicy(options.policy).value_or(""));
  } else {
    CALICO_ASSIGN_OR_RETURN(text, ReadInput(terminal, options.policy_file));
  }
  absl::StatusOr<csr_policy::CsrPolicy> policy = config::ParseSignerPolicy(text);
  if (!policy.ok()) {
    return base::Annotate(policy.status(), options.policy_file.empty() ? "policy " + options.policy
                                                                       : options.policy_file);
  }
  policy->signer_names = options.signer_names;
  return policy;
}

int ExitCodeOf(Decision::Kind kind) {
  switch (kind) {
    case Decision::Kind::kApprove:
      return kExitOk;
    case Decision::Kind::kDeny:
      return kExitWouldDeny;
    case Decision::Kind::kRetry:
      break;
  }
  return kExitWouldWait;
}

std::string_view Word(Decision::Kind kind) {
  switch (kind) {
    case Decision::Kind::kApprove:
      return "approve";
    case Decision::Kind::kDeny:
      return "deny";
    case Decision::Kind::kRetry:
      break;
  }
  return "wait";
}

std::string Print(const csr_policy::CsrFacts& facts, const Decision& decision,
                  OutputFormat format) {
  if (format == OutputFormat::kText) return Explanation(facts, decision);
  return Document(
      json::object{{"request", facts.csr.meta.name},
                   {"signerName", facts.csr.signer_name},
                   {"answer", Word(decision.kind)},
                   {"entry", decision.entry == nullptr ? "" : decision.entry->name},
                   {"rule", decision.rule},
                   {"message", decision.message},
                   {"advice", decision.kind == Decision::Kind::kApprove ? std::string_view()
                                                                        : AdviceOn(decision.rule)}},
      format);
}

aio::Task<absl::StatusOr<int>> Explain(Cluster& cluster, const Options& options,
                                       csr_policy::CsrPolicy policy) {
  const absl::StatusOr<json::object> object = co_await cluster.client.Get(
      api::kCertificateSigningRequests, {"", options.names.front()}, cluster.timeout);
  if (!object.ok()) co_return object.status();
  CALICO_CO_ASSIGN_OR_RETURN(api::CertificateSigningRequest csr,
                             api::CertificateSigningRequest::Decode(*object));
  if (policy.signer_names.empty()) policy.signer_names = {csr.signer_name};
  csr_policy::CsrFacts facts = csr_policy::FactsOf(std::move(csr), cluster.Now());
  CALICO_CO_ASSIGN_OR_RETURN(const Decision decision, co_await JudgeNow(cluster, facts, policy));
  csr_policy::ParseRequest(facts);
  cluster.terminal.out << Print(facts, decision, ParseOutputFormat(options.output));
  co_return ExitCodeOf(decision.kind);
}

int RunExplain(const Options& options, Terminal& terminal) {
  const absl::StatusOr<csr_policy::CsrPolicy> policy = ReadPolicy(options, terminal);
  if (!policy.ok()) return Fail(terminal, policy.status());
  return RunInCluster(options.cluster, terminal,
                      [&](Cluster& cluster) { return Explain(cluster, options, *policy); });
}

Run Declare(config::Flags& flags) {
  auto options = std::make_shared<Options>();
  std::vector<std::string> builtin;
  for (const std::string_view name : config::BuiltinSignerPolicyNames()) {
    builtin.emplace_back(name);
  }
  flags.Arguments({.name = "CSR", .help = "the request", .minimum = 1, .maximum = 1},
                  &options->names);
  flags.Text({.name = "builtin-policy",
              .value = "NAME",
              .help = "a policy that csr-signer brings along",
              .choices = builtin},
             &options->policy);
  flags.Text({.name = "policy", .value = "FILE", .help = "the policy that the signer runs with"},
             &options->policy_file);
  flags.List({.name = "signer-name",
              .value = "NAME",
              .help = "names that the signer serves; absent: the request's own"},
             &options->signer_names);
  AddOutputFlag(flags, {OutputFormat::kText, OutputFormat::kJson, OutputFormat::kYaml},
                &options->output);
  AddClusterFlags(flags, &options->cluster);
  flags.ExitCode(kExitOk, "the signer would approve it");
  flags.ExitCode(kExitFailed, "the API server or the policy cannot be read");
  flags.ExitCode(kExitUsage, "wrong flags");
  flags.ExitCode(kExitWouldDeny, "the signer would deny it");
  flags.ExitCode(kExitWouldWait, "the signer would wait for something");
  flags.Example("Why a pod does not get its certificate",
                "calicert explain calico-system:calico-node-5ckvq:9a3a10");
  flags.Example("Try a policy before it is used",
                "calicert explain calico-system:calico-node-5ckvq:9a3a10 --policy policy.yaml");
  return [options](Terminal& terminal) { return RunExplain(*options, terminal); };
}

}  // namespace

Command ExplainCommand() {
  return {
      .path = "explain",
      .summary = "tell what csr-signer would say about a request, and why",
      .details =
          "The signer's own rules are evaluated here, with pod, node and addresses as the cluster "
          "has them now; the signer is not asked, and nothing is changed. A signer that waits for "
          "what is younger than a few seconds is not imitated.",
      .declare = Declare};
}

}  // namespace calico::calicert::inventory
