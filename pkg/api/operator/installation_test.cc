#include "pkg/api/operator/installation.h"

#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"

namespace calico::api {
namespace {

using base::IsOk;
using base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

absl::StatusOr<Installation> FromFile(std::string_view name) {
  std::ifstream in(fmt::format("testdata/corpus/installation/{}.yaml", name));
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  return Installation::Decode(codec::ParseYaml(text).value().as_object());
}

absl::StatusOr<Installation> FromSpec(std::string_view spec_json) {
  return Installation::Decode({{"metadata", {{"name", "default"}, {"uid", "u"}, {"generation", 2}}},
                               {"spec", codec::ParseJson(spec_json).value()}});
}

TEST(InstallationTest, DecodesAnEmptySpec) {
  const absl::StatusOr<Installation> installation = FromFile("a-default");
  ASSERT_THAT(installation, IsOk());
  EXPECT_EQ(installation->meta.name, kInstallationName);
  EXPECT_EQ(installation->certificate_management, std::nullopt);
  EXPECT_EQ(installation->calico_network, CalicoNetwork{});
  EXPECT_EQ(installation->cni, Cni{});
  EXPECT_THAT(installation->spec, IsEmpty());
}

TEST(InstallationTest, DecodesCertificateManagement) {
  const absl::StatusOr<Installation> installation = FromFile("b-cm-default");
  ASSERT_THAT(installation, IsOk());
  ASSERT_TRUE(installation->certificate_management.has_value());
  const CertificateManagement& management = *installation->certificate_management;
  EXPECT_THAT(management.ca_cert_pem, testing::StartsWith("-----BEGIN CERTIFICATE-----\n"));
  EXPECT_THAT(management.ca_cert_pem, testing::EndsWith("-----END CERTIFICATE-----\n"));
  EXPECT_EQ(management.signer_name, "example.com/signer");
  EXPECT_EQ(management.key_algorithm, "");
  EXPECT_EQ(management.signature_algorithm, "");
}

TEST(InstallationTest, DecodesImagesPortsAndMtu) {
  const absl::StatusOr<Installation> installation = FromFile("c-cm-ecdsa");
  ASSERT_THAT(installation, IsOk());
  EXPECT_EQ(installation->certificate_management->key_algorithm, "ECDSAWithCurve256");
  EXPECT_EQ(installation->certificate_management->signature_algorithm, "ECDSAWithSHA256");
  EXPECT_EQ(installation->registry, "registry.example.com:5000/");
  EXPECT_EQ(installation->image_path, "mirror/calico");
  EXPECT_EQ(installation->image_prefix, "pfx-");
  EXPECT_THAT(installation->image_pull_secrets, ElementsAre("my-pull"));
  EXPECT_EQ(installation->node_metrics_port, 9091);
  EXPECT_EQ(installation->typha_metrics_port, 9093);
  EXPECT_EQ(installation->calico_network.mtu, 1440);
}

TEST(InstallationTest, DecodesPoolsAndAutodetection) {
  const absl::StatusOr<Installation> installation = FromFile("g-dualstack");
  ASSERT_THAT(installation, IsOk());
  const CalicoNetwork& network = installation->calico_network;
  EXPECT_EQ(network.bgp, "Disabled");
  EXPECT_EQ(network.host_ports, "Disabled");
  ASSERT_TRUE(network.ip_pools.has_value());
  ASSERT_THAT(*network.ip_pools, SizeIs(2));
  EXPECT_EQ((*network.ip_pools)[0], (IpPool{.cidr = "10.48.0.0/16",
                                            .encapsulation = "VXLAN",
                                            .nat_outgoing = "Enabled",
                                            .node_selector = "all()",
                                            .block_size = 26}));
  EXPECT_EQ((*network.ip_pools)[1].cidr, "fd00:10:48::/64");
  EXPECT_EQ(network.node_address_autodetection_v4, (NodeAddressAutodetection{.interface = "eth0"}));
  EXPECT_THAT(network.node_address_autodetection_v6->cidrs, ElementsAre("fd00::/8"));
}

TEST(InstallationTest, NoPoolsIsNotTheSameAsNotSet) {
  EXPECT_EQ(FromSpec(R"({"calicoNetwork": {}})")->calico_network.ip_pools, std::nullopt);
  EXPECT_THAT(*FromSpec(R"({"calicoNetwork": {"ipPools": []}})")->calico_network.ip_pools,
              IsEmpty());
}

TEST(InstallationTest, DecodesWhatTheReferenceWroteBack) {
  const absl::StatusOr<Installation> installation = FromFile("b-cm-default-after-v1.42.4");
  ASSERT_THAT(installation, IsOk());
  EXPECT_EQ(installation->variant, "Calico");
  EXPECT_EQ(installation->cni, (Cni{.type = "Calico",
                                    .ipam_type = "Calico",
                                    .bin_dir = "/opt/cni/bin",
                                    .conf_dir = "/etc/cni/net.d"}));
  EXPECT_EQ(
      installation->cni_logging,
      (CniLogging{.severity = "Info", .max_size = "100Mi", .max_age_days = 30, .max_count = 10}));
  EXPECT_EQ(installation->node_update_strategy,
            (NodeUpdateStrategy{.type = "RollingUpdate", .max_unavailable = "1"}));
  EXPECT_EQ(installation->calico_network.linux_policy_setup_timeout_seconds, 0);
  ASSERT_NE(FindCondition(installation->conditions, kReady), nullptr);
}

TEST(InstallationTest, DecodesTheNewerFields) {
  const absl::StatusOr<Installation> installation = FromSpec(R"({
      "calicoRunHostPath": "/run/calico", "calicoLibHostPath": "/srv/calico",
      "fipsMode": "Enabled", "networkPolicy": {"managePolicies": "Disabled"},
      "azure": {"policyMode": "Manual"}, "serviceCIDRs": ["10.96.0.0/12"],
      "tlsCipherSuites": [{"name": "TLS_AES_256_GCM_SHA384"}, {"name": "TLS_AES_128_GCM_SHA256"}],
      "controlPlaneReplicas": 3, "controlPlaneNodeSelector": {"a": "b"},
      "proxy": {"httpProxy": "http://p", "httpsProxy": "https://p", "noProxy": "a,b"},
      "cni": {"type": "Calico", "installMode": "CalicoOnly", "specVersion": "1.0.0"},
      "calicoNetwork": {
        "bpfNetworkBootstrap": "Enabled", "kubeProxyManagement": "Enabled",
        "clusterRoutingMode": "FelixIPIPOnly", "linuxPodInterfaceType": "Netkit",
        "sysctl": [{"key": "net.ipv4.tcp_keepalive_time", "value": "40"}],
        "ipPools": [{"cidr": "10.0.0.0/8", "allowedUses": ["Workload", "Tunnel"],
                     "assignmentMode": "Manual", "disableNewAllocations": true}]}})");
  ASSERT_THAT(installation, IsOk());
  EXPECT_EQ(installation->calico_run_host_path, "/run/calico");
  EXPECT_EQ(installation->calico_lib_host_path, "/srv/calico");
  EXPECT_EQ(installation->fips_mode, "Enabled");
  EXPECT_EQ(installation->manage_policies, "Disabled");
  EXPECT_EQ(installation->azure_policy_mode, "Manual");
  EXPECT_THAT(installation->service_cidrs, ElementsAre("10.96.0.0/12"));
  EXPECT_THAT(installation->tls_cipher_suites,
              ElementsAre("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"));
  EXPECT_EQ(installation->control_plane_replicas, 3);
  EXPECT_THAT(installation->control_plane_node_selector, ElementsAre(testing::Pair("a", "b")));
  EXPECT_EQ(installation->proxy, (Proxy{"http://p", "https://p", "a,b"}));
  EXPECT_EQ(installation->cni,
            (Cni{.type = "Calico", .install_mode = "CalicoOnly", .spec_version = "1.0.0"}));
  const CalicoNetwork& network = installation->calico_network;
  EXPECT_EQ(network.bpf_network_bootstrap, "Enabled");
  EXPECT_EQ(network.kube_proxy_management, "Enabled");
  EXPECT_EQ(network.cluster_routing_mode, "FelixIPIPOnly");
  EXPECT_EQ(network.linux_pod_interface_type, "Netkit");
  EXPECT_THAT(network.sysctl, ElementsAre(Sysctl{"net.ipv4.tcp_keepalive_time", "40"}));
  EXPECT_THAT(*network.ip_pools, ElementsAre(IpPool{.cidr = "10.0.0.0/8",
                                                    .disable_new_allocations = true,
                                                    .allowed_uses = {"Workload", "Tunnel"},
                                                    .assignment_mode = "Manual"}));
}

TEST(InstallationTest, WrongShapesOfWhatStaysJsonAreTold) {
  EXPECT_THAT(
      FromSpec(R"({"calicoNodeDaemonSet": [], "componentResources": [{"componentName": "Felix"}],
                   "controlPlaneTolerations": ["a"], "typhaPodDisruptionBudget": []})"),
      StatusIs(
          absl::StatusCode::kInvalidArgument,
          testing::AllOf(
              HasSubstr("Installation.spec.calicoNodeDaemonSet: expected object, got array"),
              HasSubstr("Installation.spec.componentResources[0].componentName: unsupported value"),
              HasSubstr("Installation.spec.controlPlaneTolerations[0]: expected object"),
              HasSubstr("Installation.spec.typhaPodDisruptionBudget: expected object"))));
}

