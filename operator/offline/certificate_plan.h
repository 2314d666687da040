// The plan of certificates for a world of files.
#ifndef CALICO_OPERATOR_OFFLINE_CERTIFICATE_PLAN_H_
#define CALICO_OPERATOR_OFFLINE_CERTIFICATE_PLAN_H_

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "operator/certificates/plan.h"
#include "operator/offline/rendering.h"
#include "operator/offline/world.h"
#include "pkg/api/operator/installation.h"

namespace calico::offline {

// The text of a private key that somebody took out of a file before passing it on.
inline constexpr std::string_view kWithheld = "REDACTED";

// Keys are made for certificates that are not there yet, anew with every call. What is wrong with a
// Secret goes to `problems`, as in a cluster; a withheld key counts as the certificate's.
// Errors: as certificates::MakePlan.
absl::StatusOr<certificates::Plan> PlanCertificates(const World& world,
                                                    const api::Installation& installation,
                                                    const Surroundings& surroundings,
                                                    std::vector<std::string>& problems);

}  // namespace calico::offline

#endif  // CALICO_OPERATOR_OFFLINE_CERTIFICATE_PLAN_H_
