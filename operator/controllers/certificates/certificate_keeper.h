// CertificateKeeper: makes the plan of certificates from what the cluster has, and writes the
// Secrets with new keys.
//
// Everything else of a plan is applied like other objects (secret_objects.h), so that edits by hand
// are put right. A CA cannot be made twice, and none is made in place of one that cannot be read:
// no plan is made before everything has been listed, a new key is only written where there is no
// Secret (or in place of the version that was read), one after the other, the CA first, and the
// first refusal voids the plan. What is refused is tried again after a pause that grows, and a
// Secret that somebody deletes or breaks again and again is written ever more rarely.
#ifndef CALICO_OPERATOR_CONTROLLERS_CERTIFICATES_CERTIFICATE_KEEPER_H_
#define CALICO_OPERATOR_CONTROLLERS_CERTIFICATES_CERTIFICATE_KEEPER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/certificates/demands.h"
#include "operator/certificates/plan.h"
#include "operator/controllers/certificates/secret_objects.h"
#include "operator/controllers/certificates/secret_view.h"
#include "pkg/aio/task.h"
#include "pkg/base/backoff.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/kube/apply/contention.h"
#include "pkg/kube/client/client.h"
#include "pkg/metrics/registry.h"

namespace calico::certificates {

struct CertificateKeeperOptions {
  std::string field_manager;
  std::string hash_annotation;  // as kube::ApplierOptions has it
};

// Threading: event loop thread only, one call at a time; keys are made on a thread of their own.
// All references outlive it.
class CertificateKeeper {
 public:
  // Adds a metric to `registry`: when certificates end.
  CertificateKeeper(kube::Client& client, SecretView& view, metrics::Registry& registry,
                    CertificateKeeperOptions options, const base::Clock& clock,
                    const base::Logger& logger);

  // The plan, made anew only when what it is made from has changed, or its time has come. Whether
  // pods of before certificateManagement are left is added to `demands`. Nothing is written.
  // Errors: to be tried again: what could not be listed; kInvalidArgument for a Secret that cannot
  // be read; as MakePlan. Cancellation: after a key that is being made.
  aio::Task<absl::StatusOr<std::shared_ptr<const Plan>>> Prepare(Demands demands);

  // Writes the new keys of the last plan, and returns it, or another one if it was void: no Secret
  // of it is to be created or replaced any more. One with a key that pods have already, and that
  // has to wait, is left out and among the problems. Requires: Prepare has returned a complete
  // plan. Errors: as Prepare, or what could not be written; the same again, without a request,
  // until it is time to try again. Cancellation: as Prepare; what was written stays and is in the
  // next plan.
  aio::Task<absl::StatusOr<std::shared_ptr<const Plan>>> Write(Owners owners);

  // With certificateManagement: no pod of before is left, as everything is applied and has been
  // rolled out. Returns whether another plan is due now. It counts until certificateManagement is
  // given up.
  bool SetRolledOut();

  // Deletes what the plan does not need any more. Requires: the rest of the plan is in place.
  // Errors: as kube::Client::Delete; what has changed since is left for the next plan.
  aio::Task<absl::Status> Delete(std::shared_ptr<const Plan> plan);

 private:
  // A certificate that is in use, for the metric.
  struct End {
    std::string ns;
    std::string name;
    std::string issuer;
    absl::Time at;
  };

  aio::Task<absl::Status> MakeNew(Demands demands);
  aio::Task<absl::StatusOr<std::shared_ptr<const Plan>>> WriteOrPlanAnew(const Owners& owners);
  aio::Task<absl::Status> WriteNewKeys(const Owners& owners);
  aio::Task<absl::Status> WriteNewKey(PlannedSecret& secret, const Owners& owners);
  bool MayWrite(const PlannedSecret& secret, const Owners& owners);
  absl::Status PutOff(PlannedSecret& secret, Plan& plan) const;
  void LogNotes() const;

  kube::Client& client_;
  SecretView& view_;
  const CertificateKeeperOptions options_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  bool is_rolled_out_ = false;
  std::shared_ptr<Plan> plan_;  // null: none, or void
  Demands demands_;             // of plan_
  std::uint64_t version_ = 0;   // of view_, that plan_ was made from
  std::vector<End> ends_;
  kube::Contention contention_;  // of the Secrets with new keys
  // After a failure.
  absl::Status failure_;
  base::Backoff backoff_;
  absl::Time try_at_ = absl::InfinitePast();  // steady clock
};

}  // namespace calico::certificates

#endif  // CALICO_OPERATOR_CONTROLLERS_CERTIFICATES_CERTIFICATE_KEEPER_H_
