// csr create.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "operator/calicert/cluster/cluster.h"
#include "operator/calicert/cluster/cluster_flags.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/file_output.h"
#include "operator/calicert/command/input.h"
#include "operator/calicert/command/output.h"
#include "operator/calicert/command/progress.h"
#include "operator/calicert/requests/csr_commands.h"
#include "operator/calicert/requests/csr_printing.h"
#include "operator/calicert/requests/kept_key.h"
#include "operator/calicert/requests/request_source.h"
#include "operator/calicert/requests/submission.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert::requests {
namespace {

using Csr = api::CertificateSigningRequest;

const std::vector<std::string> kServingUsages = {"digital signature", "key encipherment",
                                                 "server auth"};

struct Options {
  ClusterFlags cluster;
  std::vector<std::string> name;
  std::vector<std::string> file;
  std::string signer_name;
  std::vector<std::string> usages;
  int expiration_seconds = 0;
  std::vector<std::string> hosts;
  std::string common_name;
  std::string prefix;
  std::string key_file;
  std::vector<std::string> labels;
  bool replace = false;
  bool dry_run = false;
  std::string output = "table";
};

// What the flags say on top of a manifest, or alone.
absl::StatusOr<Csr> WantedBy(const Options& options, const RequestSource& source) {
  Csr wanted;
  if (source.manifest.has_value()) {
    const Csr& manifest = *source.manifest;
    wanted.meta.labels = manifest.meta.labels;
    wanted.meta.annotations = manifest.meta.annotations;
    wanted.signer_name = manifest.signer_name;
    wanted.usages = manifest.usages;
    wanted.expiration_seconds = manifest.expiration_seconds;
    if (manifest.meta.name != options.name.front()) {
      return absl::InvalidArgumentError(fmt::format("{} is a manifest of {:?}, not of {:?}",
                                                    options.file.front(), manifest.meta.name,
                                                    options.name.front()));
    }
  }
  wanted.meta.name = options.name.front();
  if (!options.signer_name.empty()) wanted.signer_name = options.signer_name;
  if (!options.usages.empty()) wanted.usages = options.usages;
  if (wanted.usages.empty()) wanted.usages = kServingUsages;
  if (options.expiration_seconds != 0) wanted.expiration_seconds = options.expiration_seconds;
  if (wanted.signer_name.empty()) {
    return absl::InvalidArgumentError(
        "--signer-name is needed: who is to sign, such as example.com/serving");
  }
  for (const std::string& label : options.labels) {
    const size_t equals = label.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError(fmt::format("--label {:?}: write KEY=VALUE", label));
    }
    wanted.meta.labels[label.substr(0, equals)] = label.substr(equals + 1);
  }
  return wanted;
}

absl::StatusOr<RequestSource> ReadSource(const Options& options, Terminal& terminal) {
  if (options.file.empty()) {
    RequestSource source;
    source.description = DescriptionFor(options.common_name, options.hosts);
    return source;
  }
  const std::string& file = options.file.front();
  CALICO_ASSIGN_OR_RETURN(const base::SecretString text, ReadSecretInput(terminal, file));
  return ReadRequestSource(text.view(), file == "-" ? "standard input" : file);
}

std::string KeyFileOf(const Options& options) {
  if (!options.key_file.empty()) return options.key_file;
  return (options.prefix.empty() ? options.name.front() : options.prefix) + "-key.pem";
}

absl::StatusOr<MadeRequest> MakeSlowly(const Options& options, const std::string& description,
                                       std::optional<pki::PrivateKey> kept, Terminal& terminal) {
  const SlowNotice notice(terminal, "making a key, which takes a while for a large RSA one");
  return MakeRequest(description, options.file.empty() ? "--hostname" : options.file.front(),
                     std::move(kept));
}

