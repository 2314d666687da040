// What the API server takes for containers and their pods, as far as an Installation may change it.
#ifndef CALICO_OPERATOR_VALIDATION_CONTAINER_RULES_H_
#define CALICO_OPERATOR_VALIDATION_CONTAINER_RULES_H_

#include "operator/validation/spec_field.h"

namespace calico::validation {

// Limits and requests: names, quantities, no request above its limit.
void CheckResources(const SpecField& resources, Findings findings);

// Times and thresholds of a probe.
void CheckProbe(const SpecField& probe, Findings findings);

// dnsPolicy and dnsConfig of a pod's spec.
void CheckDns(const SpecField& pod_spec, Findings findings);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_CONTAINER_RULES_H_