TEST(InstallationStatusTest, SurvivesARoundTrip) {
  const absl::StatusOr<Installation> installation = FromFile("c-cm-ecdsa-after-v1.42.4");
  ASSERT_THAT(installation, IsOk());
  const InstallationStatus& status = installation->status;
  EXPECT_EQ(status.variant, "Calico");
  EXPECT_EQ(status.calico_version, "v3.32.1");
  EXPECT_EQ(status.mtu, 1440);
  EXPECT_EQ(status.image_set, "");
  EXPECT_EQ(status.computed.at("registry"), "registry.example.com:5000/");
  const absl::StatusOr<Installation> again =
      Installation::Decode({{"metadata", {{"name", "default"}}}, {"status", status.Encode()}});
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->status, status);
  EXPECT_FALSE(status.Encode().contains("imageSet"));
}

TEST(InstallationStatusTest, ANewOneIsEmpty) {
  EXPECT_THAT(InstallationStatus{}.Encode(), IsEmpty());
  const absl::StatusOr<Installation> installation = Installation::Decode(
      {{"metadata", {{"name", "default"}}},
       {"status", {{"variant", 5}, {"mtu", 5000000000}, {"computed", json::array()}}}});
  ASSERT_THAT(installation, IsOk());
  EXPECT_EQ(installation->status, InstallationStatus{});
}

