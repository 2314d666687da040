#include "operator/render/facts.h"

#include <algorithm>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/certificates/plan.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"

namespace calico::render {
namespace {

using base::StatusIs;
using testing::HasSubstr;

api::Installation WithSpec(const char* yaml) {
  api::Installation installation;
  installation.spec = codec::ParseYaml(yaml)->as_object();
  return installation;
}

TEST(FactsTest, AnEmptyInstallationHasTheFirstValues) {
  const Facts facts = FactsOf({}, {});
  ASSERT_EQ(facts.size(), FactDefinitions().size());
  for (const FactDefinition& definition : FactDefinitions()) {
    EXPECT_EQ(facts.at(definition.name), definition.values.front()) << definition.name;
  }
}

TEST(FactsTest, FollowTheInstallationAndTheCluster) {
  const api::Installation installation = WithSpec(R"(
      calicoNetwork: {linuxDataplane: BPF, bgp: Disabled, mtu: 1400}
      kubernetesProvider: EKS
      cni: {type: AmazonVPC, ipam: {type: AmazonVPC}}
      nonPrivileged: Enabled
      nodeMetricsPort: 1
      typhaMetricsPort: 2)");
  Inputs inputs;
  inputs.node_dns.config.emplace();
  inputs.has_admission_policies = true;
  inputs.api_endpoint.emplace();
  inputs.pod_api_endpoint.emplace();
  inputs.api_server.emplace();
  inputs.kube_controllers_metrics_port = 9094;
  EXPECT_THAT(FactsOf(installation, inputs),
              testing::IsSupersetOf(Facts{{"admissionPolicies", "Served"},
                                          {"apiEndpoint", "Known"},
                                          {"apiServer", "Present"},
                                          {"kubeControllersMetrics", "Enabled"},
                                          {"podApiEndpoint", "Known"},
                                          {"bgp", "Disabled"},
                                          {"cni", "AmazonVPC"},
                                          {"dataplane", "BPF"},
                                          {"ipam", "AmazonVPC"},
                                          {"mtu", "Given"},
                                          {"nodeDnsConfig", "Given"},
                                          {"nodeMetrics", "Enabled"},
                                          {"nonPrivileged", "Enabled"},
                                          {"provider", "EKS"},
                                          {"typhaMetrics", "Enabled"}}));
}

TEST(FactsTest, APortOfZeroIsAnyPort) {
  const Facts facts = FactsOf(WithSpec("{nodeMetricsPort: 0, typhaMetricsPort: 0}"), Inputs());
  EXPECT_EQ(facts.at("nodeMetrics"), "Enabled");
  EXPECT_EQ(facts.at("typhaMetrics"), "AnyPort");
}

TEST(FactsTest, TheProxyOfDockerEnterpriseIsOnTheHostOnly) {
  const api::Installation docker = WithSpec("{kubernetesProvider: DockerEnterprise}");
  const auto reach = [](const api::Installation& installation, const char* host) {
    Inputs inputs;
    inputs.api_endpoint = ApiEndpoint{host, "6444"};
    return FactsOf(installation, inputs).at("apiEndpointReach");
  };
  EXPECT_EQ(reach(docker, "proxy.local"), "Host");
  EXPECT_EQ(reach(docker, "10.0.0.1"), "Everywhere");
  EXPECT_EQ(reach(WithSpec("{}"), "proxy.local"), "Everywhere");
}

TEST(FactsTest, EachFieldHasItsFact) {
  struct Case {
    const char* spec;
    const char* fact;
    const char* value;
  };
  const Case cases[] = {
      {"{azure: {policyMode: Manual}}", "azurePolicyMode", "Manual"},
      {"{certificateManagement: {signerName: a/b}}", "certificates", "CertificateManagement"},
      {"{certificateManagement: {signerName: a/b}}", "nodeCertificate", "Request"},
      {"{certificateManagement: {signerName: a/b}}", "typhaCertificate", "Request"},
      {"{}", "nodeCertificate", "Secret"},
      {"{cni: {installMode: CalicoOnly}}", "cniInstallMode", "CalicoOnly"},
      {"{certificateManagement: {signerName: a/b}}", "apiServerCertificate", "Request"},
      {"{controlPlaneReplicas: 1}", "controlPlaneReplicas", "One"},
      {"{controlPlaneReplicas: 3}", "controlPlaneReplicas", "Several"},
      {"{kubeletVolumePluginPath: None}", "kubeletVolumePlugin", "None"},
      {"{kubeletVolumePluginPath: /var/lib/kubelet}", "kubeletVolumePlugin", "Given"},
      {"{fipsMode: Enabled}", "fipsMode", "Enabled"},
      {"{flexVolumePath: None}", "flexVolume", "None"},
      {"{flexVolumePath: /a/}", "flexVolume", "Path"},
      {"{calicoNetwork: {linuxPolicySetupTimeoutSeconds: 3}}", "policySetupTimeout", "Given"},
      {"{calicoNetwork: {linuxPolicySetupTimeoutSeconds: 0}}", "policySetupTimeout", "None"},
      {"{calicoNetwork: {nodeAddressAutodetectionV4: {firstFound: true}}}", "ipv4Autodetection",
       "Enabled"},
      {"{calicoNetwork: {nodeAddressAutodetectionV4: {firstFound: false}}}", "ipv4Autodetection",
       "Disabled"},
      {"{calicoNetwork: {nodeAddressAutodetectionV6: {cidrs: [fd00::/8]}}}", "ipv6Autodetection",
       "Enabled"},
      {"{calicoNetwork: {nodeAddressAutodetectionV6: {cidrs: [], interface: ''}}}",
       "ipv6Autodetection", "Disabled"},
      {"{calicoNetwork: {ipPools: [{cidr: 10.0.0.0/8, encapsulation: VXLAN}]}}", "ipv4Pool",
       "Present"},
      {"{calicoNetwork: {ipPools: [{cidr: 10.0.0.0/8, encapsulation: VXLAN}]}}",
       "ipv4Encapsulation", "VXLAN"},
      {"{calicoNetwork: {ipPools: [{cidr: 10.0.0.0/8, natOutgoing: Disabled}]}}", "ipv4NatOutgoing",
       "Disabled"},
      {"{calicoNetwork: {ipPools: [{cidr: 10.0.0.0/8}]}}", "ipv6Pool", "Absent"},
      {"{calicoNetwork: {ipPools: [{cidr: 'fd00::/48', natOutgoing: Enabled}]}}", "ipv6NatOutgoing",
       "Enabled"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(FactsOf(WithSpec(c.spec), {}).at(c.fact), c.value) << c.spec << " " << c.fact;
  }
}

TEST(FactsTest, ThePlanOfCertificatesDecides) {
  auto plan = std::make_shared<certificates::Plan>();
  plan->key_pairs = {
      {.name = "node-certs", .source = certificates::Source::kUserSupplied, .uri_san = "urn:node"},
      {.name = "typha-certs",
       .source = certificates::Source::kRequest,
       .common_name = "typha",
       .uri_san = "urn:typha"}};
  plan->bundle.system_roots = std::make_shared<const std::string>("pem");
  const Inputs inputs = {.certificates = plan};
  const Facts facts = FactsOf(WithSpec("{certificateManagement: {signerName: a/b}}"), inputs);
  EXPECT_EQ(facts.at("nodeCertificate"), "Secret");
  EXPECT_EQ(facts.at("nodeIdentity"), "UriSan");
  EXPECT_EQ(facts.at("typhaCertificate"), "Request");
  EXPECT_EQ(facts.at("typhaIdentity"), "Both");
  EXPECT_EQ(facts.at("systemRoots"), "Present");
}

TEST(FactsTest, WhatOtherObjectsOfTheClusterSay) {
  const Inputs inputs = {.settings = {.cgroup_path = "/cgroup", .bgp_bind_mode = "NodeIP"},
                         .api_server_endpoints = {"192.0.2.1:6443"}};
  api::Installation installation;
  installation.meta.annotations[std::string(api::kNodeAppArmorAnnotation)] = "localhost/calico";
  EXPECT_EQ(FactsOf(installation, {}).at("nodeAppArmor"), "Given");
  EXPECT_EQ(FactsOf({}, {.bgp_layout = api::StringMap()}).at("bgpLayout"), "Given");
  EXPECT_EQ(FactsOf({}, {.bird_templates = {{"a", "b"}}}).at("birdTemplates"), "Given");
  const Facts facts = FactsOf({}, inputs);
  EXPECT_EQ(facts.at("cgroupPath"), "Given");
  EXPECT_EQ(facts.at("bgpBindMode"), "Given");
  EXPECT_EQ(facts.at("bpfNetworkBootstrap"), "Enabled");
}

TEST(FactsTest, AValueOfALaterVersionIsTheFirstOne) {
  EXPECT_EQ(FactsOf(WithSpec("{kubernetesProvider: Moon, calicoNetwork: {bgp: Maybe}}"), {}),
            FactsOf({}, {}));
}

TEST(FactsTest, DefinitionsAreSortedAndOfTwoValuesAtLeast) {
  const auto all = FactDefinitions();
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
  for (const FactDefinition& definition : all) EXPECT_GE(definition.values.size(), 2U);
}

TEST(WhenTest, EachFactHasOneOfItsValues) {
  struct Case {
    const char* when;
    bool holds;
  };
  const Case cases[] = {
      {"{dataplane: Iptables}", true},
      {"{dataplane: BPF}", false},
      {"{dataplane: [BPF, Iptables]}", true},
      {"{dataplane: Iptables, bgp: Disabled}", false},
      {"{dataplane: Iptables, bgp: Enabled}", true},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<When> when = When::Parse(codec::ParseYaml(c.when)->as_object());
    ASSERT_THAT(when, base::IsOk());
    EXPECT_EQ(when->Holds(FactsOf({}, {})), c.holds) << c.when;
  }
}

TEST(WhenTest, UnknownFactsAndValuesAreRefused) {
  struct Case {
    const char* when;
    const char* error;
  };
  const Case cases[] = {
      {"{}", "names no fact"},
      {"{dataplan: BPF}", "there is no fact dataplan"},
      {"{dataplane: [], bgp: Enabled}", "dataplane names no value"},
      {"{dataplane: Bpf}", "dataplane is one of Iptables, BPF, Nftables, VPP, not \"Bpf\""},
      {"{dataplane: [BPF, 1]}", "not 1"},
      {"{mtu: 1400}", "mtu is one of"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(When::Parse(codec::ParseYaml(c.when)->as_object()),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)))
        << c.when;
  }
}

}  // namespace
}  // namespace calico::render
