// The part of MakePlan that decides who is trusted.
#ifndef CALICO_OPERATOR_CERTIFICATES_BUNDLE_PLAN_H_
#define CALICO_OPERATOR_CERTIFICATES_BUNDLE_PLAN_H_

#include <optional>

#include <absl/time/time.h>

#include "operator/certificates/plan.h"

namespace calico::certificates {

// Trusted are the CA that signs (ours, or caCert), what the user has supplied for felix and typha,
// and the user's typha-ca. Public roots are of the file, else of the cluster. A part that cannot be
// read is a problem, and what is in the cluster's bundle of it stays.
// Requires: `plan` has its key pairs.
void PlanBundle(const Live& live, const Demands& demands, const std::optional<Authority>& authority,
                absl::Time now, Plan& plan);

}  // namespace calico::certificates

#endif  // CALICO_OPERATOR_CERTIFICATES_BUNDLE_PLAN_H_
