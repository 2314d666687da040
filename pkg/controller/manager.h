// Manager: starts a program's parts in order, stops them in reverse, and ends the process's life
// in order: signal, controllers, lease given up, caches, servers.
//
//   Manager manager(loop.executor(), client, options, clock, logger);
//   manager.AddServer("health", [&] { return serving::Serve(...); });
//   manager.AddCache("pods", [&] { return pods.Run(); },
//                    [&](absl::Duration timeout) { return pods.WaitForSync(timeout); });
//   manager.AddController("installation", [&] { return RunController(...); });
//   absl::Status status = co_await manager.Run(WaitForSignal());
#ifndef CALICO_PKG_CONTROLLER_MANAGER_H_
#define CALICO_PKG_CONTROLLER_MANAGER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "pkg/aio/task.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/lease/leader_elector.h"
#include "pkg/metrics/registry.h"

namespace calico::controller {

struct ManagerOptions {
  // Absent: leads at once, without a lease. Its StopLimit bounds the end of controllers after the
  // loss of the lease.
  std::optional<kube::LeaderElectionOptions> leader_election;
  // The parts of a program get this long to end.
  absl::Duration stop_timeout = absl::Seconds(5);
  // Called when they have not; null logs which ones and ends the process with code 1, for what is
  // still running could go on writing without the lease.
  std::function<void()> stop_timed_out;
  // Gets leader_election_master_status. May be null; outlives the manager.
  metrics::Registry* metrics = nullptr;
};

// Threading: event loop thread only. All references outlive the manager.
class Manager {
 public:
  // `client` is for the lease: see kube::RunAsLeader.
  Manager(aio::Executor executor, kube::Client& client, ManagerOptions options,
          const base::Clock& clock, const base::Logger& logger);
  // Requires: Run has ended, or was never called.
  ~Manager();

  // Runs on every replica from the start (servers, metrics).
  void AddServer(std::string name, std::function<aio::Task<void>()> run);
  // Runs on every replica; `wait_for_sync` is awaited before controllers start.
  void AddCache(std::string name, std::function<aio::Task<void>()> run,
                std::function<aio::Task<absl::Status>(absl::Duration)> wait_for_sync);
  // Runs only while leading, after all caches are in sync.
  void AddController(std::string name, std::function<aio::Task<void>()> run);

  // Runs everything until `stop` ends (a signal), a part ends by itself or the lease is lost.
  // Caches fill while the lease is waited for. Call once; no part can be added afterwards.
  // OK after `stop`. Errors: kInternal naming the part that ended; kAborted when the lease was
  // lost; kCancelled. Cancellation: as `stop`.
  aio::Task<absl::Status> Run(aio::Task<void> stop);

  // All caches have been in sync (readiness).
  bool Ready() const;
  // Controllers run, or start as soon as the caches are in sync.
  bool Leading() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace calico::controller

#endif  // CALICO_PKG_CONTROLLER_MANAGER_H_