// The request, and its key where it has to be; before anybody is asked for a certificate.
absl::StatusOr<std::string> KeepRequest(const Options& options, RequestSource source,
                                        Terminal& terminal) {
  const std::string key_file = KeyFileOf(options);
  if (source.description.empty()) {
    if (source.key.has_value() && !options.dry_run) {
      CALICO_RETURN_IF_ERROR(KeepKey(key_file, *source.key, terminal));
    }
    return source.request_pem;
  }
  CALICO_ASSIGN_OR_RETURN(std::optional<pki::PrivateKey> kept, ReadKeptKey(key_file));
  if (kept.has_value()) Note(terminal, fmt::format("using the key in {}", key_file));
  const bool is_new = !kept.has_value();
  CALICO_ASSIGN_OR_RETURN(MadeRequest made,
                          MakeSlowly(options, source.description, std::move(kept), terminal));
  // A description that we have written ourselves has nothing to warn of.
  if (!options.file.empty()) {
    for (const std::string& warning : made.warnings) Note(terminal, "warning: " + warning);
  }
  if (options.dry_run) {
    if (is_new) Note(terminal, "the key of this request is forgotten: nothing is written");
    return made.request_pem;
  }
  if (is_new) CALICO_RETURN_IF_ERROR(KeepKey(key_file, made.key, terminal));
  if (!options.prefix.empty()) {
    CALICO_RETURN_IF_ERROR(WriteFile(options.prefix + ".csr", made.request_pem, kCertificateMode));
  }
  return made.request_pem;
}

// Every problem of it is told at once. False: there is one.
bool Tell(const std::vector<std::string>& problems, Terminal& terminal) {
  for (const std::string& problem : problems) Fail(terminal, problem);
  return problems.empty();
}

// The object that is to be created; nullopt when its problems were told, before a key is written
// that would be of no use.
absl::StatusOr<std::optional<Csr>> Prepare(const Options& options, Terminal& terminal) {
  CALICO_ASSIGN_OR_RETURN(RequestSource source, ReadSource(options, terminal));
  CALICO_ASSIGN_OR_RETURN(Csr wanted, WantedBy(options, source));
  if (!Tell(ObjectProblems(wanted), terminal)) return std::nullopt;
  CALICO_ASSIGN_OR_RETURN(wanted.request_pem, KeepRequest(options, std::move(source), terminal));
  if (!Tell(RequestProblems(wanted), terminal)) return std::nullopt;
  return wanted;
}

aio::Task<absl::StatusOr<int>> Create(Cluster& cluster, const Options& options, Csr wanted) {
  const absl::StatusOr<Submitted> submitted = co_await Submit(
      cluster, std::move(wanted), options.replace ? IfDifferent::kReplace : IfDifferent::kFail);
  if (!submitted.ok()) co_return submitted.status();
  for (const api::Condition* const bad : {submitted->csr.Denied(), submitted->csr.Failed()}) {
    if (bad == nullptr) continue;
    Note(cluster.terminal,
         fmt::format("warning: it is {} ({}: {}), which is final: --replace asks anew", bad->type,
                     bad->reason, bad->message));
  }
  if (options.output == "table") {
    cluster.terminal.out << fmt::format("{} {}\n", CsrName(submitted->csr.meta.name),
                                        ToString(submitted->how));
    co_return kExitOk;
  }
  const absl::StatusOr<std::string> text =
      PrintCsrs({submitted->csr.Encode()}, false, ParseOutputFormat(options.output), cluster.Now());
  if (!text.ok()) co_return text.status();
  cluster.terminal.out << *text;
  co_return kExitOk;
}

int RunCreate(const Options& options, Terminal& terminal) {
  absl::StatusOr<std::optional<Csr>> prepared = Prepare(options, terminal);
  if (!prepared.ok()) return Fail(terminal, prepared.status());
  if (!prepared->has_value()) return kExitFailed;
  Csr& wanted = **prepared;
  if (options.dry_run) {
    terminal.out << Document(wanted.EncodeNew(),
                             options.output == "json" ? OutputFormat::kJson : OutputFormat::kYaml);
    return kExitOk;
  }
  return RunInCluster(options.cluster, terminal, [&](Cluster& cluster) {
    return Create(cluster, options, std::move(wanted));
  });
}

