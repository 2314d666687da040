// The API server's rules for pod templates, as far as somebody could trip over them: fields that
// exclude each other. Pure.
#ifndef CALICO_PKG_KUBE_TESTING_POD_TEMPLATE_RULES_H_
#define CALICO_PKG_KUBE_TESTING_POD_TEMPLATE_RULES_H_

#include <vector>

#include "pkg/codec/json.h"
#include "pkg/kube/testing/csr_rules.h"

namespace calico::kube {

// What is wrong in `spec.template` of a workload; nothing for any other object. A variable has
// `value` or `valueFrom`, a volume one source, a probe one handler.
std::vector<FieldProblem> CheckPodTemplate(const json::object& object);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_TESTING_POD_TEMPLATE_RULES_H_
