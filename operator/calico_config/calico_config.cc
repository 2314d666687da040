#include "operator/calico_config/calico_config.h"

#include <fmt/format.h>

#include "operator/calico_config/planning.h"

namespace calico::calico_config {
namespace {

std::string_view TextIn(const json::object* object, std::string_view key) {
  return object == nullptr ? std::string_view() : codec::TextAt(*object, key);
}

}  // namespace

Asked::Asked(const json::object& spec) : provider(codec::TextAt(spec, "kubernetesProvider")) {
  const json::object* const plugin = codec::FindObject(spec, "cni");
  cni = TextIn(plugin, "type");
  ipam = TextIn(plugin == nullptr ? nullptr : codec::FindObject(*plugin, "ipam"), "type");
  const json::object* const network = codec::FindObject(spec, "calicoNetwork");
  if (network == nullptr) return;
  data_plane = codec::TextAt(*network, "linuxDataplane");
  cluster_routing = codec::TextAt(*network, "clusterRoutingMode");
  manages_kube_proxy = codec::TextAt(*network, "kubeProxyManagement") == "Enabled";
  ip_pools = codec::FindArray(*network, "ipPools");
}

json::object Identity(std::string_view api_version, std::string_view kind, std::string_view name) {
  return {{"apiVersion", api_version}, {"kind", kind}, {"metadata", {{"name", name}}}};
}

Problem NotServed(std::string_view plural) {
  return {kResourceNotFound,
          fmt::format("the API server does not serve {}.crd.projectcalico.org: apply Calico's "
                      "CustomResourceDefinitions, or start the operator with --manage-crds",
                      plural)};
}

Plan MakePlan(const Request& request, const Live& live) {
  const ReleaseRules& rules = RulesOf(request.release);
  const Asked asked(request.spec);
  Plan plan;
  PlanIpPools(request, asked, live, plan);
  PlanFelixConfiguration(rules, asked, live, plan);
  if (rules.switches_data_plane) PlanBgpConfiguration(asked, live, plan);
  return plan;
}

}  // namespace calico::calico_config
