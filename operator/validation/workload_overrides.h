// Overrides of the workloads: spec.calicoNodeDaemonSet, spec.typhaDeployment and the like.
#ifndef CALICO_OPERATOR_VALIDATION_WORKLOAD_OVERRIDES_H_
#define CALICO_OPERATOR_VALIDATION_WORKLOAD_OVERRIDES_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "operator/validation/release_rules.h"
#include "operator/validation/spec_field.h"

namespace calico::validation {

// Overrides of one workload, of an Installation or another kind. Containers and init containers
// must be among the names given.
void CheckWorkloadOverrides(const SpecField& overrides,
                            std::span<const std::string_view> containers,
                            std::span<const std::string_view> init_containers, Findings findings);

// Requires the overrides of a Deployment that gives up after `deadline` seconds without progress:
// pods that count as ready later than that cannot be asked for.
inline constexpr std::int64_t kProgressDeadlineSeconds = 600;
void CheckReadyInTime(const SpecField& overrides, std::int64_t deadline, Findings findings);

// Those of an Installation. Of Windows nothing is rendered, and nothing is checked.
void CheckInstallationOverrides(const SpecField& spec, const ReleaseRules& release,
                                Findings findings);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_WORKLOAD_OVERRIDES_H_
