#include "operator/removal/uninstall_command.h"

#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/config/operator_flags.h"
#include "operator/removal/removal.h"
#include "pkg/aio/event_loop.h"
#include "pkg/aio/task.h"
#include "pkg/base/log.h"
#include "pkg/base/version.h"
#include "pkg/kube/auth/rest_config.h"
#include "pkg/kube/client/client.h"

namespace calico::removal {
namespace {

constexpr std::string_view kProgram = "calico-operator uninstall";
constexpr std::string_view kSummary =
    "Removes Calico, what was made for it, and the operator: first the operator, then Calico's "
    "API,\n"
    "pods of the pod network while the CNI plugin still has its rights, calico-node and typha, "
    "and\n"
    "then everything else. Each step is waited for. What users have made stays: pools, policies "
    "and\n"
    "Calico's other configuration with its definitions, and what they have put into the "
    "operator's\n"
    "namespace. CNI files stay on the nodes. Safe to run again, also when the operator is gone.\n"
    "Exit code 0: all is gone, or nothing was there; 1: it did not get to the end, stderr says "
    "why;\n"
    "2: wrong flags, or neither --yes nor --dry-run.";
constexpr int kExitFailed = 1;

struct Request {
  bool yes = false;
  bool dry_run = false;
  bool keep_crds = false;
  bool remove_user_data = false;
  bool remove_finalizers = false;
  absl::Duration timeout = absl::Minutes(5);
  std::string kubeconfig;
  std::string operator_namespace = "tigera-operator";
  std::string operator_name = "tigera-operator";
};

void AddSwitches(config::Flags& flags, Request* request) {
  flags.Switch({.name = "yes", .help = "do it"}, &request->yes);
  flags.Switch({.name = "dry-run", .help = "say what would be removed, and remove nothing"},
               &request->dry_run);
  flags.Switch({.name = "keep-crds",
                .help = "keep the definitions of operator.tigera.io, and the ImageSets in them"},
               &request->keep_crds);
  flags.Switch({.name = "remove-user-data",
                .help = "remove Calico's own definitions too, with every IPPool, policy and "
                        "setting, and the operator's namespace with all in it"},
               &request->remove_user_data);
  flags.Switch({.name = "remove-finalizers",
                .help = "take off finalizers that only Tigera's operator would take off"},
               &request->remove_finalizers);
}

config::Flags MakeFlags(Request* request) {
  config::Flags flags{std::string(kProgram), std::string(kSummary)};
  AddSwitches(flags, request);
  flags.Period({.name = "timeout", .value = "DURATION", .help = "how long each step may take"},
               &request->timeout);
  flags.Text({.name = "kubeconfig",
              .value = "FILE",
              .help = "absent: KUBECONFIG, ~/.kube/config, or the pod's service account"},
             &request->kubeconfig);
  config::AddOperatorFlags(flags, &request->operator_namespace, &request->operator_name);
  flags.Example("What would go", "calico-operator uninstall --dry-run");
  flags.Example("Leave, and keep what another operator needs to go on with the same Installation",
                "calico-operator uninstall --yes --keep-crds");
  flags.Version(fmt::format("{} {}", kProgram, base::Version()));
  return flags;
}

void Tell(const CommandOutput& output, std::string_view line) {
  output.err(fmt::format("{}: {}\n", kProgram, line));
}

aio::Task<int> Run(kube::Client& client, const Request& request, const base::Clock& clock,
                   const CommandOutput& output) {
  const RemovalOptions options{.operator_key = {request.operator_namespace, request.operator_name},
                               .keep_crds = request.keep_crds,
                               .remove_user_data = request.remove_user_data};
  const absl::StatusOr<RemovalPlan> plan = co_await MakeRemovalPlan(client, options);
  if (!plan.ok()) {
    Tell(output, std::string(plan.status().message()));
    co_return kExitFailed;
  }
  if (request.dry_run || !request.yes) output.out(ToText(*plan));
  for (const std::string& problem : plan->problems) Tell(output, problem);
  if (!plan->problems.empty()) co_return kExitFailed;
  if (request.dry_run) co_return 0;
  if (!request.yes && !plan->empty()) {
    Tell(output, "nothing was removed: give --yes for that");
    co_return config::kExitUsage;
  }
  Removal removal(client, clock, {.timeout = request.timeout}, request.remove_finalizers,
                  [&](const std::string& line) { output.out(line + "\n"); });
  const absl::Status status = co_await removal.Run(*plan);
  if (!status.ok()) {
    Tell(output, std::string(status.message()));
    co_return kExitFailed;
  }
  if (plan->empty()) {
    output.out("nothing of Calico's operator is here\n");
  } else {
    output.out("Calico and its operator are gone\n");
  }
  for (const std::string& left : plan->left) output.out(fmt::format("left: {}\n", left));
  co_return 0;
}

}  // namespace

std::string ToText(const RemovalPlan& plan) {
  std::string text;
  std::optional<Stage> stage;
  for (const Doomed& doomed : plan.doomed) {
    if (stage != doomed.stage) text += fmt::format("{}:\n", ToString(doomed.stage));
    stage = doomed.stage;
    text += fmt::format("  {} {}{}\n", doomed.resource->kind, doomed.key.ToString(),
                        doomed.former_finalizers.empty()
                            ? ""
                            : fmt::format(" (finalizer {}: needs --remove-finalizers)",
                                          fmt::join(doomed.former_finalizers, ", ")));
  }
  if (text.empty()) text = "nothing of Calico's operator is here\n";
  for (const std::string& left : plan.left) text += fmt::format("left: {}\n", left);
  return text;
}

int RunUninstallCommand(int argc, const char* const* argv,
                        const config::EnvironmentReader& environment, const base::Clock& clock,
                        const CommandOutput& output) {
  Request request;
  config::Flags flags = MakeFlags(&request);
  flags.Check([&](std::vector<std::string>& problems) {
    if (request.yes && request.dry_run) problems.emplace_back("--yes and --dry-run: give one");
  });
  const config::ParsedFlags parsed = flags.Parse(argc, argv, environment);
  if (parsed.exit_code.has_value()) {
    (*parsed.exit_code == 0 ? output.out : output.err)(parsed.text);
    return *parsed.exit_code;
  }
  const base::Logger logger(base::LogLevel::kWarning);
  absl::StatusOr<kube::RestConfig> api =
      kube::LoadRestConfig({.kubeconfig = request.kubeconfig}, environment, clock, logger);
  if (!api.ok()) {
    Tell(output, std::string(api.status().message()));
    return config::kExitUsage;
  }
  aio::EventLoop loop;
  kube::Client client(loop.executor(), *std::move(api), logger);
  return loop.Run(Run(client, request, clock, output));
}

std::string UninstallCommandCompletion(std::string_view shell) {
  Request request;
  return MakeFlags(&request).Completion(shell);
}

}  // namespace calico::removal
