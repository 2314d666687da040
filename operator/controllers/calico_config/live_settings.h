// What Calico's own configuration in the cluster says that pods must know too.
#ifndef CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_LIVE_SETTINGS_H_
#define CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_LIVE_SETTINGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "operator/calico_config/calico_config.h"
#include "operator/render/inputs.h"
#include "pkg/codec/json.h"

namespace calico::calico_config {

struct LiveSettings {
  render::CalicoSettings settings;
  std::optional<std::int64_t> kube_controllers_metrics_port;
  std::vector<std::string> live_pools;  // CIDRs of the IPPools that hand out addresses now

  // Of the objects named `default`. `kube_controllers`: the KubeControllersConfigurations. A value
  // of another type than Calico's definitions have is as good as none.
  static LiveSettings Of(const Live& live,
                         const std::optional<std::vector<json::object>>& kube_controllers);
};

// Whether FelixConfiguration `default` has eBPF on; nullopt: there is none, or it is not known.
std::optional<bool> IsBpfOn(const Live& live);

// Of the DaemonSet calico-node as it is in the cluster, with its status. `has_rolled`: every pod is
// of the template that the Installation of now makes, and available.
NodeAgent NodeAgentOf(const json::object& daemon_set, bool has_rolled);

}  // namespace calico::calico_config

#endif  // CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_LIVE_SETTINGS_H_
