// The IP pools of a completed spec.
#ifndef CALICO_OPERATOR_VALIDATION_POOL_RULES_H_
#define CALICO_OPERATOR_VALIDATION_POOL_RULES_H_

#include "operator/validation/release_rules.h"
#include "operator/validation/spec_field.h"

namespace calico::validation {

// Form and number of the pools, what they allow together, and whether CNI, BGP and data plane carry
// what they ask for.
void CheckPools(const SpecField& spec, const ReleaseRules& release, Findings findings);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_POOL_RULES_H_
