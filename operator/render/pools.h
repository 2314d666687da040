// The IP pools of an Installation, as far as pods' addresses go.
#ifndef CALICO_OPERATOR_RENDER_POOLS_H_
#define CALICO_OPERATOR_RENDER_POOLS_H_

#include <span>
#include <string>

#include "pkg/codec/json.h"

namespace calico::render {

// Which address families pods get addresses of.
struct PoolFamilies {
  bool has_ipv4 = false;
  bool has_ipv6 = false;
};

// Of the pools of the spec that hand out addresses, and of `live_pools`: CIDRs of those that the
// cluster has. What is no CIDR counts for none.
PoolFamilies FamiliesOf(const json::object& spec, std::span<const std::string> live_pools);

// The first pool of the spec that is of the family; null if there is none. Lifetime: that of
// `spec`.
const json::object* PoolOfFamily(const json::object& spec, bool is_ipv6);

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_POOLS_H_
