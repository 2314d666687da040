// The spec of an Installation with every default of the release filled in: what
// Installation.status.computed shows and what is rendered.
//
//   json::object spec = defaults::CompleteSpec(std::move(given), facts);
//
// What the user has set stays, in whatever shape; only what says nothing (absent, null, an empty
// string) is filled. So completing twice is completing once, and what cannot be right is left for
// decoding and validation to tell.
#ifndef CALICO_OPERATOR_DEFAULTS_COMPLETE_SPEC_H_
#define CALICO_OPERATOR_DEFAULTS_COMPLETE_SPEC_H_

#include "operator/defaults/cluster_facts.h"
#include "pkg/codec/json.h"

namespace calico::defaults {

// Pools that will exist count as if they did: address detection is complete in the first pass.
// Members that are null are removed. Without spec.calicoNetwork.ipPools:
// - pools of the cluster that were made for this Installation (label app.kubernetes.io/managed-by:
//   tigera-operator) are its pools, as they are: a spec from Git that never had them keeps them;
// - other pools of the cluster are the user's: the list is empty, and none is made;
// - without pools the pod networks of kubeadm or OpenShift, else 192.168.0.0/16 (EKS:
//   172.16.0.0/16 with VXLAN), where Calico does the IPAM.
// Release v3.27 has no IPPool objects of the operator's: calico-node makes the pools, and those of
// the cluster change nothing.
json::object CompleteSpec(json::object spec, const ClusterFacts& facts);

}  // namespace calico::defaults

#endif  // CALICO_OPERATOR_DEFAULTS_COMPLETE_SPEC_H_
