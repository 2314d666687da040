#include "operator/calico_config/calico_config.h"
#include "pkg/base/release_order.h"

namespace calico::calico_config {
namespace {

// Oldest first.
constexpr ReleaseRules kReleases[] = {
    {.release = "v3.27",
     .makes_ip_pools = false,
     .switches_data_plane = false,
     .sets_vxlan_port = false,
     .frees_healthz_port = false,
     .writes_bpf_log_level = true,
     .has_tier = false,
     .allows_calico_manager = false,
     .namespace_label = "projectcalico.org/name"},
    {.release = "v3.32",
     .makes_ip_pools = true,
     .switches_data_plane = true,
     .sets_vxlan_port = true,
     .frees_healthz_port = false,
     .writes_bpf_log_level = false,
     .has_tier = true,
     .allows_calico_manager = true,
     .namespace_label = "projectcalico.org/name"},
    {.release = "v3.33",
     .makes_ip_pools = true,
     .switches_data_plane = true,
     .sets_vxlan_port = true,
     .frees_healthz_port = true,
     .writes_bpf_log_level = false,
     .has_tier = true,
     .allows_calico_manager = false,
     .namespace_label = "kubernetes.io/metadata.name"},
};

}  // namespace

const ReleaseRules& RulesOf(std::string_view release) { return base::RowFor(kReleases, release); }

}  // namespace calico::calico_config
