// csr approve, csr deny.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "operator/calicert/cluster/cluster.h"
#include "operator/calicert/cluster/cluster_flags.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/output.h"
#include "operator/calicert/requests/approval.h"
#include "operator/calicert/requests/csr_commands.h"
#include "operator/calicert/requests/csr_printing.h"

namespace calico::calicert::requests {
namespace {

struct Options {
  ClusterFlags cluster;
  std::vector<std::string> names;
  Ruling ruling;
  std::string output = "table";
};

// Those after one that cannot be ruled on are ruled on all the same, as kubectl does it.
aio::Task<absl::StatusOr<int>> RuleAll(Cluster& cluster, const Options& options) {
  int code = kExitOk;
  std::vector<json::object> objects;
  for (const std::string& name : options.names) {
    absl::StatusOr<json::object> object = co_await Rule(cluster, name, options.ruling);
    if (!object.ok()) {
      code = Fail(cluster.terminal, ErrorText(object.status()));
    } else if (options.output == "table") {
      cluster.terminal.out << CsrName(name) << " " << Done(options.ruling.verdict) << "\n";
    } else {
      objects.push_back(*std::move(object));
    }
  }
  if (objects.empty()) co_return code;
  const absl::StatusOr<std::string> text = PrintCsrs(
      objects, options.names.size() > 1, ParseOutputFormat(options.output), cluster.Now());
  if (!text.ok()) co_return text.status();
  cluster.terminal.out << *text;
  co_return code;
}

Run Declare(Verdict verdict, config::Flags& flags) {
  const auto options = std::make_shared<Options>();
  options->ruling.verdict = verdict;
  flags.Arguments({.name = "NAME", .help = "the requests", .minimum = 1}, &options->names);
  flags.Text({.name = "reason",
              .value = "REASON",
              .help = "one word in CamelCase for programs; absent: CalicertApprove, CalicertDeny"},
             &options->ruling.reason);
  flags.Text({.name = "message", .value = "TEXT", .help = "a sentence for people"},
             &options->ruling.message);
  flags.Switch({.name = "force", .help = "write it again where it stands already"},
               &options->ruling.force);
  AddOutputFlag(
      flags, {OutputFormat::kTable, OutputFormat::kJson, OutputFormat::kYaml, OutputFormat::kName},
      &options->output);
  AddClusterFlags(flags, &options->cluster);
  return [options](Terminal& terminal) {
    return RunInCluster(options->cluster, terminal,
                        [&](Cluster& cluster) { return RuleAll(cluster, *options); });
  };
}

constexpr char kFinal[] =
    "Approved and Denied exclude each other and are never taken back; a request that was ruled on "
    "wrongly is deleted and made anew. It needs the right to update "
    "certificatesigningrequests/approval and to approve for the request's signer.";

}  // namespace

Command ApproveCommand() {
  return {.path = "csr approve",
          .summary = "approve certificate signing requests",
          .details = kFinal,
          .declare = [](config::Flags& flags) {
            flags.Example("Approve, and say why",
                          "calicert csr approve my-svc.my-namespace --message 'seen in person'");
            return Declare(Verdict::kApprove, flags);
          }};
}

Command DenyCommand() {
  return {.path = "csr deny",
          .summary = "deny certificate signing requests",
          .details = kFinal,
          .declare = [](config::Flags& flags) {
            flags.Example("Deny with a reason",
                          "calicert csr deny my-svc.my-namespace --reason NotOurs --message 'no "
                          "such service'");
            return Declare(Verdict::kDeny, flags);
          }};
}

}  // namespace calico::calicert::requests
