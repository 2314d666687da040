#include "operator/config/signer.h"

#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/config/signer_policy.h"
#include "operator/csr_policy/policy.h"
#include "operator/validation/api_endpoint.h"
#include "pkg/api/meta/names.h"
#include "pkg/base/version.h"

namespace calico::config {
namespace {

constexpr std::string_view kProgram = "csr-signer";
constexpr std::string_view kSummary =
    "Approves and signs the CertificateSigningRequests of one or more signer names.\n"
    "A request that the policy does not allow is denied; the denial names the rule.";

void CheckSignerNames(const std::vector<std::string>& names, std::vector<std::string>& problems) {
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (!api::IsSignerName(name)) {
      problems.push_back(
          fmt::format("--signer-name: {:?} is not domain/path, such as example.com/signer", name));
    } else if (name.starts_with("kubernetes.io/")) {
      problems.push_back(fmt::format(
          "--signer-name: {:?} belongs to Kubernetes' own controllers, choose a domain of yours",
          name));
    } else if (!seen.insert(name).second) {
      problems.push_back(fmt::format("--signer-name: {:?} is there twice", name));
    }
  }
  if (names.empty()) problems.push_back("--signer-name: needs at least one name");
}

// People write the ConfigMap, which takes the place of what the kubelet sets. Without kube-proxy
// the cluster's Service is not reached, so nothing stands in for an address that is wrong.
void ReadServiceAddress(const EnvironmentReader& environment, SignerConfig* config,
                        std::vector<std::string>& problems) {
  if (!config->kubeconfig.empty() || !environment("KUBECONFIG").empty()) return;
  const validation::EndpointVerdict verdict =
      validation::ReadApiEndpoint(environment(std::string(validation::kServiceHostKey)),
                                  environment(std::string(validation::kServicePortKey)));
  config->service_host = verdict.host;
  config->service_port = verdict.port;
  if (verdict.ok()) return;
  const std::string ns = environment("POD_NAMESPACE");
  problems.push_back(
      fmt::format("{} (if it comes from ConfigMap {}/kubernetes-services-endpoint, correct it "
                  "there)",
                  fmt::join(verdict.problems, "; "), ns.empty() ? kProgram : ns));
}

void AddFlags(Flags& flags, SignerConfig* config) {
  flags.List({.name = "signer-name",
              .value = "NAME",
              .help = "signer name to serve; may be repeated",
              .environment = "SIGNER_NAME",
              .required = true},
             &config->signer_names);
  flags.Text({.name = "ca-cert",
              .value = "FILE",
              .help = "certificate of the CA, then those above it, if any (PEM)",
              .environment = "CA_CERT_FILE",
              .required = true},
             &config->ca_cert_file);
  flags.Text({.name = "ca-key",
              .value = "FILE",
              .help = "private key of the CA (PEM); both files are read again when they change",
              .environment = "CA_KEY_FILE",
              .required = true},
             &config->ca_key_file);
  flags.Text({.name = "policy",
              .value = "FILE",
              .help = "who may have which certificate; absent: the built-in policy calico"},
             &config->policy_file);
  flags.Period(
      {.name = "duration",
       .value = "TIME",
       .help = "longest validity; nothing renews a certificate yet while its pod runs, so a short "
               "one expires in a running pod"},
      &config->duration);
  flags.Switch({.name = "sign-approved-only",
                .help = "never approve or deny; sign what somebody else has approved, if the "
                        "policy allows it"},
               &config->sign_approved_only);
  flags.Number({.name = "concurrency", .value = "N", .help = "requests in work at the same time"},
               1, 256, &config->concurrency);
  flags.Switch({.name = "leader-elect", .help = "work only while holding the Lease csr-signer"},
               &config->leader_elect);
  flags.Text({.name = "metrics-addr", .value = "ADDR", .help = "serve /metrics on host:port"},
             &config->metrics_address);
  flags.Text(
      {.name = "health-addr", .value = "ADDR", .help = "serve /healthz and /readyz on host:port"},
      &config->health_address);
  flags.Text({.name = "kubeconfig",
              .value = "FILE",
              .help = "absent: KUBECONFIG, ~/.kube/config, or the pod's service account"},
             &config->kubeconfig);
}

void AddExamples(Flags& flags) {
  flags.Example("In a pod, for an Installation whose signerName is example.com/signer",
                "csr-signer --signer-name example.com/signer --ca-cert /ca/tls.crt "
                "--ca-key /ca/tls.key");
  flags.Example("Start a policy of your own from the built-in one",
                "csr-signer --print-policy calico > policy.yaml");
  flags.Example("From outside, with a policy of your own",
                "csr-signer --kubeconfig admin.conf --signer-name example.com/signer "
                "--ca-cert ca.crt --ca-key ca.key --policy policy.yaml");
}

}  // namespace

EnvironmentReader CheckedEnvironment(const SignerConfig& config, EnvironmentReader environment) {
  return [&config, environment = std::move(environment)](const std::string& name) {
    if (name == validation::kServiceHostKey && !config.service_host.empty()) {
      return config.service_host;
    }
    if (name == validation::kServicePortKey && !config.service_port.empty()) {
      return config.service_port;
    }
    return environment(name);
  };
}

ParsedFlags ParseSignerConfig(int argc, const char* const* argv,
                              const EnvironmentReader& environment, SignerConfig* config) {
  Flags flags{std::string(kProgram), std::string(kSummary)};
  AddFlags(flags, config);
  flags.LogLevel(&config->log_level);
  std::string print_policy;
  std::vector<std::string> policies;
  for (const std::string_view name : BuiltinSignerPolicyNames()) policies.emplace_back(name);
  flags.Answer(
      {.name = "print-policy",
       .value = "NAME",
       .help =
           "print a built-in policy as a file to edit; tigera-operator is for Tigera's operator "
           "and its key-cert-provisioner",
       .choices = policies},
      [](std::string_view name) { return std::string(BuiltinSignerPolicy(name).value_or("")); });
  AddExamples(flags);
  flags.Version(fmt::format("{} {}", kProgram, base::Version()));
  flags.Check([&](std::vector<std::string>& problems) {
    CheckSignerNames(config->signer_names, problems);
    if (config->duration < csr_policy::kShortestDuration) {
      problems.push_back("--duration: less than 10m");
    }
    ReadServiceAddress(environment, config, problems);
  });
  ParsedFlags parsed = flags.Parse(argc, argv, environment);
  if (parsed.exit_code.has_value()) return parsed;
  config->lease_namespace = environment("POD_NAMESPACE");
  return {};
}

}  // namespace calico::config
