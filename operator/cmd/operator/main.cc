// calico-operator: installs Calico as an Installation says. See --help.

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>

#include "operator/adoption/adopt_command.h"
#include "operator/config/operator.h"
#include "operator/controllers/definitions/crd_decision.h"
#include "operator/controllers/installation/operator_program.h"
#include "operator/offline/render_command.h"
#include "operator/removal/uninstall_command.h"
#include "pkg/aio/event_loop.h"
#include "pkg/aio/task.h"
#include "pkg/base/clock.h"
#include "pkg/base/file.h"
#include "pkg/base/log.h"
#include "pkg/base/status_macros.h"
#include "pkg/base/version.h"
#include "pkg/kube/auth/rest_config.h"
#include "pkg/openssl/init.h"

namespace calico {
namespace {

constexpr char kPodNamespaceFile[] = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

// Empty outside of a pod.
std::string PodNamespace() { return base::ReadFile(kPodNamespaceFile).value_or(""); }

aio::Task<void> Stop(const base::Logger& logger) {
  const int signal = co_await aio::WaitForTermination();
  logger.Info("stopping", {{"signal", signal}});
}

// The word after the program's name, and what then runs in the operator's place.
constexpr char kRender[] = "render";
constexpr char kAdopt[] = "adopt";
constexpr char kUninstall[] = "uninstall";

int PrintRendering(int argc, const char* const* argv) {
  const offline::CommandResult result =
      offline::RunRenderCommand(argc, argv, kube::ProcessEnvironment(), base::SystemClock().Now());
  std::fwrite(result.err.data(), 1, result.err.size(), stderr);
  std::fwrite(result.out.data(), 1, result.out.size(), stdout);
  // A pipe that is full or closed is a failure, not half of the objects.
  return std::fflush(stdout) == 0 ? result.exit_code : 1;
}

void Write(std::FILE* file, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
}

int Adopt(int argc, const char* const* argv) {
  return adoption::RunAdoptCommand(argc, argv, kube::ProcessEnvironment(), base::SystemClock(),
                                   {.out = [](std::string_view text) { Write(stdout, text); },
                                    .err = [](std::string_view text) { Write(stderr, text); }});
}

int Uninstall(int argc, const char* const* argv) {
  return removal::RunUninstallCommand(argc, argv, kube::ProcessEnvironment(), base::SystemClock(),
                                      {.out = [](std::string_view text) { Write(stdout, text); },
                                       .err = [](std::string_view text) { Write(stderr, text); }});
}

std::vector<config::CommandSpec> Commands() {
  return {{.name = kRender,
           .help = "print what an Installation would install, without a cluster",
           .completion = offline::RenderCommandCompletion},
          {.name = kAdopt,
           .help = "take a cluster over from Tigera's operator",
           .completion = adoption::AdoptCommandCompletion},
          {.name = kUninstall,
           .help = "remove Calico and this operator from a cluster",
           .completion = removal::UninstallCommandCompletion}};
}

// A release's crds.yaml has 0.7 MiB.
constexpr size_t kMaxCrdsBytes = 4 << 20;

// The text of the file of --calico-crds, which must be what it is said to be; empty without one.
absl::StatusOr<std::string> ReadCalicoCrds(const config::OperatorConfig& config) {
  if (config.calico_crds_file.empty()) return std::string();
  absl::StatusOr<std::string> text = base::ReadFile(config.calico_crds_file, kMaxCrdsBytes);
  if (!text.ok()) return text;
  const auto wanted = definitions::WantedCrds(config.release->version(), *text);
  if (!wanted.ok()) return base::Annotate(wanted.status(), config.calico_crds_file);
  return text;
}

int Run(const config::OperatorConfig& config) {
  const base::Logger logger(config.log_level);
  absl::StatusOr<std::string> calico_crds = ReadCalicoCrds(config);
  if (!calico_crds.ok()) {
    logger.Error("--calico-crds cannot be used", {{"error", calico_crds.status()}});
    return config::kExitUsage;
  }
  absl::StatusOr<kube::RestConfig> api = kube::LoadRestConfig(
      {.kubeconfig = config.kubeconfig},
      config::CheckedEnvironment(config, kube::ProcessEnvironment()), base::SystemClock(), logger);
  if (!config.service_problem.empty()) {
    logger.Error("the address of the API server is wrong, going by the cluster's Service",
                 {{"problem", config.service_problem}});
  }
  if (!api.ok()) {
    logger.Error("no API server to talk to", {{"error", api.status()}});
    return config::kExitUsage;
  }
  std::string ns = config::OperatorNamespace(config, PodNamespace());
  logger.Info("starting",
              {{"version", base::Version()}, {"server", api->origin}, {"namespace", ns}});
  aio::EventLoop loop;
  return loop.Run(installation::RunOperator({.config = config,
                                             .operator_namespace = std::move(ns),
                                             .api = *std::move(api),
                                             .calico_crds = *std::move(calico_crds)},
                                            Stop(logger), base::SystemClock(), logger));
}

}  // namespace
}  // namespace calico

int main(int argc, char** argv) {
  calico::openssl::Initialize();
  if (argc > 1 && std::string_view(argv[1]) == calico::kRender) {
    return calico::PrintRendering(argc - 1, argv + 1);
  }
  if (argc > 1 && std::string_view(argv[1]) == calico::kAdopt) {
    return calico::Adopt(argc - 1, argv + 1);
  }
  if (argc > 1 && std::string_view(argv[1]) == calico::kUninstall) {
    return calico::Uninstall(argc - 1, argv + 1);
  }
  calico::config::OperatorConfig config;
  const calico::config::ParsedFlags parsed = calico::config::ParseOperatorConfig(
      argc, argv, calico::kube::ProcessEnvironment(), &config, calico::Commands());
  if (parsed.exit_code.has_value()) return parsed.Print();
  return calico::Run(config);
}
