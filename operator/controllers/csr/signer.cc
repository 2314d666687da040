#include "operator/controllers/csr/signer.h"

#include <malloc.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "operator/controllers/csr/ca_source.h"
#include "operator/controllers/csr/cluster_facts.h"
#include "operator/controllers/csr/csr_controller.h"
#include "operator/controllers/csr/metrics.h"
#include "operator/controllers/csr/policy_source.h"
#include "pkg/aio/timer.h"
#include "pkg/controller/manager.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/event/recorder.h"
#include "pkg/metrics/registry.h"
#include "pkg/serving/process_metrics.h"
#include "pkg/serving/serving.h"

namespace calico::csr {
namespace {

constexpr std::string_view kComponent = "csr-signer";
// Connections beside those of requests in work: events, look-ups.
constexpr int kOtherConnections = 4;

// Everything that lives as long as the program.
struct Program {
  Program(aio::Executor executor, SignerOptions o, std::unique_ptr<PolicySource> policy_source,
          std::unique_ptr<CaSource> ca_source, const base::Clock& clock,
          const base::Logger& logger);

  aio::Task<void> RefreshFiles();
  void AddParts();

  const SignerOptions options;
  const base::Clock& clock;
  const base::Logger& logger;
  std::unique_ptr<PolicySource> policies;
  std::unique_ptr<CaSource> ca;
  metrics::Registry registry;
  Metrics metrics;
  kube::Client client;
  kube::EventRecorder events;
  ClusterFacts cluster;
  CsrController controller;
  controller::Manager manager;
};

kube::ClientOptions ClientOptionsOf(const config::SignerConfig& config) {
  kube::ClientOptions options;
  options.user_agent = kComponent;
  options.max_connections = config.concurrency + kOtherConnections;
  return options;
}

CsrControllerOptions ControllerOptionsOf(const config::SignerConfig& config) {
  return {.signer_names = config.signer_names,
          .longest_validity = config.duration,
          .sign_approved_only = config.sign_approved_only,
          .concurrency = config.concurrency};
}

controller::ManagerOptions ManagerOptionsOf(const SignerOptions& options,
                                            metrics::Registry* registry) {
  controller::ManagerOptions manager;
  manager.metrics = registry;
  if (!options.config.leader_elect) return manager;
  std::string ns = options.config.lease_namespace;
  if (ns.empty()) ns = options.api.ns;
  if (ns.empty()) ns = "default";
  manager.leader_election = kube::LeaderElectionOptions{.lease = {ns, std::string(kComponent)},
                                                        .identity = kube::NewLeaderIdentity()};
  return manager;
}

Program::Program(aio::Executor executor, SignerOptions o,
                 std::unique_ptr<PolicySource> policy_source, std::unique_ptr<CaSource> ca_source,
                 const base::Clock& c, const base::Logger& l)
    : options(std::move(o)),
      clock(c),
      logger(l),
      policies(std::move(policy_source)),
      ca(std::move(ca_source)),
      metrics(registry, options.config.signer_names),
      client(executor, options.api, logger, ClientOptionsOf(options.config)),
      events(client, std::string(kComponent), clock, logger, executor),
      cluster(executor, client, clock, logger),
      controller(executor, {client, *policies, *ca, cluster, events, metrics, clock, logger},
                 ControllerOptionsOf(options.config)),
      manager(executor, client, ManagerOptionsOf(options, &registry), clock, logger) {
  registry.AddGaugeCallback(
      "csr_signer_ca_expiry_timestamp_seconds",
      "When the CA stops being able to sign; 0 without a CA.", [this] {
        const std::shared_ptr<const IssuingCa> current = ca->Current();
        return current == nullptr ? 0.0
                                  : static_cast<double>(absl::ToUnixSeconds(current->not_after()));
      });
  registry.AddGaugeCallback("csr_signer_pending_requests",
                            "CertificateSigningRequests without a verdict or a certificate.",
                            [this] { return static_cast<double>(controller.pending()); });
  serving::AddProcessMetrics(registry);
  cluster.SetPolicy(*policies->Current());
}

aio::Task<void> Program::RefreshFiles() {
  while ((co_await aio::Sleep(options.refresh_interval)).ok()) {
    const bool had_ca = ca->Current() != nullptr;
    ca->Refresh();
    if (!had_ca && ca->Current() != nullptr) controller.RetryWaiting();
    if (policies->Refresh()) {
      cluster.SetPolicy(*policies->Current());
      controller.RetryWaiting();
    }
    // What a wave of requests took lies in small free pieces, which the allocator keeps. Costs some
    // microseconds.
    malloc_trim(0);
  }
}

void Program::AddParts() {
  const config::SignerConfig& config = options.config;
  if (!config.health_address.empty()) {
    manager.AddServer("health", [this, address = config.health_address] {
      const auto ready = [this] {
        if (!manager.Ready()) return absl::UnavailableError("requests not listed");
        if (ca->Current() == nullptr) return ca->status();
        return cluster.AddressHealth();
      };
      return serving::Serve("health", address, {.ready = ready, .live = serving::AlwaysOk}, logger);
    });
  }
  if (!config.metrics_address.empty()) {
    manager.AddServer("metrics", [this, address = config.metrics_address] {
      return serving::Serve("metrics", address, {.metrics = &registry}, logger);
    });
  }
  manager.AddServer("files", [this] { return RefreshFiles(); });
  manager.AddCache(
      "pods", [this] { return cluster.Run(); },
      [this](absl::Duration timeout) { return cluster.WaitForSync(timeout); });
  for (CsrController::Cache& cache : controller.Caches()) {
    manager.AddCache(cache.name, std::move(cache.run), std::move(cache.wait_for_sync));
  }
  manager.AddController("events", [this] { return events.Run(); });
  manager.AddController("csr", [this] { return controller.Run(); });
}

}  // namespace

aio::Task<int> RunSigner(SignerOptions options, aio::Task<void> stop, const base::Clock& clock,
                         const base::Logger& logger) {
  const config::SignerConfig& config = options.config;
  absl::StatusOr<std::unique_ptr<PolicySource>> policies =
      PolicySource::Open(config.policy_file, config.signer_names, logger);
  std::unique_ptr<FileCaSource> ca =
      FileCaSource::Open(config.ca_cert_file, config.ca_key_file, clock, logger);
  if (!policies.ok()) {
    logger.Error("bad policy", {{"error", policies.status()}});
    co_return kExitBadInput;
  }

  const aio::Executor executor = co_await aio::CurrentExecutor();
  const auto program = std::make_unique<Program>(executor, std::move(options), *std::move(policies),
                                                 std::move(ca), clock, logger);
  program->AddParts();
  const absl::Status status = co_await program->manager.Run(std::move(stop));
  if (status.ok() || absl::IsCancelled(status)) co_return kExitOk;
  logger.Error("ended", {{"error", status}});
  co_return kExitFailed;
}

}  // namespace calico::csr
