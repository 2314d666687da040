#include "operator/controllers/installation/operator_program.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "operator/controllers/calico_config/api_server_addresses.h"
#include "operator/controllers/calico_config/calico_config_controller.h"
#include "operator/controllers/calico_config/calico_view.h"
#include "operator/controllers/calico_config/kube_proxy_controller.h"
#include "operator/controllers/calico_config/tier_controller.h"
#include "operator/controllers/cluster/mtu_file.h"
#include "operator/controllers/definitions/calico_crds.h"
#include "operator/controllers/definitions/crd_decision.h"
#include "operator/controllers/definitions/crd_manager.h"
#include "operator/controllers/installation/cluster_view.h"
#include "operator/controllers/installation/installation_controller.h"
#include "operator/controllers/kinds/kinds_view.h"
#include "operator/controllers/kinds/unsupported_kinds.h"
#include "pkg/aio/event_loop.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/base/memory/release.h"
#include "pkg/controller/manager.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/event/recorder.h"
#include "pkg/kube/lease/leader_elector.h"
#include "pkg/metrics/registry.h"
#include "pkg/serving/process_metrics.h"
#include "pkg/serving/serving.h"

namespace calico::installation {
namespace {

constexpr std::string_view kComponent = "calico-operator";
constexpr std::string_view kLease = "operator-lock";
// For the waves of lists and applies.
constexpr int kConnections = 16;
constexpr absl::Duration kTrimInterval = absl::Seconds(30);

kube::ClientOptions ClientOptionsOf() {
  kube::ClientOptions options;
  options.user_agent = kComponent;
  options.max_connections = kConnections;
  options.watch_patience = absl::Milliseconds(500);
  return options;
}

InstallationControllerOptions ControllerOptionsOf(const OperatorOptions& options) {
  InstallationControllerOptions result{.release = options.config.release,
                                       .operator_namespace = options.operator_namespace,
                                       .operator_name = options.config.operator_name,
                                       .mtu_file = cluster::kMtuFile,
                                       .manages_crds = options.config.manage_crds,
                                       .allows_downgrade = options.config.allow_downgrade};
  if (!options.config.service_host.empty() && !options.config.service_port.empty()) {
    result.process_endpoint =
        render::ApiEndpoint{options.config.service_host, options.config.service_port};
  }
  return result;
}

controller::ManagerOptions ManagerOptionsOf(const OperatorOptions& options,
                                            metrics::Registry* registry) {
  controller::ManagerOptions manager;
  manager.metrics = registry;
  if (options.config.leader_elect) {
    manager.leader_election =
        kube::LeaderElectionOptions{.lease = {options.operator_namespace, std::string(kLease)},
                                    .identity = kube::NewLeaderIdentity()};
  }
  return manager;
}

// Everything that lives as long as the program.
struct Program {
  Program(const aio::Executor& e, OperatorOptions o, const base::Clock& clock,
          const base::Logger& l)
      : executor(e),
        options(std::move(o)),
        logger(l),
        crds_tried(executor),
        client(executor, options.api, logger, ClientOptionsOf()),
        events(client, std::string(kComponent), clock, logger, executor),
        view(client, options.operator_namespace, options.config.release->version(), clock, logger,
             executor),
        kinds(client, options.config.release->calico_version(), clock, logger, executor),
        calico_view(client, clock, logger, executor),
        config_controller(executor, client, calico_view, events, registry,
                          options.config.manage_crds, clock, logger),
        addresses(client, clock, logger, executor),
        tiers(executor, client, events, registry, clock, logger),
        kube_proxy(executor, client, calico_view, events, registry, clock, logger),
        controller(executor, client, view, kinds,
                   {calico_view, config_controller, addresses, tiers, kube_proxy}, events, registry,
                   ControllerOptionsOf(options), clock, logger),
        unsupported_kinds(executor, client, kinds, events, registry, clock, logger),
        manager(executor, client, ManagerOptionsOf(options, &registry), clock, logger) {
    view.AddCaches([this] { return kinds.CacheStates(); });
    kinds.AddHealthObserver([this] { view.CachesChanged(); });
    serving::AddProcessMetrics(registry);
  }

  void AddServers() {
    if (!options.config.health_address.empty()) {
      manager.AddServer("health", [this] {
        const auto ready = [this] {
          if (!manager.Ready()) return absl::UnavailableError("objects not listed");
          const CacheHealth health = view.Health();
          return health.lines.empty() ? absl::OkStatus()
                                      : absl::UnavailableError(health.lines.front());
        };
        return serving::Serve("health", options.config.health_address,
                              {.ready = ready, .live = serving::AlwaysOk}, logger);
      });
    }
    if (!options.config.metrics_address.empty()) {
      manager.AddServer("metrics", [this] {
        return serving::Serve("metrics", options.config.metrics_address, {.metrics = &registry},
                              logger);
      });
    }
  }

