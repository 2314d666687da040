// Derived values (derived_values.h) of calico-kube-controllers and of Calico's API server.
#ifndef CALICO_OPERATOR_RENDER_CONTROL_PLANE_VALUES_H_
#define CALICO_OPERATOR_RENDER_CONTROL_PLANE_VALUES_H_

#include "operator/render/derived_values.h"
#include "operator/render/node_values.h"

namespace calico::render {

// Annotations for the pod template: the hash of the server's certificate.
DerivedResult CalicoApiAnnotations(RenderValues& values);
// What the aggregator trusts when it calls the server, in base64.
DerivedResult CalicoApiCaBundle(RenderValues& values);
// "info", or what the APIServer says, in lower case.
DerivedResult CalicoApiLogLevel(RenderValues& values);
// 5443; an override of the container's ports moves the server itself.
DerivedResult CalicoApiPort(RenderValues& values);

DerivedResult ClusterDomain(RenderValues& values);
DerivedResult ControlPlaneReplicas(RenderValues& values);
DerivedResult KubeControllersMetricsPort(RenderValues& values);
// The kubelet's folder, without a slash at its end.
DerivedResult KubeletFolder(RenderValues& values);
// "none" or "multus".
DerivedResult MultiInterfaceMode(RenderValues& values);

// Where pods of the pods' network reach the API server.
DerivedResult PodApiServerHost(RenderValues& values);
DerivedResult PodApiServerPort(RenderValues& values);

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_CONTROL_PLANE_VALUES_H_
