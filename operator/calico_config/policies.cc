#include "operator/calico_config/policies.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include <absl/strings/numbers.h>
#include <fmt/format.h>

#include "operator/calico_config/calico_config.h"
#include "operator/calico_config/ip_pool.h"
#include "pkg/base/ip_address.h"

namespace calico::calico_config {
namespace {

constexpr std::string_view kTierName = "calico-system";
constexpr std::string_view kCalicoNamespace = "calico-system";
constexpr std::string_view kKubeSystem = "kube-system";
constexpr std::string_view kOpenShiftDns = "openshift-dns";
constexpr std::string_view kDnsPods = "k8s-app in { 'kube-dns', 'coredns' }";
constexpr std::string_view kOpenShiftDnsPods =
    "dns.operator.openshift.io/daemonset-dns == 'default'";
constexpr int kTierOrder = 100;
constexpr int kFirst = 1;
constexpr int kSecond = 10;

json::array Texts(std::initializer_list<std::string_view> texts) {
  json::array array;
  for (const std::string_view text : texts) array.emplace_back(text);
  return array;
}

json::array Ports(std::initializer_list<std::int64_t> ports) {
  json::array array;
  for (const std::int64_t port : ports) array.emplace_back(port);
  return array;
}

json::object Rule(std::string_view action) { return {{"action", action}}; }

json::object Allow(std::string_view protocol, json::object destination) {
  return {{"action", "Allow"}, {"protocol", protocol}, {"destination", std::move(destination)}};
}

json::object Policy(std::string_view kind, std::string_view ns, std::string_view name,
                    json::object spec) {
  json::object metadata{{"name", fmt::format("{}.{}", kTierName, name)},
                        {"labels", OperatorsLabels()}};
  if (!ns.empty()) metadata["namespace"] = ns;
  spec["tier"] = kTierName;
  return {{"apiVersion", kServedApiVersion},
          {"kind", kind},
          {"metadata", std::move(metadata)},
          {"spec", std::move(spec)}};
}

json::object NetworkPolicy(std::string_view ns, std::string_view name, json::object spec) {
  return Policy("NetworkPolicy", ns, name, std::move(spec));
}

// The policies of one set of facts.
class Planner {
 public:
  explicit Planner(const PolicyFacts& facts)
      : facts_(facts),
        rules_(RulesOf(facts.release)),
        is_openshift_(codec::TextAt(facts.spec, "kubernetesProvider") == "OpenShift") {}

  json::object Tier() const;
  json::object ClusterDns() const;
  json::object NodeLocalDns() const;
  json::object KubeControllers() const;
  json::object ApiServer() const;
  json::object DefaultDeny() const;
  bool manages_policies() const;

 private:
  // Pods of a namespace, by its name.
  json::object PodsOf(std::string_view ns, std::string_view selector) const {
    return {{"namespaceSelector", fmt::format("{} == '{}'", rules_.namespace_label, ns)},
            {"selector", selector}};
  }
  json::object PodsOf(std::string_view ns, std::string_view selector, std::int64_t port) const {
    json::object pods = PodsOf(ns, selector);
    pods["ports"] = Ports({port});
    return pods;
  }
  void AddDns(json::array& egress) const;
  // Where pods are told the API server is.
  std::optional<json::object> Endpoint() const;

