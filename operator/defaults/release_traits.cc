#include "operator/defaults/release_traits.h"

#include "pkg/base/release_order.h"

namespace calico::defaults {
namespace {

// Oldest first.
constexpr ReleaseTraits kReleases[] = {
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
};

}  // namespace

const ReleaseTraits& TraitsOf(std::string_view release) { return base::RowFor(kReleases, release); }

}  // namespace calico::defaults