  // Without the right to definitions there may be some all the same.
  void TellCrds(const absl::Status& status) {
    const bool is_refused = absl::IsPermissionDenied(status);
    if (status.ok() || is_refused) crds_tried.Notify();
    view.SetDefinitionsRefusal(is_refused ? status : absl::OkStatus());
  }

  aio::Task<void> AddMissingCrds() {
    const absl::Status ignored =
        co_await definitions::ManageCrds(client, definitions::Crds::kMissing, logger,
                                         [this](const absl::Status& status) { TellCrds(status); });
  }

  aio::Task<void> RunViews() {
    aio::TaskGroup group(executor);
    group.Spawn(kinds.Run());
    group.Spawn(controller.AskAhead());
    co_await view.Run();
    co_await group.Stop();
  }

  aio::Task<void> RunCaches() {
    if (!options.config.manage_crds) co_return co_await RunViews();
    aio::TaskGroup group(executor);
    group.Spawn(AddMissingCrds());
    if ((co_await crds_tried.Wait()).ok()) co_await RunViews();
    co_await group.Stop();
  }

  // It has time: a pass that needs newer definitions waits for them.
  aio::Task<void> UpdateCrds() {
    if (!(co_await controller.WaitForFirstPass()).ok()) co_return;
    // Again when somebody has deleted them.
    const auto tell = [this](const absl::Status& status) { TellCrds(status); };
    while ((co_await definitions::ManageCrds(client, definitions::Crds::kAll, logger, tell)).ok()) {
      if (!(co_await view.WaitForLostKind()).ok()) co_return;
    }
  }

  aio::Task<void> KeepCalicoCrds() {
    if (!(co_await controller.WaitForFirstPass()).ok()) co_return;
    absl::StatusOr<std::vector<definitions::WantedCrd>> wanted =
        definitions::WantedCrds(options.config.release->version(), options.calico_crds);
    if (!wanted.ok()) {
      logger.Error("Calico's CustomResourceDefinitions cannot be read",
                   {{"error", wanted.status()}});
      controller.SetCalicoDefinitions(wanted.status());
      co_return;
    }
    const auto tell = [this](absl::StatusOr<std::vector<std::string>> result) {
      controller.SetCalicoDefinitions(result.status());
      if (!result.ok()) result = std::vector<std::string>{std::string(result.status().message())};
      config_controller.SetDefinitionProblems(*std::move(result));
      calico_view.LookAgain();
    };
    co_await definitions::ManageCalicoCrds(client, *std::move(wanted), logger, tell);
  }

  // What lists, waves of changes and the start took.
  aio::Task<void> TrimMemory() {
    while ((co_await aio::Sleep(kTrimInterval)).ok()) base::ReleaseMemory();
  }

  void AddParts() {
    AddServers();
    manager.AddServer("memory", [this] { return TrimMemory(); });
    manager.AddCache(
        "cluster", [this] { return RunCaches(); },
        [this](absl::Duration timeout) { return view.WaitForSync(timeout); });
    manager.AddCache(
        "calico", [this] { return calico_view.Run(); },
        [this](absl::Duration timeout) { return calico_view.WaitForSync(timeout); });
    if (options.config.manage_crds) {
      manager.AddController("crds", [this] { return UpdateCrds(); });
      manager.AddController("calico-crds", [this] { return KeepCalicoCrds(); });
    }
    manager.AddController("events", [this] { return events.Run(); });
    manager.AddController("api-server-addresses", [this] { return addresses.Run(); });
    manager.AddController("calico-config", [this] { return config_controller.Run(); });
    manager.AddController("tiers", [this] { return tiers.Run(); });
    manager.AddController("kube-proxy", [this] { return kube_proxy.Run(); });
    manager.AddController("installation", [this] { return controller.Run(); });
    manager.AddController("unsupported-kinds", [this] { return unsupported_kinds.Run(); });
  }

  const aio::Executor executor;
  const OperatorOptions options;
  const base::Logger& logger;
  aio::Notifier crds_tried;  // once, or refused
  metrics::Registry registry;
  kube::Client client;
  kube::EventRecorder events;
  ClusterView view;
  kinds::KindsView kinds;
  calico_config::CalicoView calico_view;
  calico_config::CalicoConfigController config_controller;
  calico_config::ApiServerAddresses addresses;
  calico_config::TierController tiers;
  calico_config::KubeProxyController kube_proxy;
  InstallationController controller;
  kinds::UnsupportedKinds unsupported_kinds;
  controller::Manager manager;
};

}  // namespace

aio::Task<int> RunOperator(OperatorOptions options, aio::Task<void> stop, const base::Clock& clock,
                           const base::Logger& logger) {
  const aio::Executor executor = co_await aio::CurrentExecutor();
  const auto program = std::make_unique<Program>(executor, std::move(options), clock, logger);
  program->AddParts();
  const absl::Status status = co_await program->manager.Run(std::move(stop));
  if (status.ok() || absl::IsCancelled(status)) co_return kExitOk;
  logger.Error("ended", {{"error", status}});
  co_return kExitFailed;
}

}  // namespace calico::installation
