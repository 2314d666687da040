#include "operator/calicert/calico/calico_commands.h"

#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "operator/calicert/calico/certificate_management.h"
#include "operator/calicert/cluster/cluster.h"
#include "operator/calicert/cluster/cluster_flags.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/input.h"
#include "operator/calicert/command/output.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert {
namespace {

using calico_section::Section;

struct Options {
  ClusterFlags cluster;
  std::string ca_file;
  std::string signer_certificate_file;
  calico_section::SectionOptions section = {.key_algorithm = "ECDSAWithCurve256",
                                            .signature_algorithm = "ECDSAWithSHA256"};
  std::string installation = "default";
  bool diff = false;
  bool apply = false;
  std::string output = "yaml";
};

absl::StatusOr<Section> Make(const Options& options, Terminal& terminal) {
  calico_section::SectionOptions wanted = options.section;
  CALICO_ASSIGN_OR_RETURN(wanted.ca_text, ReadInput(terminal, options.ca_file));
  if (!options.signer_certificate_file.empty()) {
    CALICO_ASSIGN_OR_RETURN(wanted.signer_certificate_text,
                            ReadInput(terminal, options.signer_certificate_file));
  }
  return calico_section::MakeSection(wanted, terminal.clock.Now());
}

const json::object* SectionOf(const json::object& installation) {
  const json::object* const spec = codec::FindObject(installation, "spec");
  return spec == nullptr ? nullptr : codec::FindObject(*spec, "certificateManagement");
}

// Shows what changes, and changes it if that is asked for.
aio::Task<absl::StatusOr<int>> Apply(Cluster& cluster, const Options& options,
                                     const Section& section) {
  const api::ObjectKey key{"", options.installation};
  const absl::StatusOr<json::object> there =
      co_await cluster.client.Get(api::kInstallations, key, cluster.timeout);
  if (absl::IsNotFound(there.status()) && !IsUnknownKind(there.status())) {
    co_return absl::NotFoundError(fmt::format(
        "{}; make one with what this prints without --apply and --diff (kubectl apply -f -)",
        ErrorText(there.status())));
  }
  if (!there.ok()) co_return there.status();
  const json::object* const before = SectionOf(*there);
  const std::string difference = calico_section::DifferenceText(before, section.fields);
  std::ostream& out = cluster.terminal.out;
  const std::string name = fmt::format("installation.operator.tigera.io/{}", key.name);
  if (difference.empty()) {
    out << name << " unchanged\n";
    co_return kExitOk;
  }
  out << fmt::format("{} spec.certificateManagement\n{}", name, difference);
  if (!options.apply) co_return kExitOk;
  Note(cluster.terminal,
       "calico-node, calico-typha and Calico's API server restart, one after the other");
  const api::ObjectMeta meta = api::ObjectMetaOf(*there);
  const absl::StatusOr<json::object> written = co_await cluster.client.Patch(
      api::kInstallations, key,
      calico_section::PatchTo(before, section.fields, meta.resource_version), "", cluster.timeout);
  if (!written.ok()) co_return written.status();
  out << name << " configured\n";
  co_return kExitOk;
}

int RunSection(const Options& options, Terminal& terminal) {
  const absl::StatusOr<Section> section = Make(options, terminal);
  if (!section.ok()) return Fail(terminal, section.status());
  for (const std::string& warning : section->warnings) Note(terminal, "warning: " + warning);
  for (const std::string& problem : section->problems) Fail(terminal, problem);
  if (!section->problems.empty()) return kExitFailed;
  if (options.apply || options.diff) {
    return RunInCluster(options.cluster, terminal,
                        [&](Cluster& cluster) { return Apply(cluster, options, *section); });
  }
  terminal.out << Document(calico_section::InstallationWith(*section, options.installation),
                           ParseOutputFormat(options.output));
  return kExitOk;
}

Run Declare(config::Flags& flags) {
  auto options = std::make_shared<Options>();
  flags.Text({.name = "ca",
              .value = "FILE",
              .help = "certificates of the CA that pods are to trust, PEM; - is standard input",
              .required = true},
             &options->ca_file);
  flags.Text({.name = "signer-name",
              .value = "NAME",
              .help = "the name that your signer serves",
              .required = true},
             &options->section.signer_name);
  flags.Text({.name = "key-algorithm",
              .value = "NAME",
              .help = "of the pods' keys",
              .choices = {"ECDSAWithCurve256", "ECDSAWithCurve384", "ECDSAWithCurve521",
                          "RSAWithSize2048", "RSAWithSize4096", "RSAWithSize8192"}},
             &options->section.key_algorithm);
  flags.Text({.name = "signature-algorithm",
              .value = "NAME",
              .help = "of their requests; of the key's family",
              .choices = {"ECDSAWithSHA256", "ECDSAWithSHA384", "ECDSAWithSHA512", "SHA256WithRSA",
                          "SHA384WithRSA", "SHA512WithRSA"}},
             &options->section.signature_algorithm);
  flags.Text({.name = "signer-certificate",
              .value = "FILE",
              .help = "what the signer signs with: checked to lead to --ca"},
             &options->signer_certificate_file);
  flags.Text({.name = "installation", .value = "NAME", .help = "name of the Installation"},
             &options->installation);
  flags.Switch({.name = "diff", .help = "show what would change in the cluster"}, &options->diff);
  flags.Switch({.name = "apply", .help = "show it, and change it"}, &options->apply);
  AddOutputFlag(flags, {OutputFormat::kYaml, OutputFormat::kJson}, &options->output);
  AddClusterFlags(flags, &options->cluster);
  flags.Example("Print the Installation",
                "calicert calico certificate-management --ca ca.pem --signer-name "
                "example.com/signer");
  flags.Example("Change the one in the cluster",
                "calicert calico certificate-management --ca ca.pem --signer-name "
                "example.com/signer --apply");
  return [options](Terminal& terminal) { return RunSection(*options, terminal); };
}

}  // namespace

std::vector<Command> CalicoCommands() {
  return {
      {.path = "calico certificate-management",
       .summary = "make and check certificateManagement of an Installation",
       .details =
           "The file is judged as the operator judges caCert: a CA that may sign for TLS servers "
           "and clients, valid now, readable by Calico; name and algorithms as well, which have "
           "to be of one family. Every problem is told at once, and nothing is printed or "
           "changed then.",
       .declare = Declare}};
}

}  // namespace calico::calicert
