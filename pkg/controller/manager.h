// Manager: starts a program's parts in order, stops them in reverse, and ends the process's life
// in order: signal, controllers, lease given up, caches, servers.
#ifndef CALICO_PKG_CONTROLLER_MANAGER_H_
#define CALICO_PKG_CONTROLLER_MANAGER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <absl/status/status.h>

#include "pkg/aio/task.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/lease/leader_elector.h"

namespace calico::controller {

struct ManagerOptions {
  // Absent: leads at once, without a lease.
  std::optional<kube::LeaderElectionOptions> leader_election;
  absl::Duration stop_timeout = absl::Seconds(5);
};

// Threading: event loop thread only. All references outlive the manager.
class Manager {
 public:
  Manager(aio::Executor executor, kube::Client& client, ManagerOptions options,
          const base::Clock& clock, const base::Logger& logger);
  ~Manager();

  // Runs on every replica from the start (servers, metrics).
  void AddServer(std::string name, std::function<aio::Task<void>()> run);
  // Runs on every replica; `wait_for_sync` is awaited before controllers start.
  void AddCache(std::string name, std::function<aio::Task<void>()> run,
                std::function<aio::Task<absl::Status>(absl::Duration)> wait_for_sync);
  // Runs only while leading, after all caches are in sync.
  void AddController(std::string name, std::function<aio::Task<void>()> run);

  // Runs everything until `stop` ends (a signal), a part ends by itself (an error) or the lease is
  // lost. OK after `stop`.
  aio::Task<absl::Status> Run(aio::Task<void> stop);

  // Caches in sync (readiness); a controller loop ticked lately (liveness).
  bool Ready() const;
  bool Leading() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace calico::controller

#endif  // CALICO_PKG_CONTROLLER_MANAGER_H_
