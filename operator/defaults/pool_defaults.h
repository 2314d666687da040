// The IP pools of an Installation: which there are when it names none, and what one has that the
// user did not set.
#ifndef CALICO_OPERATOR_DEFAULTS_POOL_DEFAULTS_H_
#define CALICO_OPERATOR_DEFAULTS_POOL_DEFAULTS_H_

#include <string>

#include <absl/status/statusor.h>

#include "operator/defaults/cluster_facts.h"
#include "operator/defaults/release_traits.h"
#include "pkg/codec/json.h"

namespace calico::defaults {

// Fills spec.calicoNetwork.ipPools. Requires that provider, CNI and IPAM are filled already.
void FillPools(json::object& spec, const ClusterFacts& facts, const ReleaseTraits& release);

struct PoolFamilies {
  bool v4 = false;
  bool v6 = false;
};
// Families of the pools that pods can have addresses of: those of the spec and of the cluster,
// without disabled ones.
PoolFamilies FamiliesInUse(const json::object& spec, const ClusterFacts& facts,
                           const ReleaseTraits& release);

// A live IPPool as an entry of spec.calicoNetwork.ipPools.
json::object PoolOfObject(const json::object& ip_pool);

// The name of an IPPool after its network: "10.1.0.0-16", the groups of IPv6 written out and
// separated by dots. Errors: InvalidArgument for what is no CIDR.
absl::StatusOr<std::string> PoolNameOf(std::string_view cidr);

}  // namespace calico::defaults

#endif  // CALICO_OPERATOR_DEFAULTS_POOL_DEFAULTS_H_
