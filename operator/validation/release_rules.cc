#include "operator/validation/release_rules.h"

#include "pkg/base/release_order.h"

namespace calico::validation {
namespace {

constexpr std::string_view kDataplanes[] = {"Iptables", "BPF", "VPP", "Nftables"};
constexpr std::string_view kRoutingModes[] = {"BIRD", "Felix", "FelixIPIPOnly"};
// The names that were there first come first, so that an older release has the first ones.
constexpr std::string_view kNodeInitContainers[] = {
    "install-cni",
    "hostpath-init",
    "flexvol-driver",
    "mount-bpffs",
    "node-certs-key-cert-provisioner",
    "calico-node-prometheus-server-tls-key-cert-provisioner",
    "ebpf-bootstrap",
    "cni-plugins",
};
constexpr std::string_view kKubeControllers[] = {"calico-kube-controllers",
                                                 "es-calico-kube-controllers"};
constexpr std::string_view kCsi[] = {"calico-csi", "csi-node-driver-registrar", "csi-node-driver"};

// Oldest first.
constexpr ReleaseRules kReleases[] = {
    {.release = "v3.27",
     .has_pool_objects = false,
     .linux_dataplanes = std::span(kDataplanes).first(3),
     .routing_modes = {},
     .default_routing_mode = "BIRD",
     .has_bpf_bootstrap = false,
     .has_pod_interface_types = false,
     .has_cni_choices = false,
     .takes_fips = true,
     .takes_non_privileged = true,
     .ebpf_takes_dual_stack = false,
     .takes_host_ports_with_calico_cni_only = true,
     .node_init_containers = std::span(kNodeInitContainers).first(6),
     .kube_controllers_containers = std::span(kKubeControllers).first(1),
     .csi_containers = {}},
    {.release = "v3.32",
     .has_pool_objects = true,
     .linux_dataplanes = kDataplanes,
     .routing_modes = std::span(kRoutingModes).first(2),
     .default_routing_mode = "BIRD",
     .has_bpf_bootstrap = true,
     .has_pod_interface_types = false,
     .has_cni_choices = false,
     .takes_fips = true,
     .takes_non_privileged = false,
     .ebpf_takes_dual_stack = true,
     .takes_host_ports_with_calico_cni_only = false,
     .node_init_containers = std::span(kNodeInitContainers).first(7),
     .kube_controllers_containers = kKubeControllers,
     .csi_containers = kCsi},
    {.release = "v3.33",
     .has_pool_objects = true,
     .linux_dataplanes = kDataplanes,
     .routing_modes = kRoutingModes,
     .default_routing_mode = "FelixIPIPOnly",
     .has_bpf_bootstrap = true,
     .has_pod_interface_types = true,
     .has_cni_choices = true,
     .takes_fips = false,
     .takes_non_privileged = false,
     .ebpf_takes_dual_stack = true,
     .takes_host_ports_with_calico_cni_only = false,
     .node_init_containers = kNodeInitContainers,
     .kube_controllers_containers = kKubeControllers,
     .csi_containers = kCsi},
};

}  // namespace

const ReleaseRules& RulesOf(std::string_view release) { return base::RowFor(kReleases, release); }

}  // namespace calico::validation
