// One IP pool, as an Installation asks for it and as Calico holds it.
#ifndef CALICO_OPERATOR_CALICO_CONFIG_IP_POOL_H_
#define CALICO_OPERATOR_CALICO_CONFIG_IP_POOL_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/base/ip_prefix.h"
#include "pkg/codec/json.h"

namespace calico::calico_config {

struct IpPool {
  std::string name;
  base::IpPrefix cidr;
  std::string encapsulation;  // of the Installation's words: IPIP, VXLAN, None, ...
  bool nat_outgoing = false;
  bool is_disabled = false;
  bool disables_bgp_export = false;
  int block_size = 0;
  std::string node_selector;
  std::string assignment_mode;
  std::vector<std::string> allowed_uses;

  // An element of the completed spec's calicoNetwork.ipPools. Errors: InvalidArgument.
  static absl::StatusOr<IpPool> OfInstallation(const json::object& pool);
  // An IPPool of crd.projectcalico.org/v1, with what Calico takes where a field is absent.
  // Errors: InvalidArgument.
  static absl::StatusOr<IpPool> OfLive(const json::object& object);

  // The spec of a new IPPool.
  json::object Spec() const;
  // What must be changed in the spec of `live` to be as this one; block size and CIDR left out,
  // which cannot be.
  json::object Changes(const IpPool& live) const;

  friend bool operator==(const IpPool&, const IpPool&) = default;
};

// The labels of a pool that the operator makes.
json::object OperatorsLabels();

}  // namespace calico::calico_config

#endif  // CALICO_OPERATOR_CALICO_CONFIG_IP_POOL_H_
