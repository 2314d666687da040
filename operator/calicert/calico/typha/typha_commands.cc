#include "operator/calicert/calico/typha/typha_commands.h"

#include <memory>
#include <string>

#include <fmt/format.h>

#include "operator/calicert/calico/typha/typha_check.h"
#include "operator/calicert/calico/typha/typha_pairs.h"
#include "operator/calicert/cfssl/issuing.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/output.h"
#include "operator/calicert/etcd/generate.h"
#include "operator/calicert/etcd/report.h"
#include "operator/calicert/etcd/store.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/yaml_writer.h"

namespace calico::calicert {
namespace {

using typha::TyphaOptions;

struct TyphaFlags {
  std::vector<std::string> folder;
  std::string naming = "hard-way";
  TyphaOptions options;
  absl::Duration renew_within = absl::ZeroDuration();
  bool force = false;
  bool new_ca = false;
  bool environment = false;
  std::string output;
  bool apply = false;
  ClusterWriter writer;  // for --apply
};

TyphaOptions OptionsOf(const TyphaFlags& flags) {
  TyphaOptions options = flags.options;
  options.naming = flags.naming == "operator" ? typha::Naming::kOperator : typha::Naming::kHardWay;
  options.folder = flags.folder.empty() ? "typha-tls" : flags.folder.front();
  return Complete(std::move(options));
}

absl::StatusOr<std::vector<etcd::Step>> MakeFiles(const TyphaFlags& flags,
                                                  const etcd::Layout& layout, Terminal& terminal) {
  etcd::GenerateOptions options;
  if (flags.renew_within > absl::ZeroDuration()) {
    options.decision.renew_within = flags.renew_within;
  }
  options.decision.new_keys = flags.force;
  options.decision.new_ca = flags.new_ca;
  const auto done = [&terminal](const etcd::Step& step) { Note(terminal, etcd::StepLine(step)); };
  return etcd::Generate(layout, options, cfssl::MakeKey, done, terminal.clock.Now());
}

int PrintManifests(const TyphaOptions& options, const etcd::Layout& layout, OutputFormat format,
                   Terminal& terminal) {
  const auto manifests = typha::ReadManifests(options, layout);
  if (!manifests.ok()) return Fail(terminal, manifests.status());
  if (format == OutputFormat::kYaml) {
    terminal.out << codec::ToYaml(*manifests);
  } else {
    for (const json::value& manifest : *manifests) terminal.out << Document(manifest);
  }
  return kExitOk;
}

int RunTyphaTls(const TyphaFlags& flags, Terminal& terminal) {
  if (flags.new_ca && !flags.force) {
    return Fail(terminal, "--new-ca puts new keys in place of all: it needs --force, too");
  }
  const TyphaOptions options = OptionsOf(flags);
  const absl::StatusOr<etcd::Layout> layout = TyphaLayout(options);
  if (!layout.ok()) return Fail(terminal, layout.status());
  const auto steps = MakeFiles(flags, *layout, terminal);
  if (!steps.ok()) return Fail(terminal, steps.status());
  bool changed = false;
  for (const etcd::Step& step : *steps) changed |= step.decision.action != etcd::Action::kKeep;
  Note(terminal, changed ? "Typha reads its files at start: restart it; Felix reads them when it "
                           "connects. Roll a new CA out to both as a bundle of old and new first"
                         : "everything is there and in time: nothing was changed");
  const OutputFormat format = ParseOutputFormat(flags.output);
  if (flags.apply) {
    const auto manifests = typha::ReadManifests(options, *layout);
    if (!manifests.ok()) return Fail(terminal, manifests.status());
    return flags.writer(*manifests, terminal);
  }
  if (format != OutputFormat::kText) return PrintManifests(options, *layout, format, terminal);
  if (flags.environment) terminal.out << EnvironmentText(options);
  return kExitOk;
}

void AddIdentityFlags(config::Flags& flags, TyphaOptions* options) {
  flags.Text({.name = "typha-cn",
              .value = "CN",
              .help = "who Typha is; calico-typha or typha-server unless given"},
             &options->typha.common_name);
  flags.Text({.name = "typha-uri", .value = "URI", .help = "or by a URI, such as a SPIFFE id"},
             &options->typha.uri);
  flags.Text({.name = "client-cn",
              .value = "CN",
              .help = "who calico-node is; calico-node or typha-client unless given"},
             &options->node.common_name);
  flags.Text({.name = "client-uri", .value = "URI", .help = "or by a URI"}, &options->node.uri);
}

Run DeclareTyphaTls(const DeclareWriter& writer, config::Flags& flags) {
  auto options = std::make_shared<TyphaFlags>();
  flags.Arguments({.name = "DIR",
                   .help = "where the files are; typha-tls unless given",
                   .minimum = 0,
                   .maximum = 1},
                  &options->folder);
  flags.Text({.name = "names",
              .value = "NAMING",
              .help = "hard-way: typha.crt, calico-node.crt, objects in kube-system; operator: "
                      "typha-certs, node-certs in tigera-operator",
              .choices = {"hard-way", "operator"}},
             &options->naming);
  AddIdentityFlags(flags, &options->options);
  flags.Period({.name = "expiry", .value = "TIME", .help = "how long the pairs last"},
               &options->options.expiry);
  flags.Period({.name = "ca-expiry", .value = "TIME", .help = "how long a new CA lasts"},
               &options->options.ca_expiry);
  flags.Period({.name = "renew-within",
                .value = "TIME",
                .help = "renew what ends within this time; unless given 30 days, or the last third "
                        "of a shorter life"},
               &options->renew_within);
  flags.Switch({.name = "force", .help = "new keys in place of those that are there"},
               &options->force);
  flags.Switch({.name = "new-ca", .help = "with --force: a new CA, too"}, &options->new_ca);
  flags.Switch({.name = "env", .help = "print the environment of calico-typha and calico-node"},
               &options->environment);
  AddOutputFlag(flags, {OutputFormat::kText, OutputFormat::kYaml, OutputFormat::kJson},
                &options->output);
  flags.Example("Files, then ConfigMap and Secrets for the cluster",
                "calicert calico typha-tls -o yaml | kubectl apply -f -");
  if (writer != nullptr) {
    flags.Switch({.name = "apply", .help = "write ConfigMap and Secrets into the cluster"},
                 &options->apply);
    options->writer = writer(flags);
    flags.Check([options = options.get()](std::vector<std::string>& problems) {
      if (options->apply && !options->output.empty() && options->output != "text") {
        problems.emplace_back("give either --apply or --output");
      }
    });
    flags.Example("The same without kubectl", "calicert calico typha-tls --apply");
  }
  flags.Example("The environment of both sides", "calicert calico typha-tls --env");
  flags.Example("By SPIFFE ids",
                "calicert calico typha-tls --typha-uri spiffe://k8s.example.com/typha-server "
                "--client-uri spiffe://k8s.example.com/typha-client");
  return [options](Terminal& terminal) { return RunTyphaTls(*options, terminal); };
}

struct CheckFlags {
  std::string ca;
  std::string felix_ca;
  std::string typha_cert;
  std::string typha_key;
  std::string node_cert;
  std::string node_key;
  TyphaOptions identities;
  std::string output;
};

absl::StatusOr<typha::Link> ReadLink(const CheckFlags& flags) {
  typha::Link link;
  CALICO_ASSIGN_OR_RETURN(link.typha_trusts, etcd::ReadTrust(flags.ca));
  CALICO_ASSIGN_OR_RETURN(link.felix_trusts,
                          etcd::ReadTrust(flags.felix_ca.empty() ? flags.ca : flags.felix_ca));
  link.typha = {flags.typha_cert, flags.typha_key,
                etcd::ReadFound(flags.typha_cert, flags.typha_key), flags.identities.node};
  link.felix = {flags.node_cert, flags.node_key, etcd::ReadFound(flags.node_cert, flags.node_key),
                flags.identities.typha};
  return link;
}

int RunTyphaCheck(const CheckFlags& flags, Terminal& terminal) {
  const absl::StatusOr<typha::Link> link = ReadLink(flags);
  if (!link.ok()) {
    Fail(terminal, link.status());
    return kExitUsage;
  }
  const std::vector<etcd::Finding> findings = CheckLink(*link, terminal.clock.Now());
  const OutputFormat format = ParseOutputFormat(flags.output);
  bool refused = false;
  for (const etcd::Finding& finding : findings) {
    refused |= finding.severity == etcd::Severity::kError;
  }
  if (format == OutputFormat::kText) {
    terminal.out << etcd::FindingsText(findings, terminal);
    if (findings.empty()) Note(terminal, "Typha and Felix take each other");
  } else {
    terminal.out << Document(etcd::FindingsValue(findings), format);
  }
  return refused ? kExitFailed : kExitOk;
}

Run DeclareTyphaCheck(config::Flags& flags) {
  auto options = std::make_shared<CheckFlags>();
  const auto file = [&flags](std::string name, std::string help, std::string environment,
                             std::string* target, bool required = true) {
    flags.Text({.name = std::move(name),
                .value = "FILE",
                .help = std::move(help),
                .environment = std::move(environment),
                .required = required},
               target);
  };
  file("ca", "what Typha trusts", "TYPHA_CAFILE", &options->ca);
  file("felix-ca", "what Felix trusts; as --ca unless given", "FELIX_TYPHACAFILE",
       &options->felix_ca, false);
  file("typha-cert", "Typha's certificate", "TYPHA_SERVERCERTFILE", &options->typha_cert);
  file("typha-key", "its key", "TYPHA_SERVERKEYFILE", &options->typha_key);
  file("node-cert", "calico-node's certificate", "FELIX_TYPHACERTFILE", &options->node_cert);
  file("node-key", "its key", "FELIX_TYPHAKEYFILE", &options->node_key);
  const auto identity = [&flags](std::string name, std::string value, std::string help,
                                 std::string environment, std::string* target) {
    flags.Text({.name = std::move(name),
                .value = std::move(value),
                .help = std::move(help),
                .environment = std::move(environment)},
               target);
  };
  identity("typha-cn", "CN", "who Felix demands Typha to be", "FELIX_TYPHACN",
           &options->identities.typha.common_name);
  identity("typha-uri", "URI", "or by URI", "FELIX_TYPHAURISAN", &options->identities.typha.uri);
  identity("client-cn", "CN", "who Typha demands its clients to be", "TYPHA_CLIENTCN",
           &options->identities.node.common_name);
  identity("client-uri", "URI", "or by URI", "TYPHA_CLIENTURISAN", &options->identities.node.uri);
  AddOutputFlag(flags, {OutputFormat::kText, OutputFormat::kJson, OutputFormat::kYaml},
                &options->output);
  flags.ExitCode(kExitOk, "they take each other");
  flags.ExitCode(kExitFailed, "one refuses the other");
  flags.ExitCode(kExitUsage, "wrong flags, or a CA that cannot be read");
  flags.Example("What typha-tls has made",
                "calicert calico typha-check --ca typha-tls/typhaca.crt --typha-cert "
                "typha-tls/typha.crt --typha-key typha-tls/typha.key --node-cert "
                "typha-tls/calico-node.crt --node-key typha-tls/calico-node.key --typha-cn "
                "calico-typha --client-cn calico-node");
  return [options](Terminal& terminal) { return RunTyphaCheck(*options, terminal); };
}

}  // namespace

std::vector<Command> TyphaCommands(const DeclareWriter& writer) {
  return {
      {.path = "calico typha-tls",
       .summary = "make CA and pairs for TLS between Typha and Felix without the operator",
       .details = "What is there stays: keys are replaced only by --force, certificates when they "
                  "end soon or are no longer those wanted.",
       .declare = [writer](config::Flags& flags) { return DeclareTyphaTls(writer, flags); }},
      {.path = "calico typha-check",
       .summary = "say whether Typha and Felix would take each other",
       .details = "Flags that are not given are read from the environment variables of Typha and "
                  "Felix.",
       .declare = DeclareTyphaCheck},
  };
}

}  // namespace calico::calicert
