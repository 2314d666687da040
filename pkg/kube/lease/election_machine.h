// ElectionMachine: the decisions of leader election, without I/O. RunAsLeader carries them out.
#ifndef CALICO_PKG_KUBE_LEASE_ELECTION_MACHINE_H_
#define CALICO_PKG_KUBE_LEASE_ELECTION_MACHINE_H_

#include <optional>
#include <string>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/api/coordination/lease.h"
#include "pkg/kube/lease/leader_elector.h"

namespace calico::kube {

// Of a base::Clock: expiry is measured in `steady`, the lease shows `wall`.
struct ElectionTime {
  absl::Time steady;
  absl::Time wall;
};

// What to do next, and which function to call with the outcome.
struct ElectionStep {
  enum class Kind {
    kRead,    // get the lease: AfterRead
    kCreate,  // post `lease`: AfterWrite
    kUpdate,  // put `lease`: AfterWrite
    kFollow,  // another one leads: watch from `lease` for changes, at most for `wait`: AfterWait
    kWait,    // sleep `wait`: AfterWait
    kLost,    // leads no more
  };
  Kind kind = Kind::kRead;
  absl::Duration wait = absl::ZeroDuration();
  api::Lease lease;
};

class ElectionMachine {
 public:
  // Requires: options as LeaderElectionOptions says.
  explicit ElectionMachine(LeaderElectionOptions options);

  ElectionStep Start() const { return {}; }
  // `random` in [0, 1).
  ElectionStep AfterRead(const absl::StatusOr<api::Lease>& lease, ElectionTime now, double random);
  // `began`: when the write was sent. The lease is ours from then on, not from the answer on, and
  // the next renewal is due a retry period later.
  ElectionStep AfterWrite(const absl::StatusOr<api::Lease>& lease, ElectionTime began,
                          ElectionTime now, double random);
  ElectionStep AfterWait(ElectionTime now);

  // A watch brought the lease. True if it is worth trying to take it at once.
  bool Observe(const api::Lease& lease, absl::Time now);

  bool leading() const { return leading_; }
  // A write of ours may have made us the holder: the lease has to be given up.
  bool may_hold() const { return may_hold_; }
  // Who holds the lease as far as we know; may be empty.
  const std::string& holder() const;
  // The bound of the next call.
  absl::Duration CallTimeout(absl::Time now) const;
  // How much longer what leads may act: nobody else can have the lease by then. Negative when that
  // is over.
  absl::Duration ActingTime(absl::Time now) const {
    return RenewLimit() + options_.StopLimit() - now;
  }
  // The wait between two tries of one that does not lead.
  absl::Duration RetryWait(double random) const;

  // The observed lease, given up. Absent when it is not ours.
  std::optional<api::Lease> Released(ElectionTime now) const;

 private:
  absl::Time RenewLimit() const { return renewed_at_ + options_.renew_deadline; }
  absl::Time Expiry() const;
  bool HeldByOther(absl::Time now) const;
  ElectionStep Take(ElectionTime now);
  ElectionStep Renewal(ElectionTime now);
  ElectionStep TryLater(ElectionTime now, double random);

  LeaderElectionOptions options_;
  std::optional<api::Lease> observed_;
  absl::Time observed_at_ = absl::InfinitePast();  // when its record was first seen
  absl::Time renewed_at_ = absl::InfinitePast();
  bool leading_ = false;
  bool may_hold_ = false;
  bool creating_ = false;    // the last write was a create
  bool conflicted_ = false;  // the last write met a conflict
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_LEASE_ELECTION_MACHINE_H_
