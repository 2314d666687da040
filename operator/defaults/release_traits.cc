#include "operator/defaults/release_traits.h"

namespace calico::defaults {
namespace {

// Newest first.
constexpr ReleaseTraits kReleases[] = {
    {.release = "v3.33",
     .has_pool_objects = true,
     .has_cni_folders = true,
     .has_policy_setup_delay = true,
     .has_azure = true,
     .has_cni_install_mode = true,
     .has_host_paths = true,
     .has_managed_policies = true,
     .writes_non_privileged = false,
     .ends_registry_with_slash = false},
    {.release = "v3.32",
     .has_pool_objects = true,
     .has_cni_folders = true,
     .has_policy_setup_delay = true,
     .has_azure = true,
     .has_cni_install_mode = false,
     .has_host_paths = false,
     .has_managed_policies = false,
     .writes_non_privileged = false,
     .ends_registry_with_slash = false},
    {.release = "v3.27",
     .has_pool_objects = false,
     .has_cni_folders = false,
     .has_policy_setup_delay = false,
     .has_azure = false,
     .has_cni_install_mode = false,
     .has_host_paths = false,
     .has_managed_policies = false,
     .writes_non_privileged = true,
     .ends_registry_with_slash = true},
};

}  // namespace

const ReleaseTraits& TraitsOf(std::string_view release) {
  for (const ReleaseTraits& row : kReleases) {
    if (row.release == release) return row;
  }
  return kReleases[0];
}

}  // namespace calico::defaults
