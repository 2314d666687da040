// Calico's own configuration (crd.projectcalico.org/v1) of an Installation: which IPPools,
// FelixConfiguration and BGPConfiguration are made or changed, and what the status says about them.
//
// What somebody else has set stays: a setting is written where there is none, or where the operator
// (this one, or Tigera's) wrote it last. KubeControllersConfiguration and ClusterInformation are
// written by Calico and by the user alone.
#ifndef CALICO_OPERATOR_CALICO_CONFIG_CALICO_CONFIG_H_
#define CALICO_OPERATOR_CALICO_CONFIG_CALICO_CONFIG_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pkg/codec/json.h"

namespace calico::calico_config {

inline constexpr std::string_view kApiVersion = "crd.projectcalico.org/v1";
// The same objects behind Calico's API server, which releases a pool's addresses before it goes.
inline constexpr std::string_view kServedApiVersion = "projectcalico.org/v3";

// The one object of a kind that counts.
inline constexpr std::string_view kDefaultName = "default";

// What FelixConfiguration remembers about who switched eBPF on or off.
inline constexpr std::string_view kBpfAnnotation = "operator.tigera.io/bpfEnabled";

// Which releases have what (pkg/base/release_order.h).
struct ReleaseRules {
  std::string_view release;          // "v3.32"
  bool makes_ip_pools;               // else calico-node makes them, as its environment says
  bool switches_data_plane;          // bpfEnabled and nftablesMode, else the environment says it
  bool sets_vxlan_port;              // and what Docker Enterprise needs besides
  bool frees_healthz_port;           // of kube-proxy, where that runs beside eBPF
  bool writes_bpf_log_level;         // an empty one, as Tigera's operator of that release
  bool has_tier;                     // `calico-system`, and policies in it
  bool allows_calico_manager;        // to kube-controllers, in such a policy
  std::string_view namespace_label;  // by which policies know a namespace
};
const ReleaseRules& RulesOf(std::string_view release);

// The DaemonSet calico-node as it is.
struct NodeAgent {
  bool has_bpf_in_environment = false;  // FELIX_BPFENABLED is true
  // Every pod is of the newest template, which has the volume bpffs, and available.
  bool is_ready_for_bpf = false;
};

// What exists. A kind that the API server does not serve is nullopt.
struct Live {
  std::optional<std::vector<json::object>> ip_pools;
  std::optional<std::vector<json::object>> felix_configurations;
  std::optional<std::vector<json::object>> bgp_configurations;
  std::optional<NodeAgent> node_agent;  // nullopt: no DaemonSet
  bool is_calico_api_served = false;    // projectcalico.org/v3 answers
};

struct Request {
  std::string_view release;
  const json::object& spec;  // the completed spec of the Installation
  // Whether the Installation itself has spec.calicoNetwork.ipPools, be it empty. Where it does not,
  // no pool is ever deleted: what fills the gap is a default.
  bool has_ip_pools = false;
};

struct Write {
  enum class Verb { kCreate, kPatch, kDelete };
  Verb verb;
  // kCreate: the object. kPatch: a JSON merge patch that holds apiVersion, kind, metadata.name and
  // the resourceVersion it was made for. kDelete: apiVersion, kind, name.
  json::object object;
};

// Why the status is Degraded. `reason` is one of Tigera's operator.
struct Problem {
  std::string_view reason;
  std::string message;
};

enum class PoolState {
  kNotNeeded,  // another plug-in gives the addresses
  kReady,      // there is an enabled pool
  kAskedFor,   // there will be one after the writes, or when calico-node runs
  kNone,       // there is none and will be none: pods get no address
};

struct Plan {
  std::vector<Write> writes;  // in this order
  PoolState pools = PoolState::kNotNeeded;
  std::vector<Problem> pool_problems;  // worst first; of TigeraStatus `ippools`
  std::vector<Problem> problems;       // worst first; of TigeraStatus `calico`
  std::string waiting;                 // what is yet to come, empty when nothing
};

// `live` objects are as the API server answers. Requires: `request.spec` passed validation; what is
// wrong in it all the same is a problem.
Plan MakePlan(const Request& request, const Live& live);

// Whether an IPPool or policy is looked after by the operator (this one or Tigera's): its label
// says so.
bool IsOperators(const json::object& object);

}  // namespace calico::calico_config

#endif  // CALICO_OPERATOR_CALICO_CONFIG_CALICO_CONFIG_H_
