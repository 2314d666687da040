// How many pods may be away or added while others are replaced.
#ifndef CALICO_OPERATOR_VALIDATION_ROLLOUT_RULES_H_
#define CALICO_OPERATOR_VALIDATION_ROLLOUT_RULES_H_

#include "operator/validation/spec_field.h"

namespace calico::validation {

// spec.nodeUpdateStrategy: a DaemonSet's.
void CheckNodeUpdateStrategy(const SpecField& strategy, Findings findings);

// strategy of a Deployment's overrides.
void CheckDeploymentStrategy(const SpecField& strategy, Findings findings);

// spec.typhaPodDisruptionBudget
void CheckDisruptionBudget(const SpecField& budget, Findings findings);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_ROLLOUT_RULES_H_