TEST(InstallationTest, KeepsTheSpecAsItWas) {
  const absl::StatusOr<Installation> installation =
      FromSpec(R"({"registry": "r/", "somethingNew": {"a": [1, null]}})");
  ASSERT_THAT(installation, IsOk());
  EXPECT_EQ(json::value(installation->spec),
            codec::ParseJson(R"({"registry": "r/", "somethingNew": {"a": [1, null]}})").value());
}

TEST(InstallationTest, TellsEveryProblem) {
  EXPECT_THAT(
      FromSpec(R"({"registry": 5, "nodeMetricsPort": "9091",
                           "calicoNetwork": {"bgp": "Perhaps", "ipPools": [{"cidr": []}]},
                           "certificateManagement": {"caCert": "%%%",
                                                     "keyAlgorithm": "RSA1024"}})"),
      StatusIs(absl::StatusCode::kInvalidArgument,
               "Installation.spec.registry: expected string, got number; "
               "Installation.spec.nodeMetricsPort: expected integer, got string; "
               "Installation.spec.certificateManagement.caCert: expected base64; "
               "Installation.spec.certificateManagement.keyAlgorithm: unsupported value "
               "\"RSA1024\", expected one of RSAWithSize2048, RSAWithSize4096, "
               "RSAWithSize8192, ECDSAWithCurve256, ECDSAWithCurve384, ECDSAWithCurve521; "
               "Installation.spec.calicoNetwork.bgp: unsupported value \"Perhaps\", "
               "expected one of Enabled, Disabled; "
               "Installation.spec.calicoNetwork.ipPools[0].cidr: expected string, got array"));
}

TEST(InstallationTest, CaCertNeverShowsInAMessage) {
  const absl::StatusOr<Installation> installation =
      FromSpec(R"({"certificateManagement": {"caCert": "LS0tLS1QUklWQVRF!"}})");
  EXPECT_THAT(installation,
              StatusIs(absl::StatusCode::kInvalidArgument, Not(HasSubstr("LS0tLS1QUklWQVRF"))));
}

TEST(InstallationConditionsTest, AvailableBecomesReady) {
  const std::vector<Condition> conditions = InstallationConditions(
      {{.type = "Available", .status = "True", .reason = "AllObjectsAvailable"},
       {.type = "Degraded", .status = "False", .message = "m", .observed_generation = 2}});
  EXPECT_THAT(
      conditions,
      ElementsAre(Condition{.type = "Ready", .status = "True", .reason = "AllObjectsAvailable"},
                  Condition{.type = "Degraded",
                            .status = "False",
                            .reason = "Unknown",
                            .message = "m",
                            .observed_generation = 2}));
}

}  // namespace
}  // namespace calico::api
