// What a Calico release can do, as far as an Installation may ask for it: one row each.
#ifndef CALICO_OPERATOR_VALIDATION_RELEASE_RULES_H_
#define CALICO_OPERATOR_VALIDATION_RELEASE_RULES_H_

#include <cstddef>
#include <span>
#include <string_view>

namespace calico::validation {

struct ReleaseRules {
  std::string_view release;
  // IPPool objects are made: several of a family. Otherwise calico-node makes at most one of each.
  bool has_pool_objects;
  std::span<const std::string_view> linux_dataplanes;
  // Values of clusterRoutingMode; empty: BIRD programs all routes.
  std::span<const std::string_view> routing_modes;
  std::string_view default_routing_mode;
  bool has_bpf_bootstrap;        // bpfNetworkBootstrap, kubeProxyManagement
  bool has_pod_interface_types;  // linuxPodInterfaceType
  bool has_cni_choices;          // cni.specVersion, cni.installMode
  bool takes_fips;
  bool takes_non_privileged;
  bool ebpf_takes_dual_stack;
  bool takes_host_ports_with_calico_cni_only;  // hostPorts: Disabled not elsewhere either
  // Names in the overrides of the workloads.
  std::span<const std::string_view> node_init_containers;
  std::span<const std::string_view> kube_controllers_containers;
  std::span<const std::string_view> csi_containers;
};

// The row for `release` (pkg/base/release_order.h).
const ReleaseRules& RulesOf(std::string_view release);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_RELEASE_RULES_H_