void AddRequestFlags(config::Flags& flags, Options& options) {
  flags.Arguments({.name = "NAME", .help = "name of the object", .minimum = 1, .maximum = 1},
                  &options.name);
  flags.Arguments({.name = "FILE",
                   .help = "request, CSR description or manifest; - is standard input",
                   .maximum = 1},
                  &options.file);
  flags.Text({.name = "signer-name", .value = "NAME", .help = "who is to sign"},
             &options.signer_name);
  flags.List({.name = "usage",
              .value = "USAGE",
              .help = "what the certificate is for; absent: digital signature, key encipherment, "
                      "server auth"},
             &options.usages);
  flags.Number({.name = "expiration-seconds",
                .value = "SECONDS",
                .help = "how long the certificate is to last, 600 or more; 0: as the signer likes"},
               0, 2147483647, &options.expiration_seconds);
  flags.List({.name = "hostname",
              .value = "NAME",
              .help = "DNS name, IP address, e-mail address or URI; in place of FILE"},
             &options.hosts);
  flags.Text({.name = "cn", .value = "NAME", .help = "common name; in place of FILE"},
             &options.common_name);
  flags.List({.name = "label", .value = "KEY=VALUE", .help = "label of the object; repeatable"},
             &options.labels);
}

Run Declare(config::Flags& flags) {
  auto options = std::make_shared<Options>();
  AddRequestFlags(flags, *options);
  flags.Text({.name = "out",
              .value = "PREFIX",
              .help = "keep the key in PREFIX-key.pem and the request in PREFIX.csr; absent: the "
                      "key in NAME-key.pem"},
             &options->prefix);
  flags.Text({.name = "key",
              .value = "FILE",
              .help = "where the key is, or is to be; an existing one is used"},
             &options->key_file);
  flags.Switch({.name = "replace", .help = "delete another request of this name first"},
               &options->replace);
  flags.Switch({.name = "dry-run", .help = "print the object, write and send nothing"},
               &options->dry_run);
  AddOutputFlag(
      flags, {OutputFormat::kTable, OutputFormat::kJson, OutputFormat::kYaml, OutputFormat::kName},
      &options->output);
  AddClusterFlags(flags, &options->cluster);
  flags.Check([options = options.get()](std::vector<std::string>& problems) {
    const bool described = !options->hosts.empty() || !options->common_name.empty();
    if (described == !options->file.empty()) {
      problems.emplace_back("give either FILE, or --hostname and --cn");
    }
  });
  flags.Example("Key, request and object of the names in a description, in one step",
                "calicert csr create my-svc.my-namespace server-csr.json --signer-name "
                "example.com/serving --out server");
  flags.Example("A request that is there",
                "calicert csr create my-svc.my-namespace server.csr --signer-name "
                "example.com/serving");
  flags.Example("Without any file",
                "calicert csr create my-svc --hostname my-svc.my-namespace.svc --signer-name "
                "example.com/serving");
  return [options](Terminal& terminal) { return RunCreate(*options, terminal); };
}

}  // namespace

Command CreateCommand() {
  return {.path = "csr create",
          .summary = "ask for a certificate with a CertificateSigningRequest",
          .details =
              "FILE is a CSR description in cfssl's JSON, of which key and request are made; a "
              "request (PEM under either of its labels, DER, the answer of cfssl genkey); or a "
              "CertificateSigningRequest in YAML or JSON. The key stays here, in a file that only "
              "you can read; a key that is there is used again and never overwritten.\n\nThe API "
              "server never changes the request of an object. Where there is one of this name "
              "already, it is left alone if it asks for the same with the same key, and told if "
              "it does not.",
          .declare = Declare};
}

}  // namespace calico::calicert::requests
