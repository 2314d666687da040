// Leader election on a coordination.k8s.io/v1 Lease, with client-go's timing rules.
//
// Expiry is judged from when a changed record was last observed here, never from stored times, so
// clock skew does no harm. A clean end gives the lease up (holderIdentity empty, duration 1 s), and
// who waits for it watches the Lease, so that the next leader takes over at once. Where watching is
// not allowed, it is read every retry period instead.
//
// Two leaders do not act at the same time while their processes run. The lease has a connection of
// its own, so that no number of slow calls delays a renewal. When renewing fails, `lead` is
// cancelled at the renew deadline; what has not ended after LeaderElectionOptions::StopLimit more
// (a task that does not listen, an event loop that hangs) ends with the process, before the lease
// does and another one may lead.
//
// A process that is stopped (SIGSTOP, a suspended machine) for longer than that ends as soon as it
// runs again. It cannot be ended before, and a request that it had sent may still arrive.
#ifndef CALICO_PKG_KUBE_LEASE_LEADER_ELECTOR_H_
#define CALICO_PKG_KUBE_LEASE_LEADER_ELECTOR_H_

#include <functional>
#include <string>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "pkg/aio/task.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/kube/client/client.h"

namespace calico::kube {

// Requires: lease_duration > renew_deadline > 1.2 * retry_period.
struct LeaderElectionOptions {
  api::ObjectKey lease;
  std::string identity;  // unique per process: `<hostname>_<uuid>`
  absl::Duration lease_duration = absl::Seconds(15);
  absl::Duration renew_deadline = absl::Seconds(10);
  absl::Duration retry_period = absl::Seconds(2);
  // Called on a thread of its own when `lead` has not ended StopLimit after the loss, or when no
  // renewal was heard of for as long as that takes, or when the system has no timer for it. Null
  // logs it and ends the process at once with exit code 1; a log that blocks (stderr) ends it by
  // SIGALRM a second later.
  std::function<void()> stop_timed_out;

  // How long `lead` may take to end after the loss: less than the time from the renew deadline to
  // the end of the lease.
  absl::Duration StopLimit() const { return (lease_duration - renew_deadline) * 3 / 5; }
};

// `<hostname>_<random>`.
std::string NewLeaderIdentity();

// Waits for the lease, then runs `lead` while renewing it. When `lead` ends or the task is
// cancelled, `lead` is cancelled and awaited, then the lease is given up; after the loss of the
// lease it is awaited for StopLimit at most. Returns what `lead` returned, kAborted when the lease
// was lost (the process is expected to exit), kCancelled.
// `observed` (may be null) is told each new leader's identity.
// `client` names server and credentials; its connections are not used.
// Lifetime: `client`, `clock`, `logger` outlive the task. Cancellation: total.
aio::Task<absl::Status> RunAsLeader(Client& client, LeaderElectionOptions options,
                                    std::function<aio::Task<absl::Status>()> lead,
                                    std::function<void(const std::string& identity)> observed,
                                    const base::Clock& clock, const base::Logger& logger);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_LEASE_LEADER_ELECTOR_H_
