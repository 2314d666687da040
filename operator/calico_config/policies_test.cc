#include "operator/calico_config/policies.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/codec/yaml.h"

namespace calico::calico_config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

json::object Yaml(std::string_view text) {
  absl::StatusOr<json::value> value = codec::ParseYaml(text);
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() ? value->as_object() : json::object();
}

std::vector<std::string> NamesOf(const std::vector<json::object>& objects) {
  std::vector<std::string> names;
  for (const json::object& object : objects) {
    const json::object& metadata = object.at("metadata").as_object();
    const std::string_view ns = codec::TextAt(metadata, "namespace");
    names.push_back(fmt::format("{} {}{}{}", codec::TextAt(object, "kind"), ns,
                                ns.empty() ? "" : "/", codec::TextAt(metadata, "name")));
  }
  return names;
}

json::object SpecOf(const PolicyPlan& plan, std::string_view name) {
  for (const json::object& object : plan.wanted) {
    if (codec::TextAt(object.at("metadata").as_object(), "name") == name) {
      return object.at("spec").as_object();
    }
  }
  ADD_FAILURE() << name;
  return {};
}

TEST(PoliciesTest, WhatDeniesComesLast) {
  const PolicyPlan plan = PlanPolicies({.release = "v3.33"});
  EXPECT_THAT(
      NamesOf(plan.wanted),
      ElementsAre("Tier calico-system", "NetworkPolicy kube-system/calico-system.cluster-dns",
                  "NetworkPolicy calico-system/calico-system.kube-controller-access",
                  "NetworkPolicy calico-system/calico-system.default-deny"));
  EXPECT_THAT(NamesOf(plan.unwanted),
              ElementsAre("NetworkPolicy calico-system/calico-system.apiserver-access",
                          "GlobalNetworkPolicy calico-system.node-local-dns"));
  EXPECT_EQ(SpecOf(plan, "calico-system.default-deny"),
            Yaml("{selector: \"k8s-app != 'calico-apiserver'\", tier: calico-system, "
                 "types: [Ingress, Egress]}"));
  EXPECT_EQ(SpecOf(plan, "calico-system.cluster-dns"), Yaml(R"(
order: 1
tier: calico-system
selector: "k8s-app in { 'kube-dns', 'coredns' }"
ingress:
- action: Allow
  source: {namespaceSelector: all(), selector: "projectcalico.org/namespace in {'calico-system'}"}
- {action: Pass}
egress: [{action: Allow}]
types: [Ingress, Egress]
)"));
  EXPECT_EQ(plan.wanted.front().at("metadata").at("labels").at("projectcalico.org/system-tier"),
            "true");
}

TEST(PoliciesTest, KubeControllersReachWhatTheyNeed) {
  PolicyFacts facts{.release = "v3.33",
                    .api_host = "192.0.2.1",
                    .api_port = "6443",
                    .kube_controllers_metrics_port = 9094};
  EXPECT_EQ(SpecOf(PlanPolicies(facts), "calico-system.kube-controller-access"), Yaml(R"(
order: 1
tier: calico-system
selector: "k8s-app == 'calico-kube-controllers'"
types: [Egress, Ingress]
egress:
- action: Allow
  protocol: UDP
  destination:
    namespaceSelector: "kubernetes.io/metadata.name == 'kube-system'"
    selector: "k8s-app in { 'kube-dns', 'coredns' }"
    ports: [53]
- {action: Allow, protocol: TCP, destination: {ports: [443, 6443, 12388]}}
- {action: Allow, protocol: TCP, destination: {ports: [6443], nets: [192.0.2.1/32]}}
ingress:
- action: Allow
  protocol: TCP
  source: {namespaceSelector: "name == 'tigera-prometheus'",
           selector: "k8s-app == 'tigera-prometheus'"}
  destination: {ports: [9094]}
)"));
  facts.api_host = "api.example.com";
  EXPECT_THAT(codec::Serialize(SpecOf(PlanPolicies(facts), "calico-system.kube-controller-access")),
              HasSubstr(R"("domains":["api.example.com"])"));
}

TEST(PoliciesTest, EachReleaseHasItsOwn) {
  EXPECT_FALSE(HasTier("v3.27"));
  EXPECT_TRUE(HasTier("v3.32"));
  const std::string older = codec::Serialize(
      SpecOf(PlanPolicies({.release = "v3.32"}), "calico-system.kube-controller-access"));
  EXPECT_THAT(older, HasSubstr("projectcalico.org/name == 'kube-system'"));
  EXPECT_THAT(older, HasSubstr("calico-manager"));
  const std::string newer = codec::Serialize(
      SpecOf(PlanPolicies({.release = "v3.33"}), "calico-system.kube-controller-access"));
  EXPECT_THAT(newer, Not(HasSubstr("calico-manager")));
}

TEST(PoliciesTest, OpenShiftHasAnotherDns) {
  const PolicyPlan plan =
      PlanPolicies({.release = "v3.33", .spec = Yaml("{kubernetesProvider: OpenShift}")});
  EXPECT_EQ(NamesOf(plan.wanted)[1], "NetworkPolicy openshift-dns/calico-system.cluster-dns");
  const std::string text = codec::Serialize(SpecOf(plan, "calico-system.kube-controller-access"));
  EXPECT_THAT(text, HasSubstr("5353"));
  EXPECT_THAT(text, HasSubstr(R"("protocol":"TCP","destination":{"namespaceSelector")"));
}

TEST(PoliciesTest, CalicosApiServerIsReachedByAll) {
  const PolicyPlan plan = PlanPolicies({.release = "v3.33", .has_api_server = true});
  const json::object spec = SpecOf(plan, "calico-system.apiserver-access");
  EXPECT_THAT(codec::Serialize(spec.at("ingress")), HasSubstr(R"("nets":["::/0"])"));
  EXPECT_THAT(codec::Serialize(spec.at("ingress")), HasSubstr("5443"));
  EXPECT_EQ(spec.at("egress").as_array().back(), Yaml("{action: Pass}"));
}

TEST(PoliciesTest, WithoutManagementTheyAreUnwantedAndTheTierStays) {
  const PolicyPlan plan = PlanPolicies({.release = "v3.33",
                                        .spec = Yaml("{networkPolicy: {managePolicies: Disabled}}"),
                                        .node_local_dns = {"10.96.0.10"}});
  EXPECT_THAT(NamesOf(plan.wanted), ElementsAre("Tier calico-system"));
  EXPECT_EQ(NamesOf(plan.unwanted).front(),
            "NetworkPolicy calico-system/calico-system.default-deny");
  EXPECT_EQ(plan.unwanted.size(), 5U);
}

TEST(PoliciesTest, NodeLocalDnsIsOneRuleForEachFamily) {
  const PolicyPlan plan =
      PlanPolicies({.release = "v3.33", .node_local_dns = {"10.96.0.10", "fd00::a", "nonsense"}});
  EXPECT_EQ(SpecOf(plan, "calico-system.node-local-dns"), Yaml(R"(
order: 10
tier: calico-system
selector: "projectcalico.org/namespace in {'calico-system'}"
egress:
- {action: Allow, protocol: UDP, destination: {nets: [10.96.0.10/32], ports: [53]}}
- {action: Allow, protocol: UDP, destination: {nets: ['fd00::a/128'], ports: [53]}}
types: [Egress]
)"));
}

}  // namespace
}  // namespace calico::calico_config
