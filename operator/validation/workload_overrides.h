// Overrides of the workloads: spec.calicoNodeDaemonSet, spec.typhaDeployment and the like.
#ifndef CALICO_OPERATOR_VALIDATION_WORKLOAD_OVERRIDES_H_
#define CALICO_OPERATOR_VALIDATION_WORKLOAD_OVERRIDES_H_

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

// Those of an Installation. Of Windows nothing is rendered, and nothing is checked.
void CheckInstallationOverrides(const SpecField& spec, const ReleaseRules& release,
                                Findings findings);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_WORKLOAD_OVERRIDES_H_
