// Configuration: what the installation controller and Calico's own configuration (IPPools,
// FelixConfiguration and so on) tell each other.
//
// Defaults depend on the pools that there are, and pools on defaults. Pools that an Installation
// will make count as if they were there, so the first rendering is the last one; and while it is
// not known which there are, nothing is made or rendered.
#ifndef CALICO_OPERATOR_CONTROLLERS_INSTALLATION_CONFIGURATION_H_
#define CALICO_OPERATOR_CONTROLLERS_INSTALLATION_CONFIGURATION_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/time/time.h>

#include "operator/controllers/calico_config/api_server_addresses.h"
#include "operator/controllers/calico_config/calico_config_controller.h"
#include "operator/controllers/calico_config/calico_view.h"
#include "operator/controllers/calico_config/kube_proxy_controller.h"
#include "operator/controllers/calico_config/tier_controller.h"
#include "operator/controllers/installation/cache_health.h"
#include "operator/controllers/installation/cluster_view.h"
#include "operator/controllers/installation/options.h"
#include "operator/controllers/installation/pass.h"
#include "operator/controllers/installation/wanted_workloads.h"
#include "operator/defaults/cluster_facts.h"
#include "operator/render/inputs.h"
#include "pkg/api/operator/installation.h"
#include "pkg/base/clock.h"

namespace calico::installation {

// Outlive whoever is given them.
struct ConfigurationParts {
  calico_config::CalicoView& view;
  calico_config::CalicoConfigController& controller;
  calico_config::ApiServerAddresses& addresses;
  calico_config::TierController& tiers;
  calico_config::KubeProxyController& kube_proxy;
};

// Threading: event loop thread only. All references outlive it.
class Configuration {
 public:
  Configuration(ConfigurationParts parts, ClusterView& view, const WantedWorkloads& workloads,
                const InstallationControllerOptions& options, const base::Clock& clock)
      : parts_(parts), view_(view), workloads_(workloads), options_(options), clock_(clock) {}

  // Called when there is something new. Requires: before anything runs.
  void SetObserver(const std::function<void()>& observer);

  // Lets the pass wait while it is not known what is configured.
  void TellUnknown(Pass& pass) const;
  // How far it can be looked at.
  std::vector<CacheState> CacheStates() const;
  // Which pools there are. Requires: TellUnknown had nothing to tell.
  void AddPools(defaults::ClusterFacts& facts) const;
  // What rendering takes of it.
  void GatherSettings(const api::Installation& installation, render::Inputs& inputs, Pass& pass);

  // The Installation of the pass is right, and `completed` with all defaults. Lets the pass wait
  // where something must be configured before pods are replaced.
  void Ask(const api::Installation& completed, Pass& pass);
  // Its objects have been applied, rendered with these inputs.
  void Applied(const api::Installation& completed, const render::Inputs& inputs, Pass& pass);
  // There is no Installation.
  void Clear();
  // What has become of it; what is under way for a moment only sets pass.is_settling. Requires: Ask
  // or Applied.
  void Tell(Pass& pass);

 private:
  using SpecId = std::pair<std::string, std::size_t>;  // UID and hash

  static SpecId IdOf(const api::Installation& completed, const Pass& pass);
  void SetInput(const api::Installation& completed, const Pass& pass);
  std::optional<calico_config::NodeAgent> NodeAgent(const SpecId& id) const;

  const ConfigurationParts parts_;
  ClusterView& view_;
  const WantedWorkloads& workloads_;
  const InstallationControllerOptions& options_;
  const base::Clock& clock_;
  SpecId applied_;  // the last one whose objects have all been applied
  absl::Time unsettled_since_ = absl::InfiniteFuture();  // steady clock
};

}  // namespace calico::installation

#endif  // CALICO_OPERATOR_CONTROLLERS_INSTALLATION_CONFIGURATION_H_
