// How the releases differ in their defaults: one row each.
#ifndef CALICO_OPERATOR_DEFAULTS_RELEASE_TRAITS_H_
#define CALICO_OPERATOR_DEFAULTS_RELEASE_TRAITS_H_

#include <string_view>

namespace calico::defaults {

struct ReleaseTraits {
  std::string_view release;
  bool has_pool_objects;        // the operator makes IPPools: names, uses, several of one family
  bool has_cni_folders;         // cni.binDir, cni.confDir
  bool has_policy_setup_delay;  // calicoNetwork.linuxPolicySetupTimeoutSeconds
  bool has_azure;               // azure.policyMode
  bool has_cni_install_mode;    // cni.installMode, cni.specVersion
  bool has_host_paths;          // calicoRunHostPath, calicoLibHostPath
  bool has_managed_policies;    // networkPolicy.managePolicies
  bool writes_non_privileged;   // nonPrivileged: Disabled
  bool ends_registry_with_slash;
};

// The row for `release` (pkg/base/release_order.h).
const ReleaseTraits& TraitsOf(std::string_view release);

}  // namespace calico::defaults

#endif  // CALICO_OPERATOR_DEFAULTS_RELEASE_TRAITS_H_
