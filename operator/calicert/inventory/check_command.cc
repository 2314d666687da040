// `calicert check`.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "operator/calicert/cluster/cluster.h"
#include "operator/calicert/cluster/cluster_flags.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/output.h"
#include "operator/calicert/inventory/days.h"
#include "operator/calicert/inventory/inventory_commands.h"
#include "operator/calicert/inventory/signer_state.h"
#include "pkg/aio/timer.h"

namespace calico::calicert::inventory {
namespace {

constexpr absl::Duration kLookAgain = absl::Seconds(2);

struct Options {
  ClusterFlags cluster;
  SignerQuestions questions;
  std::string ca_lasts = "30d";
  bool wait = false;
  absl::Duration timeout = absl::Minutes(2);
  std::string output = "table";
};

bool IsGood(const std::vector<Finding>& findings) {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& finding) { return finding.outcome == Outcome::kBad; });
}

std::string Print(const std::vector<Finding>& findings, OutputFormat format) {
  if (format == OutputFormat::kTable) {
    Table table({{"CHECK"}, {"RESULT"}, {"DETAILS"}});
    for (const Finding& finding : findings) {
      table.AddRow({finding.check, std::string(ToString(finding.outcome)), finding.text});
    }
    return table.Text();
  }
  json::array checks;
  for (const Finding& finding : findings) {
    checks.push_back(json::object{{"check", finding.check},
                                  {"result", ToString(finding.outcome)},
                                  {"details", finding.text}});
  }
  return Document(json::object{{"ok", IsGood(findings)}, {"checks", std::move(checks)}}, format);
}

// With --wait until all is good; what is wrong at the end is printed.
aio::Task<absl::StatusOr<int>> Check(Cluster& cluster, const Options& options) {
  const absl::Time end = cluster.terminal.clock.SteadyNow() + options.timeout;
  cluster.is_patient = options.wait;
  for (;;) {
    const absl::StatusOr<std::vector<Finding>> findings =
        co_await CheckSigner(cluster, options.questions);
    const bool last = !options.wait || cluster.terminal.clock.SteadyNow() >= end;
    // Somebody who waits for a signer may be waiting for its API server, too.
    if (!findings.ok() && (last || !IsNoAnswer(findings.status()))) co_return findings.status();
    const bool good = findings.ok() && IsGood(*findings);
    if (good || (last && findings.ok())) {
      cluster.terminal.out << Print(*findings, ParseOutputFormat(options.output));
      co_return good ? kExitOk : kExitFailed;
    }
    const absl::Status slept = co_await aio::Sleep(kLookAgain);
    if (!slept.ok()) co_return slept;
  }
}

Run Declare(config::Flags& flags) {
  auto options = std::make_shared<Options>();
  SignerQuestions& questions = options->questions;
  flags.Text({.name = "signer-name",
              .value = "NAME",
              .help = "absent: the one that the Installation asks, or the first it serves"},
             &questions.signer_name);
  flags.Text({.name = "signer-namespace", .value = "NAME", .help = "where the signer runs"},
             &questions.deployment.ns);
  flags.Text({.name = "signer-deployment", .value = "NAME", .help = "its Deployment"},
             &questions.deployment.name);
  flags.Text({.name = "ca-lasts",
              .value = "PERIOD",
              .help = "a CA that ends within this time is a warning"},
             &options->ca_lasts);
  flags.Switch({.name = "wait", .help = "until everything is good"}, &options->wait);
  flags.Period({.name = "timeout", .value = "PERIOD", .help = "how long, with --wait"},
               &options->timeout);
  AddOutputFlag(flags, {OutputFormat::kTable, OutputFormat::kJson, OutputFormat::kYaml},
                &options->output);
  AddClusterFlags(flags, &options->cluster);
  flags.Check([options = options.get()](std::vector<std::string>& problems) {
    const absl::StatusOr<absl::Duration> lasts = ParseDays(options->ca_lasts);
    if (lasts.ok()) {
      options->questions.ca_lasts = *lasts;
    } else {
      problems.push_back("--ca-lasts: " + std::string(lasts.status().message()));
    }
  });
  flags.ExitCode(kExitOk, "nothing failed; there may be warnings");
  flags.ExitCode(kExitFailed, "a check failed, or the API server cannot be reached");
  flags.ExitCode(kExitUsage, "wrong flags");
  flags.Example("Is the signer in order", "calicert check");
  flags.Example("In a script, after it was installed", "calicert check --wait --timeout 3m");
  return [options](Terminal& terminal) {
    return RunInCluster(options->cluster, terminal,
                        [&](Cluster& cluster) { return Check(cluster, *options); });
  };
}

}  // namespace

Command CheckCommand() {
  return {
      .path = "check",
      .summary = "tell whether the cluster's signer is in order",
      .details =
          "Looks whether csr-signer runs and serves the name that is asked, whether its service "
          "account has the rights it needs (the API server is asked), whether its policy can be "
          "read, whether its CA is good for a while, and whether the Installation trusts it. What "
          "you may not read is a warning.",
      .declare = Declare};
}

}  // namespace calico::calicert::inventory
