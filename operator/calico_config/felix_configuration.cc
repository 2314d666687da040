#include <utility>

#include <fmt/format.h>

#include "operator/calico_config/planning.h"

namespace calico::calico_config {
namespace {

constexpr std::string_view kBpfEnabled = "bpfEnabled";

std::string_view NftablesModeOf(const Asked& asked) {
  // eBPF needs no kube-proxy whose mode could differ from node to node; but what Docker Enterprise
  // writes into iptables does not get on with nftables.
  if (asked.is_bpf()) return asked.provider == "DockerEnterprise" ? "Disabled" : "Enabled";
  return asked.data_plane == "Nftables" ? "Auto" : "Disabled";
}

void SetDefaults(const ReleaseRules& rules, const Asked& asked, Settings& settings) {
  const bool is_docker = rules.sets_vxlan_port && asked.provider == "DockerEnterprise";
  // Tables that the other plug-in does not use.
  if (asked.cni == "AmazonVPC") {
    settings.Default("routeTableRange", json::object{{"min", 65}, {"max", 99}});
  } else if (asked.cni == "GKE") {
    settings.Default("routeTableRange", json::object{{"min", 10}, {"max", 250}});
  }
  settings.Default("healthPort", asked.provider == "OpenShift" ? 9199 : 9099);
  // Docker's own overlay has 4096 and 4789.
  settings.Default("vxlanVNI", is_docker ? 10000 : 4096);
  if (rules.sets_vxlan_port) {
    settings.Default("vxlanPort", is_docker && asked.is_bpf() ? 8472 : 4789);
  }
  if (is_docker && asked.is_bpf()) settings.Default("bpfHostConntrackBypass", false);
  // A kube-proxy that goes on running holds the port.
  if (rules.frees_healthz_port && asked.is_bpf() && !asked.manages_kube_proxy) {
    settings.Default("bpfKubeProxyHealthzPort", 0);
  }
  if (rules.writes_bpf_log_level) settings.Default("bpfLogLevel", "");
}

void SetNftablesMode(const Asked& asked, Settings& settings, Plan& plan) {
  if (asked.data_plane.empty()) return;
  const std::string_view mode = NftablesModeOf(asked);
  const std::string others = settings.Claim("nftablesMode", mode, "Auto");
  if (others.empty()) return;
  plan.problems.push_back(
      {kResourceValidationError,
       fmt::format("FelixConfiguration default has spec.nftablesMode {}, set by {}, but "
                   "spec.calicoNetwork.linuxDataplane {} of the Installation needs {}: it is left "
                   "as it is; remove it, or change linuxDataplane",
                   codec::Serialize(*settings.Find("nftablesMode")), others, asked.data_plane,
                   mode)});
}

// Whether the annotation says what the field says: then nobody else has changed it.
bool IsOursToSwitch(const Settings& settings) {
  const std::string annotation = settings.Annotation(kBpfAnnotation);
  const json::value* const field = settings.Find(kBpfEnabled);
  if (field == nullptr) return annotation.empty();
  return field->is_bool() && annotation == (field->get_bool() ? "true" : "false");
}

void SwitchBpf(const Asked& asked, const Live& live, Settings& settings, Plan& plan) {
  const json::value* const field = settings.Find(kBpfEnabled);
  const bool is_on = field != nullptr && *field == json::value(true);
  if (asked.is_bpf() ? is_on : field != nullptr && !is_on) return;
  if (!IsOursToSwitch(settings)) {
    plan.problems.push_back(
        {kResourceValidationError,
         fmt::format(
             "unable to set bpfEnabled: FelixConfiguration \"default\" has been modified by "
             "someone else, refusing to override potential user configuration: spec.bpfEnabled "
             "is {}, the annotation {} is {:?}, and spec.calicoNetwork.linuxDataplane is {}. Set "
             "both to what shall be, or change linuxDataplane",
             field == nullptr ? "absent" : codec::Serialize(*field), kBpfAnnotation,
             settings.Annotation(kBpfAnnotation), asked.data_plane)});
    return;
  }
  // Pods that run without what eBPF needs must not switch under way.
  if (asked.is_bpf() && live.node_agent.has_value() && !live.node_agent->has_bpf_in_environment &&
      !live.node_agent->is_ready_for_bpf) {
    plan.waiting = "eBPF is switched on once every calico-node pod is prepared for it";
    return;
  }
  settings.Set(kBpfEnabled, asked.is_bpf());
  settings.Annotate(kBpfAnnotation, asked.is_bpf() ? "true" : "false");
}

}  // namespace

void PlanFelixConfiguration(const ReleaseRules& rules, const Asked& asked, const Live& live,
                            Plan& plan) {
  if (!live.felix_configurations.has_value()) {
    plan.problems.push_back(NotServed("felixconfigurations"));
    return;
  }
  Settings settings(kFelixConfiguration, *live.felix_configurations);
  SetDefaults(rules, asked, settings);
  if (rules.switches_data_plane) {
    SetNftablesMode(asked, settings, plan);
    SwitchBpf(asked, live, settings, plan);
    if (!asked.cluster_routing.empty()) {
      SetClusterRouting(asked, settings, kFelixConfiguration, plan);
    }
  }
  std::move(settings).AddTo(plan);
}

}  // namespace calico::calico_config
