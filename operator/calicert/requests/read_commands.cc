// csr get, csr list, csr delete, csr wait.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "operator/calicert/cluster/cluster.h"
#include "operator/calicert/cluster/cluster_flags.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/file_output.h"
#include "operator/calicert/command/output.h"
#include "operator/calicert/requests/csr_commands.h"
#include "operator/calicert/requests/csr_printing.h"
#include "operator/calicert/requests/csr_text.h"
#include "operator/calicert/requests/signing.h"
#include "operator/calicert/requests/submission.h"
#include "operator/calicert/requests/waiting.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert::requests {
namespace {

using Csr = api::CertificateSigningRequest;

struct Options {
  ClusterFlags cluster;
  std::vector<std::string> names;
  std::string output = "table";
  std::string out_file;
  std::string signer_name;
  std::string label_selector;
  std::string state;
  bool ignore_not_found = false;
  std::string wait_for = "issued";
  absl::Duration timeout = absl::Minutes(5);
};

const std::vector<OutputFormat> kReadFormats = {
    OutputFormat::kTable, OutputFormat::kWide, OutputFormat::kJson, OutputFormat::kYaml,
    OutputFormat::kName,  OutputFormat::kPem,  OutputFormat::kText};

absl::StatusOr<int> Print(Cluster& cluster, const Options& options,
                          const std::vector<json::object>& objects, bool is_list) {
  CALICO_ASSIGN_OR_RETURN(
      const std::string text,
      PrintCsrs(objects, is_list, ParseOutputFormat(options.output), cluster.Now()));
  if (options.out_file.empty()) {
    cluster.terminal.out << text;
  } else {
    CALICO_RETURN_IF_ERROR(WriteFile(options.out_file, text, kCertificateMode));
  }
  return kExitOk;
}

aio::Task<absl::StatusOr<int>> Get(Cluster& cluster, const Options& options) {
  std::vector<json::object> objects;
  for (const std::string& name : options.names) {
    absl::StatusOr<json::object> object =
        co_await cluster.client.Get(api::kCertificateSigningRequests, {"", name}, cluster.timeout);
    if (!object.ok()) co_return object.status();
    objects.push_back(*std::move(object));
  }
  co_return Print(cluster, options, objects, objects.size() > 1);
}

bool HasState(const Csr& csr, std::string_view state) {
  if (state.empty()) return true;
  if (state == "pending") return csr.conditions.empty() && !csr.IsIssued();
  if (state == "approved") return csr.IsApproved() && !csr.IsIssued() && !csr.IsFailed();
  if (state == "denied") return csr.IsDenied();
  if (state == "failed") return csr.IsFailed();
  return csr.IsIssued();
}

aio::Task<absl::StatusOr<int>> List(Cluster& cluster, const Options& options) {
  kube::ListOptions list;
  list.label_selector = options.label_selector;
  if (!options.signer_name.empty()) {
    list.field_selector = FieldSelector("spec.signerName", options.signer_name);
  }
  list.timeout = cluster.timeout;
  std::vector<json::object> objects;
  const auto take = [&](json::object object) -> absl::Status {
    CALICO_ASSIGN_OR_RETURN(const Csr csr, Csr::Decode(object));
    if (HasState(csr, options.state)) objects.push_back(std::move(object));
    return absl::OkStatus();
  };
  const absl::StatusOr<std::string> version = co_await cluster.client.List(
      api::kCertificateSigningRequests, list, take, [&] { objects.clear(); });
  if (!version.ok()) co_return version.status();
  const OutputFormat format = ParseOutputFormat(options.output);
  if (objects.empty() && format != OutputFormat::kJson && format != OutputFormat::kYaml) {
    Note(cluster.terminal, "No resources found");
    co_return kExitOk;
  }
  co_return Print(cluster, options, objects, true);
}

aio::Task<absl::StatusOr<int>> Delete(Cluster& cluster, const Options& options) {
  int code = kExitOk;
  for (const std::string& name : options.names) {
    const absl::Status deleted = co_await cluster.client.Delete(api::kCertificateSigningRequests,
                                                                {"", name}, {}, cluster.timeout);
    if (deleted.ok()) {
      cluster.terminal.out << fmt::format("{} \"{}\" deleted\n", kCsrPlural, Printable(name));
    } else if (!(absl::IsNotFound(deleted) && options.ignore_not_found)) {
      code = Fail(cluster.terminal, ErrorText(deleted));
    }
  }
  co_return code;
}

int ExitCodeOf(WaitEnd end) {
  switch (end) {
    case WaitEnd::kReached:
      return kExitOk;
    case WaitEnd::kDenied:
      return kExitDenied;
    case WaitEnd::kFailed:
      return kExitCsrFailed;
    case WaitEnd::kTimeout:
      return kExitTimeout;
    case WaitEnd::kDeleted:
      break;
  }
  return kExitFailed;
}

aio::Task<absl::StatusOr<int>> Wait(Cluster& cluster, const Options& options) {
  const WaitFor what = options.wait_for == "issued" ? WaitFor::kIssued : WaitFor::kApproved;
  const absl::Time end = cluster.terminal.clock.SteadyNow() + options.timeout;
  for (const std::string& name : options.names) {
    const absl::Duration remaining =
        std::max(end - cluster.terminal.clock.SteadyNow(), absl::ZeroDuration());
    const absl::StatusOr<Waited> waited = co_await WaitInCluster(cluster, name, what, remaining);
    if (!waited.ok()) co_return waited.status();
    if (waited->end != WaitEnd::kReached) {
      Fail(cluster.terminal, Describe(*waited, name, what, options.timeout));
      co_return ExitCodeOf(waited->end);
    }
    if (options.out_file.empty()) {
      cluster.terminal.out << fmt::format("{} {}\n", CsrName(name), options.wait_for);
    } else {
      CALICO_CO_RETURN_IF_ERROR(
          WriteFile(options.out_file, waited->csr.certificate_pem, kCertificateMode));
    }
  }
  co_return kExitOk;
}

using Work = aio::Task<absl::StatusOr<int>> (*)(Cluster&, const Options&);

Run RunWork(std::shared_ptr<Options> options, Work work) {
  return [options, work](Terminal& terminal) {
    return RunInCluster(options->cluster, terminal,
                        [&](Cluster& cluster) { return work(cluster, *options); });
  };
}

void AddNames(config::Flags& flags, Options& options, size_t maximum = config::kAnyNumber) {
  flags.Arguments({.name = "NAME", .help = "the requests", .minimum = 1, .maximum = maximum},
                  &options.names);
}

Run DeclareGet(config::Flags& flags) {
  auto options = std::make_shared<Options>();
  AddNames(flags, *options);
  AddOutputFlag(flags, kReadFormats, &options->output);
  flags.Text({.name = "out", .value = "FILE", .help = "write to this file; absent: stdout"},
             &options->out_file);
  AddClusterFlags(flags, &options->cluster);
  flags.Example("Download the certificate",
                "calicert csr get my-svc.my-namespace -o pem --out server.crt");
  flags.Example("What is asked, and by whom", "calicert csr get my-svc.my-namespace -o text");
  return RunWork(options, Get);
}

Run DeclareList(config::Flags& flags) {
  auto options = std::make_shared<Options>();
  AddOutputFlag(flags, kReadFormats, &options->output);
  flags.Text({.name = "signer-name", .value = "NAME", .help = "only those for this signer"},
             &options->signer_name);
  flags.Text({.name = "state",
              .value = "STATE",
              .help = "only those in this state; approved: and not issued",
              .choices = {"pending", "approved", "denied", "failed", "issued"}},
             &options->state);
  flags.Text({.name = "selector",
              .value = "SELECTOR",
              .help = "only those with these labels",
              .letter = 'l'},
             &options->label_selector);
  AddClusterFlags(flags, &options->cluster);
  flags.Example("Who waits for an approval", "calicert csr list --state pending");
  return RunWork(options, List);
}

Run DeclareDelete(config::Flags& flags) {
  auto options = std::make_shared<Options>();
  AddNames(flags, *options);
  flags.Switch({.name = "ignore-not-found", .help = "what is not there is no error"},
               &options->ignore_not_found);
  AddClusterFlags(flags, &options->cluster);
  flags.Example("Forget a request", "calicert csr delete my-svc.my-namespace");
  return RunWork(options, Delete);
}

Run DeclareWait(config::Flags& flags) {
  auto options = std::make_shared<Options>();
  AddNames(flags, *options);
  flags.Text({.name = "for",
              .value = "STATE",
              .help = "what to wait for; issued: approved and with a certificate",
              .choices = {"issued", "approved"}},
             &options->wait_for);
  flags.Period({.name = "timeout", .value = "PERIOD", .help = "how long"}, &options->timeout);
  flags.Text({.name = "out", .value = "FILE", .help = "write the certificate to this file"},
             &options->out_file);
  AddClusterFlags(flags, &options->cluster);
  flags.Check([options = options.get()](std::vector<std::string>& problems) {
    if (options->out_file.empty()) return;
    if (options->names.size() > 1) problems.emplace_back("--out: one file for several requests");
    if (options->wait_for != "issued") problems.emplace_back("--out: only with --for issued");
  });
  flags.ExitCode(kExitOk, "what was waited for has come");
  flags.ExitCode(kExitFailed, "the API server refuses or cannot be reached, or it was deleted");
  flags.ExitCode(kExitUsage, "wrong flags");
  flags.ExitCode(kExitDenied, "the request was denied");
  flags.ExitCode(kExitCsrFailed, "the request has failed");
  flags.ExitCode(kExitTimeout, "nothing of this happened in time");
  flags.Example("Wait for the certificate",
                "calicert csr wait my-svc.my-namespace --timeout 2m --out server.crt");
  return RunWork(options, Wait);
}

}  // namespace

Command GetCommand() {
  return {.path = "csr get",
          .summary = "show certificate signing requests, or download their certificates",
          .declare = DeclareGet};
}

Command ListCommand() {
  return {
      .path = "csr list", .summary = "list certificate signing requests", .declare = DeclareList};
}

Command DeleteCommand() {
  return {.path = "csr delete",
          .summary = "delete certificate signing requests",
          .declare = DeclareDelete};
}

Command WaitCommand() {
  return {.path = "csr wait",
          .summary = "wait until certificate signing requests are approved or issued",
          .declare = DeclareWait};
}

}  // namespace calico::calicert::requests