  const PolicyFacts& facts_;
  const ReleaseRules& rules_;
  const bool is_openshift_;
};

json::object Planner::Tier() const {
  json::object labels = OperatorsLabels();
  labels["projectcalico.org/system-tier"] = "true";
  return {{"apiVersion", kServedApiVersion},
          {"kind", "Tier"},
          {"metadata", {{"name", kTierName}, {"labels", std::move(labels)}}},
          {"spec", {{"order", kTierOrder}}}};
}

json::object Planner::ClusterDns() const {
  json::object calico = Rule("Allow");
  calico["source"] = {
      {"namespaceSelector", "all()"},
      {"selector", fmt::format("projectcalico.org/namespace in {{'{}'}}", kCalicoNamespace)}};
  return NetworkPolicy(is_openshift_ ? kOpenShiftDns : kKubeSystem, "cluster-dns",
                       {{"order", kFirst},
                        {"selector", is_openshift_ ? kOpenShiftDnsPods : kDnsPods},
                        {"ingress", json::array{std::move(calico), Rule("Pass")}},
                        {"egress", json::array{Rule("Allow")}},
                        {"types", Texts({"Ingress", "Egress"})}});
}

json::object Planner::NodeLocalDns() const {
  json::array egress;
  for (const bool is_ipv4 : {true, false}) {
    json::array nets;
    for (const std::string& text : facts_.node_local_dns) {
      const absl::StatusOr<base::IpAddress> address = base::IpAddress::Parse(text);
      if (!address.ok() || address->is_ipv4() != is_ipv4) continue;
      nets.emplace_back(fmt::format("{}/{}", address->ToString(), is_ipv4 ? 32 : 128));
    }
    if (nets.empty()) continue;
    egress.push_back(Allow("UDP", {{"nets", std::move(nets)}, {"ports", Ports({53})}}));
  }
  return Policy(
      "GlobalNetworkPolicy", "", "node-local-dns",
      {{"order", kSecond},
       {"selector", fmt::format("projectcalico.org/namespace in {{'{}'}}", kCalicoNamespace)},
       {"egress", std::move(egress)},
       {"types", Texts({"Egress"})}});
}

void Planner::AddDns(json::array& egress) const {
  if (!is_openshift_) {
    egress.push_back(Allow("UDP", PodsOf(kKubeSystem, kDnsPods, 53)));
    return;
  }
  for (const char* const protocol : {"UDP", "TCP"}) {
    egress.push_back(Allow(protocol, PodsOf(kOpenShiftDns, kOpenShiftDnsPods, 5353)));
  }
}

std::optional<json::object> Planner::Endpoint() const {
  std::int64_t port = 0;
  if (facts_.api_host.empty() || !absl::SimpleAtoi(facts_.api_port, &port)) return std::nullopt;
  json::object destination{{"ports", Ports({port})}};
  const absl::StatusOr<base::IpAddress> address = base::IpAddress::Parse(facts_.api_host);
  if (address.ok()) {
    destination["nets"] = json::array{
        json::string(fmt::format("{}/{}", address->ToString(), address->is_ipv4() ? 32 : 128))};
  } else {
    destination["domains"] = json::array{json::string(facts_.api_host)};
  }
  return destination;
}

json::object Planner::KubeControllers() const {
  json::array egress;
  AddDns(egress);
  egress.push_back(Allow("TCP", {{"ports", Ports({443, 6443, 12388})}}));
  if (rules_.allows_calico_manager) {
    egress.push_back(Allow("TCP", PodsOf(kCalicoNamespace, "k8s-app == 'calico-manager'", 9443)));
  }
  if (auto endpoint = Endpoint()) egress.push_back(Allow("TCP", *std::move(endpoint)));
  json::array ingress;
  if (facts_.kube_controllers_metrics_port != 0) {
    json::object metrics = Allow("TCP", {{"ports", Ports({facts_.kube_controllers_metrics_port})}});
    metrics["source"] = {{"namespaceSelector", "name == 'tigera-prometheus'"},
                         {"selector", "k8s-app == 'tigera-prometheus'"}};
    ingress.push_back(std::move(metrics));
  }
  return NetworkPolicy(kCalicoNamespace, "kube-controller-access",
                       {{"order", kFirst},
                        {"selector", "k8s-app == 'calico-kube-controllers'"},
                        {"types", Texts({"Egress", "Ingress"})},
                        {"egress", std::move(egress)},
                        {"ingress", std::move(ingress)}});
}

json::object Planner::ApiServer() const {
  json::array egress;
  AddDns(egress);
  egress.push_back(
      Allow("TCP", {{"services", {{"name", "kubernetes"}, {"namespace", "default"}}}}));
  egress.push_back(
      Allow("TCP", PodsOf("tigera-prometheus", "k8s-app == 'tigera-prometheus'", 9095)));
  egress.push_back(Allow("TCP", PodsOf("tigera-dex", "k8s-app == 'tigera-dex'", 5556)));
  egress.push_back(
      Allow("TCP", PodsOf("tigera-elasticsearch", "k8s-app == 'tigera-linseed'", 8444)));
  if (auto endpoint = Endpoint()) egress.push_back(Allow("TCP", *std::move(endpoint)));
  egress.push_back(Rule("Pass"));
  json::array ingress;
  for (const char* const net : {"0.0.0.0/0", "::/0"}) {
    json::object all = Allow("TCP", {{"ports", Ports({443, 5443, 8080, 10443})}});
    all["source"] = {{"nets", Texts({net})}};
    ingress.push_back(std::move(all));
  }
  return NetworkPolicy(kCalicoNamespace, "apiserver-access",
                       {{"order", kFirst},
                        {"selector", "k8s-app == 'calico-apiserver'"},
                        {"types", Texts({"Ingress", "Egress"})},
                        {"ingress", std::move(ingress)},
                        {"egress", std::move(egress)}});
}

json::object Planner::DefaultDeny() const {
  return NetworkPolicy(
      kCalicoNamespace, "default-deny",
      {{"selector", "k8s-app != 'calico-apiserver'"}, {"types", Texts({"Ingress", "Egress"})}});
}

bool Planner::manages_policies() const {
  const json::object* const policy = codec::FindObject(facts_.spec, "networkPolicy");
  return policy == nullptr || codec::TextAt(*policy, "managePolicies") != "Disabled";
}

json::object IdentityOf(const json::object& object) {
  const json::object& metadata = object.at("metadata").get_object();
  json::object identity{{"name", metadata.at("name")}};
  if (metadata.contains("namespace")) identity["namespace"] = metadata.at("namespace");
  return {{"apiVersion", object.at("apiVersion")},
          {"kind", object.at("kind")},
          {"metadata", std::move(identity)}};
}

}  // namespace

bool HasTier(std::string_view release) { return RulesOf(release).has_tier; }

PolicyPlan PlanPolicies(const PolicyFacts& facts) {
  const Planner planner(facts);
  PolicyPlan plan;
  plan.wanted.push_back(planner.Tier());
  const auto add = [&](json::object policy, bool is_wanted) {
    if (is_wanted && planner.manages_policies()) {
      plan.wanted.push_back(std::move(policy));
    } else {
      plan.unwanted.push_back(IdentityOf(policy));
    }
  };
  add(planner.ClusterDns(), true);
  add(planner.NodeLocalDns(), !facts.node_local_dns.empty());
  add(planner.KubeControllers(), true);
  add(planner.ApiServer(), facts.has_api_server);
  add(planner.DefaultDeny(), true);
  // What denies goes first.
  std::reverse(plan.unwanted.begin(), plan.unwanted.end());
  return plan;
}

bool IsOperatorsPolicy(const json::object& object) { return IsOperators(object); }

}  // namespace calico::calico_config
