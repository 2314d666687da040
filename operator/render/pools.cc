#include "operator/render/pools.h"

#include <string_view>

#include "pkg/base/ip_prefix.h"

namespace calico::render {
namespace {

const json::array& PoolsOf(const json::object& spec) {
  static const json::array& none = *new json::array();
  const json::object* const network = codec::FindObject(spec, "calicoNetwork");
  const json::array* const pools =
      network == nullptr ? nullptr : codec::FindArray(*network, "ipPools");
  return pools == nullptr ? none : *pools;
}

void Add(PoolFamilies& families, std::string_view cidr) {
  const absl::StatusOr<base::IpPrefix> network = base::IpPrefix::Parse(cidr);
  if (!network.ok()) return;
  (network->is_ipv4() ? families.has_ipv4 : families.has_ipv6) = true;
}

}  // namespace

PoolFamilies FamiliesOf(const json::object& spec, std::span<const std::string> live_pools) {
  PoolFamilies families;
  for (const json::value& pool : PoolsOf(spec)) {
    if (!pool.is_object()) continue;
    const json::value* const closed = pool.get_object().if_contains("disableNewAllocations");
    if (closed != nullptr && *closed == true) continue;
    Add(families, codec::TextAt(pool.get_object(), "cidr"));
  }
  for (const std::string& cidr : live_pools) Add(families, cidr);
  return families;
}

const json::object* PoolOfFamily(const json::object& spec, bool is_ipv6) {
  for (const json::value& pool : PoolsOf(spec)) {
    if (!pool.is_object()) continue;
    const auto network = base::IpPrefix::Parse(codec::TextAt(pool.get_object(), "cidr"));
    if (network.ok() && network->is_ipv6() == is_ipv6) return &pool.get_object();
  }
  return nullptr;
}

}  // namespace calico::render
