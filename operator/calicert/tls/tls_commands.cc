#include "operator/calicert/tls/tls_commands.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "operator/calicert/cluster/cluster.h"
#include "operator/calicert/cluster/cluster_flags.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/input.h"
#include "operator/calicert/requests/issuers.h"
#include "operator/calicert/tls/workflow.h"
#include "pkg/api/meta/names.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert {
namespace {

const std::vector<std::string> kTargets = {"secret", "configmap", "files"};

struct Options {
  ClusterFlags cluster;
  requests::IssuerOptions issuer;
  std::vector<std::string> service;
  std::vector<std::string> targets = {"secret", "configmap"};
  std::string request_file;
  int expiration_seconds = 0;
  tls::Plan plan = {.signer_name = "example.com/serving",
                    .usages = {"digital signature", "key encipherment", "server auth"}};
};

bool Has(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

absl::StatusOr<tls::Plan> Prepare(const Options& options, Terminal& terminal) {
  tls::Plan plan = options.plan;
  plan.service = options.service.front();
  plan.target = {.secret = Has(options.targets, "secret"),
                 .config_map = Has(options.targets, "configmap"),
                 .files = Has(options.targets, "files")};
  if (plan.secret_name.empty()) plan.secret_name = plan.service + "-tls";
  if (plan.config_map_name.empty()) plan.config_map_name = plan.service + "-ca";
  if (options.expiration_seconds != 0) plan.expiration_seconds = options.expiration_seconds;
  plan.description_file = "--hostname";
  if (!options.request_file.empty()) {
    CALICO_ASSIGN_OR_RETURN(plan.description, ReadInput(terminal, options.request_file));
    plan.description_file = options.request_file;
  }
  CALICO_ASSIGN_OR_RETURN(plan.ca_text, ReadInput(terminal, options.issuer.ca_file));
  absl::StatusOr<std::vector<pki::Certificate>> ca =
      pki::Certificate::ParsePemBundle(plan.ca_text, pki::SurroundingText::kAllow);
  if (!ca.ok()) return base::Annotate(ca.status(), options.issuer.ca_file);
  plan.ca = *std::move(ca);
  if (!options.issuer.ca_key_file.empty() && !plan.dry_run) {
    CALICO_ASSIGN_OR_RETURN(plan.issuer, requests::MakeIssuer(options.issuer, terminal));
  }
  return plan;
}

int RunTls(const Options& options, Terminal& terminal) {
  absl::StatusOr<tls::Plan> plan = Prepare(options, terminal);
  if (!plan.ok()) return Fail(terminal, plan.status());
  return RunInCluster(options.cluster, terminal,
                      [&](Cluster& cluster) -> aio::Task<absl::StatusOr<int>> {
                        if (plan->csr_name.empty()) {
                          plan->csr_name = fmt::format("{}.{}", plan->service, cluster.ns);
                        }
                        return tls::IssueForService(cluster, *plan);
                      });
}

void AddNameFlags(config::Flags& flags, Options& options) {
  tls::Plan& plan = options.plan;
  flags.Text(
      {.name = "request",
       .value = "FILE",
       .help = "CSR description in cfssl's JSON; absent: the Service's names and cluster IPs"},
      &options.request_file);
  flags.List({.name = "hostname",
              .value = "NAME",
              .help = "further DNS name or IP address, without --request"},
             &plan.more_hosts);
  flags.Text({.name = "cluster-domain", .value = "NAME", .help = "the cluster's DNS domain"},
             &plan.cluster_domain);
  flags.Text({.name = "name", .value = "NAME", .help = "of the request; absent: SERVICE.NAMESPACE"},
             &plan.csr_name);
  flags.Text({.name = "signer-name", .value = "NAME", .help = "who is to sign"}, &plan.signer_name);
  flags.List({.name = "usage", .value = "USAGE", .help = "what the certificate is for"},
             &plan.usages);
  flags.Number({.name = "expiration-seconds",
                .value = "SECONDS",
                .help = "how long it is to last; 0: as the signer likes"},
               0, 2147483647, &options.expiration_seconds);
}

void AddTargetFlags(config::Flags& flags, Options& options) {
  tls::Plan& plan = options.plan;
  flags.List({.name = "output",
              .value = "WHERE",
              .help = "where it goes; repeatable",
              .choices = kTargets,
              .letter = 'o'},
             &options.targets);
  flags.Text({.name = "secret-name", .value = "NAME", .help = "absent: SERVICE-tls"},
             &plan.secret_name);
  flags.Text({.name = "configmap-name", .value = "NAME", .help = "absent: SERVICE-ca"},
             &plan.config_map_name);
  flags.Text({.name = "directory",
              .value = "DIR",
              .help = "of files SERVICE.crt, SERVICE-key.pem and ca.crt; absent: here"},
             &plan.directory);
  flags.Switch({.name = "renew", .help = "even if the pair that is there will do"}, &plan.renew);
  flags.Switch({.name = "dry-run", .help = "print the objects, write nothing"}, &plan.dry_run);
  flags.Period({.name = "timeout",
                .value = "PERIOD",
                .help = "how long to wait for a signer, without --ca-key"},
               &plan.timeout);
}

void Check(const Options& options, std::vector<std::string>& problems) {
  if (options.issuer.ca_file.empty()) {
    problems.emplace_back("--ca is needed: what clients are to trust");
  }
  if (!options.request_file.empty() && !options.plan.more_hosts.empty()) {
    problems.emplace_back("--hostname: write it into the file of --request");
  }
  if (!api::IsDnsLabel(options.service.front())) {
    problems.push_back(fmt::format("{:?} is no name of a Service", options.service.front()));
  }
}

Run Declare(config::Flags& flags) {
  auto options = std::make_shared<Options>();
  flags.Arguments({.name = "SERVICE", .help = "the Service", .minimum = 1, .maximum = 1},
                  &options->service);
  requests::AddIssuerFlags(flags, &options->issuer, requests::CaKey::kOptional);
  AddNameFlags(flags, *options);
  AddTargetFlags(flags, *options);
  AddClusterFlags(flags, &options->cluster);
  flags.Check(
      [options = options.get()](std::vector<std::string>& problems) { Check(*options, problems); });
  flags.Example("With a CA of one's own, as the Kubernetes page does it by hand",
                "calicert tls my-svc -n my-namespace --ca ca.pem --ca-key ca-key.pem --request "
                "server-csr.json --secret-name server --configmap-name example-serving-ca");
  flags.Example(
      "By a signer that runs in the cluster",
      "calicert tls my-svc -n my-namespace --ca ca.pem --signer-name example.com/serving");
  flags.Example("Files for a server outside of the cluster",
                "calicert tls my-svc -n my-namespace --ca ca.pem --ca-key ca-key.pem -o files");
  return [options](Terminal& terminal) { return RunTls(*options, terminal); };
}

}  // namespace

std::vector<Command> TlsCommands() {
  return {
      {.path = "tls",
       .summary = "get a Service its TLS certificate, from the key to the Secret",
       .details =
           "Makes key and request, creates the CertificateSigningRequest, approves and signs it "
           "with --ca-key (without, it waits for a signer), downloads and verifies the "
           "certificate, and puts it into a Secret kubernetes.io/tls, its CA into a ConfigMap "
           "under ca.crt. Each step is told on stderr.\n\nIt may be repeated: a pair with the "
           "wanted names that is not in the last third of its life is left alone. A renewed "
           "Secret gets a new key; the key in a file is used again.",
       .declare = Declare}};
}

}  // namespace calico::calicert
