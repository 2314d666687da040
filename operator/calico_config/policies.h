// The tier `calico-system` and the policies in it (projectcalico.org/v3): what Calico's own pods
// may do, and cluster DNS for them, whatever else the cluster's policies say. Pure.
#ifndef CALICO_OPERATOR_CALICO_CONFIG_POLICIES_H_
#define CALICO_OPERATOR_CALICO_CONFIG_POLICIES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pkg/codec/json.h"

namespace calico::calico_config {

// What the policies depend on.
struct PolicyFacts {
  std::string release;                             // "v3.33"
  json::object spec;                               // of the Installation, completed
  std::string api_host;                            // as pods are told; may be empty, and a name
  std::string api_port;                            // empty: as api_host
  std::int64_t kube_controllers_metrics_port = 0;  // 0: no metrics
  bool has_api_server = false;                     // Calico's own
  // Addresses of the cluster's DNS Service, where node-local-dns answers for it on each node; else
  // empty.
  std::vector<std::string> node_local_dns;

  friend bool operator==(const PolicyFacts&, const PolicyFacts&) = default;
};

struct PolicyPlan {
  // In this order: nothing is forbidden before what is needed is allowed.
  std::vector<json::object> wanted;
  // apiVersion, kind, name and namespace of what must not be there, if the operator made it.
  std::vector<json::object> unwanted;
};

// Whether the release has them at all.
bool HasTier(std::string_view release);

// Requires: HasTier.
PolicyPlan PlanPolicies(const PolicyFacts& facts);

// Whether the operator (this one or Tigera's) looks after `object`: its label says so.
bool IsOperatorsPolicy(const json::object& object);

}  // namespace calico::calico_config

#endif  // CALICO_OPERATOR_CALICO_CONFIG_POLICIES_H_
