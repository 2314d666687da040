#include "operator/render/cni_config.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/certificates/annotation_hash.h"
#include "operator/render/pools.h"
#include "pkg/base/check.h"
#include "pkg/codec/yaml.h"

namespace calico::render {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

json::object Yaml(std::string_view text) {
  auto documents = codec::ParseYamlDocuments(text);
  CALICO_CHECK(documents.ok());
  return documents->front().as_object();
}

// As defaults of the release make it.
json::object DefaultSpec() {
  return Yaml(R"(
calicoNetwork:
  bgp: Enabled
  hostPorts: Enabled
  ipPools: [{cidr: 192.168.0.0/16}]
  linuxDataplane: Iptables
  linuxPolicySetupTimeoutSeconds: 0
  multiInterfaceMode: None
calicoRunHostPath: /var/run/calico
cni: {type: Calico, ipam: {type: Calico}, specVersion: Auto}
logging:
  cni: {logFileMaxAgeDays: 30, logFileMaxCount: 10, logFileMaxSize: 100Mi, logSeverity: Info}
)");
}

json::object With(std::string_view network, std::string_view top = "{}") {
  json::object spec = DefaultSpec();
  for (const auto& [key, value] : Yaml(network)) spec["calicoNetwork"].as_object()[key] = value;
  for (const auto& [key, value] : Yaml(top)) spec[key] = value;
  return spec;
}

Inputs DefaultInputs() { return {.api_endpoint = ApiEndpoint{"10.0.0.1", "443"}}; }

std::string HashOf(std::string_view release, const json::object& spec,
                   const Inputs& inputs = DefaultInputs()) {
  return certificates::AnnotationHash(api::StringMap{{"config", CniConfig(release, spec, inputs)}});
}

TEST(CniConfigTest, ReadsAsCalicosOwnOperatorWritesIt) {
  EXPECT_EQ(
      CniConfig("v3.33", DefaultSpec(), DefaultInputs()),
      "{\n\t\t\t  \"name\": \"k8s-pod-network\",\n\t\t\t  \"cniVersion\": \"1.0.0\",\n\t\t\t  "
      "\"plugins\": "
      R"([{"calico_api_group":"","container_settings":{"allow_ip_forwarding":false},)"
      R"("datastore_type":"kubernetes",)"
      R"("endpoint_status_dir":"/var/run/calico/endpoint-status",)"
      R"("ipam":{"assign_ipv4":"true","assign_ipv6":"false","type":"calico-ipam"},)"
      R"("kubernetes":{"k8s_api_root":"https://10.0.0.1:443",)"
      R"("kubeconfig":"__KUBECONFIG_FILEPATH__"},)"
      R"("log_file_max_age":30,"log_file_max_count":10,"log_file_max_size":100,)"
      R"("log_file_path":"/var/log/calico/cni/cni.log","log_level":"Info","mtu":0,)"
      R"("nodename_file_optional":false,"policy":{"type":"k8s"},)"
      R"("policy_setup_timeout_seconds":0,"type":"calico"},)"
      R"({"capabilities":{"portMappings":true},"snat":true,"type":"portmap"}])"
      "\n\t\t\t}");
}

// The hashes that Calico's own operator wrote for the same Installations.
TEST(CniConfigTest, HasTheHashOfCalicosOwnOperator) {
  const json::object mtu = With("{mtu: 1440}");
  const json::object dual_stack =
      With("{hostPorts: Disabled, ipPools: [{cidr: 10.48.0.0/16}, {cidr: 'fd00:10:48::/64'}]}");
  const Inputs direct = {.api_endpoint = ApiEndpoint{"172.31.0.100", "6443"}};
  struct Case {
    const char* release;
    const json::object& spec;
    const Inputs& inputs;
    const char* hash;
  };
  const json::object plain = DefaultSpec();
  const Inputs usual = DefaultInputs();
  const Case cases[] = {
      {"v3.33", plain, usual, "4b0c015d5153370de9b7f377c18ddf74910eabd7"},
      {"v3.33", plain, direct, "890cb208cbd2d9097d53241a276beac2e02383a2"},
      {"v3.33", mtu, usual, "6ab04c2c93e9af1ce86a444f389570361ba0a477"},
      {"v3.33", dual_stack, usual, "48cfc773b9b6c5f74b00aa340a3b528b97ab2b44"},
      {"v3.32", plain, usual, "c1bea8fcce3455b8f2b08ac18751a9fcbf7fdd3e"},
      {"v3.32", dual_stack, usual, "52709601b969f63762c0bf4d6f7acfe2a9e0db9c"},
      {"v3.27", plain, usual, "b4a97edfaeb354bc007344bd1717f937845b23f5"},
      {"v3.27", plain, direct, "5697807e59c433e436650b60f5f84692787fe089"},
      {"v3.27", mtu, usual, "76b4ed51ef5e8ec12bb6f39b7f01bc4add463802"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(HashOf(c.release, c.spec, c.inputs), c.hash)
        << c.release << "\n"
        << CniConfig(c.release, c.spec, c.inputs);
  }
}

TEST(CniConfigTest, FollowsTheInstallation) {
  struct Case {
    const char* network;
    const char* top;
    const char* text;
  };
  const Case cases[] = {
      {"{containerIPForwarding: Enabled}", "{}", R"({"allow_ip_forwarding":true})"},
      {"{linuxDataplane: VPP}", "{}",
       R"("dataplane_options":{"socket":"unix:///var/run/calico/cni-server.sock","type":"grpc"})"},
      {"{linuxPodInterfaceType: Netkit}", "{}", R"("device_type":"netkit")"},
      {"{linuxPolicySetupTimeoutSeconds: 7}", "{}", R"("policy_setup_timeout_seconds":7)"},
      {"{sysctl: [{key: net.ipv4.tcp_keepalive_time, value: '60'}, "
       "{key: net.ipv4.tcp_keepalive_intvl, value: '5'}]}",
       "{}",
       R"(,{"sysctl":{"net.ipv4.tcp_keepalive_intvl":"5","net.ipv4.tcp_keepalive_time":"60"},)"
       R"("type":"tuning"}])"},
      {"{}", "{kubernetesProvider: DockerEnterprise}", R"("nodename_file_optional":true)"},
      {"{}", "{calicoRunHostPath: /run/a&b/}", R"("/run/a\u0026b/endpoint-status")"},
      {"{}", "{cni: {specVersion: 0.4.0}}", R"("cniVersion": "0.4.0")"},
      {"{}", "{logging: {cni: {logFileMaxSize: 2Gi}}}", R"("log_file_max_size":2048)"},
      {"{}", "{logging: {cni: {logFileMaxSize: 1.5Gi}}}", R"("log_file_max_size":1536)"},
      {"{}", "{logging: {cni: {logFileMaxSize: 5242880}}}", R"("log_file_max_size":5)"},
      {"{}", "{logging: {cni: {logSeverity: Debug}}}", R"("log_level":"Debug")"},
      {"{}", "{cni: {ipam: {type: HostLocal}}}",
       R"("ipam":{"subnet":"usePodCidr","type":"host-local"})"},
      {"{ipPools: [{cidr: 'fd00::/48'}]}", "{cni: {ipam: {type: HostLocal}}}",
       R"("ipam":{"subnet":"usePodCidrIPv6","type":"host-local"})"},
      {"{ipPools: [{cidr: 'fd00::/48'}, {cidr: 10.0.0.0/8}]}", "{cni: {ipam: {type: HostLocal}}}",
       R"({"ranges":[[{"subnet":"usePodCidr"}],[{"subnet":"usePodCidrIPv6"}]],"type":"host-local"})"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(CniConfig("v3.33", With(c.network, c.top), DefaultInputs()), HasSubstr(c.text))
        << c.network << c.top;
  }
}

TEST(CniConfigTest, SaysOnlyWhatPluginsOfTheReleaseKnow) {
  const json::object spec = With(
      "{linuxPodInterfaceType: Netkit, sysctl: [{key: net.ipv4.tcp_keepalive_time, value: '60'}]}",
      "{cni: {specVersion: 1.0.0}, calicoRunHostPath: /run/elsewhere}");
  for (const char* release : {"v3.27", "v3.32"}) {
    const std::string text = CniConfig(release, spec, DefaultInputs());
    EXPECT_THAT(text, HasSubstr(R"("cniVersion": "0.3.1")")) << release;
    EXPECT_THAT(text, Not(HasSubstr("netkit"))) << release;
    EXPECT_THAT(text, Not(HasSubstr("elsewhere"))) << release;
  }
  const std::string oldest = CniConfig("v3.27", spec, DefaultInputs());
  EXPECT_THAT(oldest, HasSubstr(R"({"capabilities":{"bandwidth":true},"type":"bandwidth"})"));
  EXPECT_THAT(oldest, Not(HasSubstr("tuning")));
  EXPECT_THAT(oldest, Not(HasSubstr("endpoint_status_dir")));
  EXPECT_EQ(CniConfig("v9.99", spec, DefaultInputs()), CniConfig("v3.33", spec, DefaultInputs()));
}

TEST(CniConfigTest, WithoutAnEndpointTheServiceNetworkIsUsed) {
  EXPECT_THAT(CniConfig("v3.33", DefaultSpec(), {}), Not(HasSubstr("k8s_api_root")));
  EXPECT_THAT(CniConfig("v3.33", DefaultSpec(), {.api_endpoint = ApiEndpoint{"fd00::1", "443"}}),
              HasSubstr(R"("k8s_api_root":"https://[fd00::1]:443")"));
}

TEST(CniConfigTest, FamiliesAreThoseOfEveryPoolThatHandsOutAddresses) {
  struct Case {
    const char* pools;
    std::vector<std::string> live;
    bool has_ipv4;
    bool has_ipv6;
  };
  const Case cases[] = {
      {"{ipPools: [{cidr: 10.0.0.0/8}]}", {}, true, false},
      {"{ipPools: [{cidr: 10.0.0.0/8, disableNewAllocations: true}]}", {}, false, false},
      {"{ipPools: []}", {}, false, false},
      {"{ipPools: []}", {"10.0.0.0/8", "fd00::/48"}, true, true},
      {"{ipPools: [{cidr: 10.0.0.0/8}]}", {"fd00::/48"}, true, true},
      {"{ipPools: [{cidr: 10.0.0.0}, {cidr: ''}, text]}", {"no network"}, false, false},
      {"{ipPools: text}", {}, false, false},
  };
  for (const Case& c : cases) {
    const PoolFamilies families = FamiliesOf(With(c.pools), c.live);
    EXPECT_EQ(families.has_ipv4, c.has_ipv4) << c.pools;
    EXPECT_EQ(families.has_ipv6, c.has_ipv6) << c.pools;
  }
}

}  // namespace
}  // namespace calico::render
