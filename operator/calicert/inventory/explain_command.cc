// `calicert explain`.

#include <memory>
#include <optional>
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
#include "operator/calicert/inventory/signer_state.h"
#include "operator/calicert/inventory/verdict.h"
#include "operator/config/signer_policy.h"
#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/api/core/config_map.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert::inventory {
namespace {

using csr_policy::Decision;

constexpr char kDefaultPolicy[] = "calico";

struct Options {
  ClusterFlags cluster;
  std::vector<std::string> names;
  std::string builtin_policy;
  std::string policy_file;
  api::ObjectKey deployment = {"csr-signer", "csr-signer"};
  std::vector<std::string> signer_names;
  std::string output = "text";
};

// A policy, and what the answer calls it.
struct NamedPolicy {
  std::string text;
  std::string name;
  std::vector<std::string> signer_names;  // that its signer serves; empty: not known
};

NamedPolicy Builtin(const std::string& name) {
  return {std::string(config::BuiltinSignerPolicy(name).value_or("")),
          fmt::format("{}, built in", name),
          {}};
}

// What the flags name; nullopt: nothing.
absl::StatusOr<std::optional<NamedPolicy>> PolicyOfFlags(const Options& options,
                                                         Terminal& terminal) {
  if (!options.policy_file.empty()) {
    CALICO_ASSIGN_OR_RETURN(std::string text, ReadInput(terminal, options.policy_file));
    return NamedPolicy{std::move(text), options.policy_file, {}};
  }
  if (!options.builtin_policy.empty()) return Builtin(options.builtin_policy);
  return std::nullopt;
}

// The policy that the cluster's signer runs with. Errors: of the client; FailedPrecondition where
// it cannot be had from the API server, as another one would give another answer.
aio::Task<absl::StatusOr<NamedPolicy>> PolicyOfSigner(Cluster& cluster, api::ObjectKey deployment) {
  const absl::StatusOr<json::object> object =
      co_await cluster.client.Get(api::kDeployments, deployment, cluster.timeout);
  const bool unseen =
      absl::IsNotFound(object.status()) || absl::IsPermissionDenied(object.status());
  if (!object.ok() && !unseen) co_return object.status();
  if (unseen) {
    Note(cluster.terminal, fmt::format("{}: taking the policy {} that csr-signer brings along",
                                       ErrorText(object.status()), kDefaultPolicy));
    co_return Builtin(kDefaultPolicy);
  }
  const SignerProgram program = ProgramOf(*object);
  NamedPolicy policy = Builtin(kDefaultPolicy);
  policy.signer_names = program.signer_names;
  if (program.policy_file.empty()) co_return policy;
  if (program.policy_map.empty()) {
    co_return absl::FailedPreconditionError(
        fmt::format("Deployment {} has its policy {} from no ConfigMap: give it with --policy",
                    deployment.ToString(), program.policy_file));
  }
  const api::ObjectKey key{deployment.ns, program.policy_map};
  const absl::StatusOr<json::object> map =
      co_await cluster.client.Get(api::kConfigMaps, key, cluster.timeout);
  if (!map.ok()) co_return base::Annotate(map.status(), "the signer's policy");
  CALICO_CO_ASSIGN_OR_RETURN(const api::ConfigMap config_map, api::ConfigMap::Decode(*map));
  policy.text = config_map.Get(program.policy_key);
  policy.name = fmt::format("ConfigMap {}, {}", key.ToString(), program.policy_key);
  co_return policy;
}

absl::StatusOr<csr_policy::CsrPolicy> Parse(const NamedPolicy& named, const Options& options,
                                            const std::string& asked_signer) {
  absl::StatusOr<csr_policy::CsrPolicy> policy = config::ParseSignerPolicy(named.text);
  if (!policy.ok()) return base::Annotate(policy.status(), "policy " + named.name);
  policy->signer_names = options.signer_names.empty() ? named.signer_names : options.signer_names;
  if (policy->signer_names.empty()) policy->signer_names = {asked_signer};
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
                  const std::string& policy_name, OutputFormat format) {
  if (format == OutputFormat::kText) return Explanation(facts, decision, policy_name);
  return Document(
      json::object{{"request", facts.csr.meta.name},
                   {"signerName", facts.csr.signer_name},
                   {"policy", policy_name},
                   {"answer", Word(decision.kind)},
                   {"entry", decision.entry == nullptr ? "" : decision.entry->name},
                   {"rule", decision.rule},
                   {"message", decision.message},
                   {"advice", decision.kind == Decision::Kind::kApprove ? std::string_view()
                                                                        : AdviceOn(decision.rule)}},
      format);
}

aio::Task<absl::StatusOr<int>> Explain(Cluster& cluster, const Options& options,
                                       std::optional<NamedPolicy> named) {
  const absl::StatusOr<json::object> object = co_await cluster.client.Get(
      api::kCertificateSigningRequests, {"", options.names.front()}, cluster.timeout);
  if (!object.ok()) co_return object.status();
  CALICO_CO_ASSIGN_OR_RETURN(api::CertificateSigningRequest csr,
                             api::CertificateSigningRequest::Decode(*object));
  if (!named.has_value()) {
    CALICO_CO_ASSIGN_OR_RETURN(named, co_await PolicyOfSigner(cluster, options.deployment));
  }
  CALICO_CO_ASSIGN_OR_RETURN(const csr_policy::CsrPolicy policy,
                             Parse(*named, options, csr.signer_name));
  csr_policy::CsrFacts facts = csr_policy::FactsOf(std::move(csr), cluster.Now());
  CALICO_CO_ASSIGN_OR_RETURN(const Decision decision, co_await JudgeNow(cluster, facts, policy));
  csr_policy::ParseRequest(facts);
  cluster.terminal.out << Print(facts, decision, named->name, ParseOutputFormat(options.output));
  co_return ExitCodeOf(decision.kind);
}

int RunExplain(const Options& options, Terminal& terminal) {
  const absl::StatusOr<std::optional<NamedPolicy>> policy = PolicyOfFlags(options, terminal);
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
              .help = "a policy that csr-signer brings along, in place of the signer's",
              .choices = builtin},
             &options->builtin_policy);
  flags.Text({.name = "policy", .value = "FILE", .help = "a policy in place of the signer's"},
             &options->policy_file);
  flags.List({.name = "signer-name",
              .value = "NAME",
              .help = "names that the signer serves; absent: those of its Deployment, or the "
                      "request's own"},
             &options->signer_names);
  flags.Text({.name = "signer-namespace", .value = "NAME", .help = "where the signer runs"},
             &options->deployment.ns);
  flags.Text({.name = "signer-deployment", .value = "NAME", .help = "its Deployment"},
             &options->deployment.name);
  flags.Check([options = options.get()](std::vector<std::string>& problems) {
    if (!options->policy_file.empty() && !options->builtin_policy.empty()) {
      problems.emplace_back("give either --policy or --builtin-policy");
    }
  });
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
          "has them now; the signer is not asked, and nothing is changed. The policy is the one of "
          "the signer's Deployment; where there is none, the one that csr-signer brings along. A "
          "signer that waits for what is younger than a few seconds is not imitated.",
      .declare = Declare};
}

}  // namespace calico::calicert::inventory
