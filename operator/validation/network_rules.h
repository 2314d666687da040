// spec.cni and spec.calicoNetwork without its pools.
#ifndef CALICO_OPERATOR_VALIDATION_NETWORK_RULES_H_
#define CALICO_OPERATOR_VALIDATION_NETWORK_RULES_H_

#include "operator/validation/release_rules.h"
#include "operator/validation/spec_field.h"

namespace calico::validation {

// CNI plug-in and IPAM, with each other and with the provider.
void CheckCni(const SpecField& spec, const ReleaseRules& release, Findings findings);

// Data plane, routes, detection of addresses, and what depends on the CNI plug-in.
void CheckNetwork(const SpecField& spec, const ReleaseRules& release, Findings findings);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_NETWORK_RULES_H_
