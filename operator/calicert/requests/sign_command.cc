// csr sign.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "operator/calicert/cluster/cluster.h"
#include "operator/calicert/cluster/cluster_flags.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/input.h"
#include "operator/calicert/requests/csr_commands.h"
#include "operator/calicert/requests/csr_printing.h"
#include "operator/calicert/requests/issuers.h"
#include "operator/calicert/requests/signing.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert::requests {
namespace {

struct Options {
  ClusterFlags cluster;
  std::vector<std::string> names;
  IssuerOptions issuer;
  std::string certificate_file;
  SignOptions sign;
};

aio::Task<absl::StatusOr<int>> SignAll(Cluster& cluster, const Options& options,
                                       const CertificateSource& source) {
  int code = kExitOk;
  for (const std::string& name : options.names) {
    const absl::StatusOr<Signed> result =
        co_await SignInCluster(cluster, name, options.sign, source.issue, source.will_do);
    if (!result.ok()) {
      code = Fail(cluster.terminal, ErrorText(result.status()));
      continue;
    }
    cluster.terminal.out << fmt::format("{} {}\n", CsrName(name),
                                        result->is_new ? "signed" : "unchanged");
  }
  co_return code;
}

int RunSign(const Options& options, Terminal& terminal) {
  absl::StatusOr<CertificateSource> source =
      options.certificate_file.empty()
          ? MakeIssuer(options.issuer, terminal)
          : IssuedElsewhere(ReadInput(terminal, options.certificate_file));
  if (!source.ok()) return Fail(terminal, source.status());
  return RunInCluster(options.cluster, terminal,
                      [&](Cluster& cluster) { return SignAll(cluster, options, *source); });
}

Run Declare(config::Flags& flags) {
  auto options = std::make_shared<Options>();
  flags.Arguments({.name = "NAME", .help = "the requests", .minimum = 1}, &options->names);
  AddIssuerFlags(flags, &options->issuer);
  flags.Text({.name = "certificate",
              .value = "FILE",
              .help = "store this certificate, signed elsewhere, in place of signing"},
             &options->certificate_file);
  flags.Switch({.name = "unapproved",
                .help = "store the certificate before anybody has approved the request"},
               &options->sign.unapproved);
  AddClusterFlags(flags, &options->cluster);
  flags.Check([options = options.get()](std::vector<std::string>& problems) {
    const bool has_ca = !options->issuer.ca_file.empty() && !options->issuer.ca_key_file.empty();
    if (has_ca == !options->certificate_file.empty()) {
      problems.emplace_back("give either --ca and --ca-key, or --certificate");
    }
    if (!options->certificate_file.empty() && options->names.size() > 1) {
      problems.emplace_back("--certificate: one certificate for several requests");
    }
  });
  flags.Example("As kube-controller-manager would sign",
                "calicert csr sign my-svc.my-namespace --ca ca.pem --ca-key ca-key.pem");
  flags.Example("By a profile of cfssl",
                "calicert csr sign my-svc.my-namespace --ca ca.pem --ca-key ca-key.pem --config "
                "server-signing-config.json");
  return [options](Terminal& terminal) { return RunSign(*options, terminal); };
}

}  // namespace

Command SignCommand() {
  return {
      .path = "csr sign",
      .summary = "sign certificate signing requests with a CA of one's own",
      .details =
          "Reads the request, signs it and stores the certificate in its status, in one step. "
          "Without --config by kube-controller-manager's rules: subject and names of the "
          "request, usages of spec.usages, as long as spec.expirationSeconds says and --duration "
          "allows, never longer than the CA. With --config the profile decides on usages and "
          "duration, and it is told where spec.usages says something else.\n\nA certificate is "
          "only ever stored for the request's own key. It needs the right to update "
          "certificatesigningrequests/status and to sign for the request's signer.",
      .declare = Declare};
}

}  // namespace calico::calicert::requests
