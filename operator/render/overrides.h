// What an Installation changes of the workloads that a release has: resources, probes, places to
// run at, labels and annotations, the disruption budget.
//
// From the weakest to the strongest: the manifest; componentResources, typhaAffinity and the
// controlPlane... fields; the workload's own override (calicoNodeDaemonSet and the like). The rules
// are those of Calico's own operator:
//   - labels and annotations are only added: what the manifest has stays, and nothing in the domain
//     operator.tigera.io can be set; nodeSelector is added to in the same way
//   - affinity, tolerations, topologySpreadConstraints, resources, ports, strategy.rollingUpdate
//     and dnsConfig are replaced as a whole
//   - of a probe that is there, the four times are replaced one by one
//   - a container that the workload does not have is passed over
#ifndef CALICO_OPERATOR_RENDER_OVERRIDES_H_
#define CALICO_OPERATOR_RENDER_OVERRIDES_H_

#include "pkg/codec/json.h"

namespace calico::render {

struct OverrideSources {
  const json::object& spec;                  // completed and validated
  const json::object* api_server = nullptr;  // spec of the APIServer, where there is one
  // The workload tells in an annotation what was overridden of its containers: they, unlike init
  // containers, can keep it from being ready.
  bool has_annotation = false;
};

// Changes one object; one that nothing is said about is left as it is. What has another shape than
// the API allows is passed over.
void ApplyOverrides(json::object& object, const OverrideSources& sources);

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_OVERRIDES_H_
