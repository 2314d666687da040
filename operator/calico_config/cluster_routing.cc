#include <utility>

#include <fmt/format.h>

#include "operator/calico_config/planning.h"

namespace calico::calico_config {
namespace {

constexpr std::string_view kField = "programClusterRoutes";

// What one of them does not do, the other does.
struct Routing {
  std::string_view mode;
  std::string_view felix;
  std::string_view bird;
};
constexpr Routing kRoutings[] = {
    {"BIRD", "Disabled", "Enabled"},
    {"Felix", "Enabled", "Disabled"},
    {"FelixIPIPOnly", "EnabledIPIPOnly", "EnabledNoEncapOnly"},
};

}  // namespace

void SetClusterRouting(const Asked& asked, Settings& settings, std::string_view kind, Plan& plan) {
  for (const Routing& routing : kRoutings) {
    if (routing.mode != asked.cluster_routing) continue;
    const std::string_view value = kind == kFelixConfiguration ? routing.felix : routing.bird;
    const std::string others = settings.Claim(kField, value);
    if (others.empty()) return;
    plan.problems.push_back(
        {kResourceValidationError,
         fmt::format("{} default has spec.{} {}, set by {}, but "
                     "spec.calicoNetwork.clusterRoutingMode {} of the Installation needs {}: it is "
                     "left as it is; remove it, or change clusterRoutingMode",
                     kind, kField, codec::Serialize(*settings.Find(kField)), others,
                     asked.cluster_routing, value)});
    return;
  }
  plan.problems.push_back({kInvalidConfigurationError,
                           fmt::format("spec.calicoNetwork.clusterRoutingMode {:?} is unknown",
                                       asked.cluster_routing)});
}

void PlanBgpConfiguration(const Asked& asked, const Live& live, Plan& plan) {
  if (asked.cluster_routing.empty()) return;
  if (!live.bgp_configurations.has_value()) {
    plan.problems.push_back(NotServed("bgpconfigurations"));
    return;
  }
  Settings settings(kBgpConfiguration, *live.bgp_configurations);
  SetClusterRouting(asked, settings, kBgpConfiguration, plan);
  std::move(settings).AddTo(plan);
}

}  // namespace calico::calico_config
