#include "operator/controllers/installation/configuration.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/strings/str_join.h>

#include "operator/calico_config/calico_config.h"
#include "operator/controllers/calico_config/live_settings.h"
#include "operator/render/names.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/tigera_status.h"

namespace calico::installation {
namespace {

constexpr std::string_view kBpf = "BPF";
// Mostly it takes a few milliseconds, and a status for them would be two writes for nothing.
constexpr absl::Duration kSettlingPatience = absl::Seconds(1);

void AddStates(std::vector<calico_config::KindState> kinds, std::vector<CacheState>& states) {
  for (calico_config::KindState& kind : kinds) {
    states.push_back({.resource = kind.resource,
                      .has_synced = kind.is_known,
                      .trouble = std::move(kind.trouble),
                      .started = kind.started,
                      .is_vital = true});
  }
}

bool HasRolled(const api::DaemonSet& daemon_set) {
  return daemon_set.observed_generation >= daemon_set.meta.generation &&
         daemon_set.updated_number_scheduled == daemon_set.desired_number_scheduled &&
         daemon_set.number_available == daemon_set.desired_number_scheduled;
}

bool HasPools(const json::object& spec) {
  const json::object* const network = codec::FindObject(spec, "calicoNetwork");
  return network != nullptr && codec::FindArray(*network, "ipPools") != nullptr;
}

}  // namespace

void Configuration::SetObserver(const std::function<void()>& observer) {
  parts_.view.AddObserver(observer);
  parts_.controller.SetObserver(observer);
  parts_.addresses.SetObserver(observer);
}

void Configuration::TellUnknown(Pass& pass) const {
  if (!parts_.view.IsKnown()) {
    pass.waits.emplace_back("Calico's IP pools and settings are being read");
  } else if (!parts_.view.IsLost()) {
    return;
  } else if (options_.manages_crds) {
    pass.waits.emplace_back("Calico's CustomResourceDefinitions have gone and are made again");
  } else {
    pass.Stop(api::kReasonResourceNotFound,
              "the API server no longer serves kinds of crd.projectcalico.org, so that Calico's "
              "configuration is gone: apply Calico's CustomResourceDefinitions; what runs is left "
              "as it is until then");
  }
}

std::vector<CacheState> Configuration::CacheStates() const {
  std::vector<CacheState> states;
  AddStates(parts_.view.States(), states);
  AddStates(parts_.addresses.States(), states);
  return states;
}

void Configuration::AddPools(defaults::ClusterFacts& facts) const {
  std::optional<std::vector<json::object>> pools = parts_.view.Objects().ip_pools;
  // Of a kind that is not served there are none.
  if (pools.has_value()) facts.ip_pools = *std::move(pools);
}

void Configuration::GatherSettings(const api::Installation& installation, render::Inputs& inputs,
                                   Pass& pass) {
  auto read = calico_config::LiveSettings::Of(parts_.view.Objects(), parts_.view.KubeControllers());
  inputs.settings = std::move(read.settings);
  inputs.kube_controllers_metrics_port = read.kube_controllers_metrics_port;
  if (calico_config::RulesOf(options_.release->version()).makes_ip_pools) {
    inputs.live_pools = std::move(read.live_pools);
  }
  const bool is_used = installation.calico_network.bpf_network_bootstrap == "Enabled";
  parts_.addresses.Use(is_used);
  if (!is_used) return;
  if (!parts_.addresses.IsKnown()) {
    pass.waits.emplace_back("the addresses of Service default/kubernetes are being read");
    return;
  }
  inputs.service_addresses = parts_.addresses.ServiceAddresses();
  inputs.api_server_endpoints = parts_.addresses.Endpoints();
  if (!inputs.service_addresses.empty() && !inputs.api_server_endpoints.empty()) return;
  pass.Stop(api::kReasonResourceValidationError,
            "spec.calicoNetwork.bpfNetworkBootstrap: Service default/kubernetes has no address, or "
            "its EndpointSlices have none: create them, or a ConfigMap "
            "kubernetes-services-endpoint instead of this field");
}

Configuration::SpecId Configuration::IdOf(const api::Installation& completed, const Pass& pass) {
  return {pass.uid(), std::hash<std::string>()(codec::Serialize(completed.spec))};
}

// The pods of an older rendering are not those that are asked about, be they finished or not.
std::optional<calico_config::NodeAgent> Configuration::NodeAgent(const SpecId& id) const {
  const auto live = view_.owned().Get(
      api::kDaemonSets, {std::string(render::kCalicoNamespace), std::string(render::kNode)});
  if (live == nullptr) return std::nullopt;
  const auto daemon_set = workloads_.DaemonSet(render::kNode);
  const bool has_rolled = applied_ == id && daemon_set != nullptr && HasRolled(*daemon_set);
  return calico_config::NodeAgentOf(live->Parse(), has_rolled);
}

void Configuration::SetInput(const api::Installation& completed, const Pass& pass) {
  calico_config::ConfigInput input{.release = std::string(options_.release->version()),
                                   .spec = completed.spec,
                                   .has_ip_pools = HasPools(pass.record->installation->spec),
                                   .generation = pass.generation(),
                                   .installation_uid = pass.uid()};
  if (completed.calico_network.linux_dataplane == kBpf)
    input.node_agent = NodeAgent(IdOf(completed, pass));
  parts_.controller.SetInput(std::move(input));
}

void Configuration::Ask(const api::Installation& completed, Pass& pass) {
  SetInput(completed, pass);
  pass.has_asked = true;
  const auto& agent = parts_.controller.input()->node_agent;
  const auto& outcome = parts_.controller.outcome();
  const bool is_settled = outcome.has_value() && outcome->is_settled;
  // Pods of an older release have it in their environment, and the next ones would go without.
  if (agent.has_value() && agent->has_bpf_in_environment && !is_settled &&
      calico_config::RulesOf(options_.release->version()).switches_data_plane) {
    pass.waits.emplace_back("FelixConfiguration is told of eBPF before calico-node is replaced");
  }
}

void Configuration::Applied(const api::Installation& completed, const render::Inputs& inputs,
                            Pass& pass) {
  applied_ = IdOf(completed, pass);
  pass.has_asked = true;
  SetInput(completed, pass);
  calico_config::PolicyFacts policies{
      .release = std::string(options_.release->version()),
      .spec = completed.spec,
      .kube_controllers_metrics_port = inputs.kube_controllers_metrics_port.value_or(0),
      .has_api_server = pass.has_api_server};
  if (inputs.api_endpoint.has_value()) {
    policies.api_host = inputs.api_endpoint->host;
    policies.api_port = inputs.api_endpoint->port;
  }
  parts_.tiers.SetInput(calico_config::TierInput{.facts = std::move(policies),
                                                 .generation = pass.generation(),
                                                 .installation_uid = pass.uid()});
  if (completed.calico_network.kube_proxy_management == "Enabled") {
    parts_.kube_proxy.SetInput(calico_config::KubeProxyInput{.generation = pass.generation(),
                                                             .installation_uid = pass.uid()});
  } else {
    parts_.kube_proxy.SetInput(std::nullopt);
  }
}

void Configuration::Clear() {
  unsettled_since_ = absl::InfiniteFuture();
  parts_.controller.SetInput(std::nullopt);
  parts_.addresses.Use(false);
  parts_.tiers.SetInput(std::nullopt);
  parts_.kube_proxy.SetInput(std::nullopt);
}

void Configuration::Tell(Pass& pass) {
  const auto& outcome = parts_.controller.outcome();
  std::string wait;
  if (!outcome.has_value()) {
    wait = "Calico's IP pools and settings are being looked at";
  } else if (!outcome->waiting.empty()) {
    wait = outcome->waiting;
  } else if (!outcome->is_settled) {
    wait = "Calico's IP pools and settings are being written";
  }
  if (outcome.has_value() && !outcome->problems.empty()) {
    std::vector<std::string> messages;
    for (const calico_config::Problem& problem : outcome->problems) {
      messages.push_back(problem.message);
    }
    pass.Stop(outcome->problems.front().reason, absl::StrJoin(messages, "\n"));
  }
  if (wait.empty()) {
    unsettled_since_ = absl::InfiniteFuture();
    return;
  }
  const absl::Time now = clock_.SteadyNow();
  unsettled_since_ = std::min(unsettled_since_, now);
  const absl::Duration left = unsettled_since_ + kSettlingPatience - now;
  if (left <= absl::ZeroDuration()) {
    pass.waits.push_back(std::move(wait));
  } else {
    pass.is_settling = true;
    pass.Again(clock_.Now() + left);
  }
}

}  // namespace calico::installation
