// What the API server takes for labels, and for where pods may run: asked before a workload is
// written, so that the message names the field of the Installation.
#ifndef CALICO_OPERATOR_VALIDATION_SCHEDULING_RULES_H_
#define CALICO_OPERATOR_VALIDATION_SCHEDULING_RULES_H_

#include "operator/validation/spec_field.h"

namespace calico::validation {

// Labels, and a nodeSelector, which is of the same form.
void CheckLabels(const SpecField& labels, Findings findings);
void CheckAnnotations(const SpecField& annotations, Findings findings);

void CheckAffinity(const SpecField& affinity, Findings findings);
void CheckNodeAffinity(const SpecField& node_affinity, Findings findings);
void CheckTolerations(const SpecField& tolerations, Findings findings);
void CheckTopologySpread(const SpecField& constraints, Findings findings);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_SCHEDULING_RULES_H_
