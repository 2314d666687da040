#include "operator/defaults/complete_spec.h"

#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/api/operator/installation.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"

namespace calico::defaults {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kReleases[] = {"v3.33", "v3.32", "v3.27"};

json::object Yaml(std::string_view text) {
  absl::StatusOr<json::value> value = codec::ParseYaml(text);
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() && value->is_object() ? value->as_object() : json::object();
}

struct Recorded {
  std::string name;
  json::object given;
  json::object completed;
};

std::vector<Recorded> RecordedCases(const std::string& release) {
  std::ifstream stream(fmt::format("testdata/golden/defaults/{}.yaml", release), std::ios::binary);
  std::stringstream text;
  text << stream.rdbuf();
  absl::StatusOr<std::vector<json::value>> documents = codec::ParseYamlDocuments(text.str());
  EXPECT_TRUE(documents.ok()) << documents.status();
  std::vector<Recorded> cases;
  if (!documents.ok()) return cases;
  for (json::value& document : *documents) {
    json::object& object = document.as_object();
    cases.push_back({std::string(codec::TextAt(object, "case")), object["given"].as_object(),
                     object["completed"].as_object()});
  }
  return cases;
}

// One line for each field that differs.
void Compare(const std::string& path, const json::value& want, const json::value& got,
             std::vector<std::string>& differences) {
  if (want.is_object() && got.is_object()) {
    for (const json::key_value_pair& member : want.get_object()) {
      const std::string inner = fmt::format("{}.{}", path, codec::KeyOf(member));
      const json::value* const other = got.get_object().if_contains(member.key());
      if (other == nullptr) {
        differences.push_back(fmt::format("{}: missing", inner));
      } else {
        Compare(inner, member.value(), *other, differences);
      }
    }
    for (const json::key_value_pair& member : got.get_object()) {
      if (want.get_object().contains(member.key())) continue;
      differences.push_back(fmt::format("{}.{}: {} is too much", path, codec::KeyOf(member),
                                        codec::Serialize(member.value())));
    }
    return;
  }
  if (want == got) return;
  differences.push_back(
      fmt::format("{}: {} instead of {}", path, codec::Serialize(got), codec::Serialize(want)));
}

std::vector<std::string> Differences(const json::object& want, const json::object& got) {
  std::vector<std::string> differences;
  Compare("spec", json::value(want), json::value(got), differences);
  return differences;
}

json::object Complete(std::string_view given, const ClusterFacts& facts) {
  return CompleteSpec(Yaml(given), facts);
}

const json::array& Pools(const json::object& spec) {
  static const json::array none;
  const json::object* const network = codec::FindObject(spec, "calicoNetwork");
  const json::array* const pools =
      network == nullptr ? nullptr : codec::FindArray(*network, "ipPools");
  return pools == nullptr ? none : *pools;
}

std::vector<std::string> PoolTexts(const json::object& spec) {
  std::vector<std::string> texts;
  for (const json::value& value : Pools(spec)) {
    const json::object& pool = value.as_object();
    texts.push_back(fmt::format("{} {} {}", codec::TextAt(pool, "name"),
                                codec::TextAt(pool, "cidr"), codec::TextAt(pool, "encapsulation")));
  }
  return texts;
}

std::string At(const json::object& spec, std::string_view pointer) {
  boost::system::error_code error;
  const json::value root(spec);
  const json::value* const found = root.find_pointer(pointer, error);
  return found == nullptr ? "absent" : codec::Serialize(*found);
}

// Every Installation that was recorded becomes what was recorded; nothing differs on purpose.
TEST(CompleteSpecTest, RecordedInstallationsBecomeWhatTheyBecame) {
  for (const std::string release : kReleases) {
    const std::vector<Recorded> cases = RecordedCases(release);
    ASSERT_GE(cases.size(), 7U) << release;
    for (const Recorded& c : cases) {
      SCOPED_TRACE(release + " " + c.name);
      const json::object got = CompleteSpec(c.given, {.release = release});
      EXPECT_THAT(Differences(c.completed, got), IsEmpty());
    }
  }
}

TEST(CompleteSpecTest, CompletingTwiceIsCompletingOnce) {
  for (const std::string release : kReleases) {
    for (const Recorded& c : RecordedCases(release)) {
      SCOPED_TRACE(release + " " + c.name);
      const json::object got = CompleteSpec(c.completed, {.release = release});
      EXPECT_THAT(Differences(c.completed, got), IsEmpty());
    }
  }
}

TEST(CompleteSpecTest, TheResultCanBeDecoded) {
  for (const std::string release : kReleases) {
    json::object object = {{"metadata", json::object{{"name", "default"}}},
                           {"spec", CompleteSpec({}, {.release = release})}};
    const absl::StatusOr<api::Installation> decoded = api::Installation::Decode(object);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(decoded->cni.type, "Calico");
    ASSERT_TRUE(decoded->calico_network.ip_pools.has_value());
    EXPECT_EQ(decoded->calico_network.ip_pools->at(0).block_size, 26);
  }
}

TEST(CompleteSpecTest, WhatSaysNothingIsFilledAndWhatIsSetStays) {
  const json::object spec = Complete(
      "variant: ''\n"
      "calicoNetwork: {hostPorts: null, bgp: Disabled, mtu: 0, linuxDataplane: Nftables}\n"
      "cni: {binDir: /opt/other, ipam: {type: HostLocal}}\n"
      "logging: {cni: {logSeverity: Debug}}\n"
      "nodeUpdateStrategy: {rollingUpdate: {maxUnavailable: 30%}}\n",
      {.release = "v3.33"});
  EXPECT_EQ(At(spec, "/variant"), "\"Calico\"");
  EXPECT_EQ(At(spec, "/calicoNetwork/hostPorts"), "\"Enabled\"");
  EXPECT_EQ(At(spec, "/calicoNetwork/bgp"), "\"Disabled\"");
  EXPECT_EQ(At(spec, "/calicoNetwork/mtu"), "0");
  EXPECT_EQ(At(spec, "/calicoNetwork/linuxPolicySetupTimeoutSeconds"), "absent");
  EXPECT_EQ(At(spec, "/cni/binDir"), "\"/opt/other\"");
  EXPECT_EQ(At(spec, "/cni/ipam/type"), "\"HostLocal\"");
  EXPECT_EQ(At(spec, "/logging/cni/logSeverity"), "\"Debug\"");
  EXPECT_EQ(At(spec, "/logging/cni/logFileMaxCount"), "10");
  EXPECT_EQ(At(spec, "/nodeUpdateStrategy/rollingUpdate/maxUnavailable"), "\"30%\"");
  // Others do the IPAM: nobody would use a pool.
  EXPECT_EQ(At(spec, "/calicoNetwork/ipPools"), "absent");
  EXPECT_EQ(At(spec, "/calicoNetwork/nodeAddressAutodetectionV4"), "absent");
}

TEST(CompleteSpecTest, WrongShapesAreLeftForTheDecoder) {
  const json::object spec =
      Complete("cni: Calico\ncalicoNetwork: [1]\nlogging: 5\nnodeUpdateStrategy: true\nazure: x\n",
               {.release = "v3.33"});
  EXPECT_EQ(At(spec, "/cni"), "\"Calico\"");
  EXPECT_EQ(At(spec, "/calicoNetwork"), "[1]");
  EXPECT_EQ(At(spec, "/logging"), "5");
  const json::object pools =
      Complete("calicoNetwork: {ipPools: [1, {cidr: 5}, {cidr: 10.0.0.0}]}", {.release = "v3.33"});
  EXPECT_EQ(Pools(pools).size(), 3U);
  EXPECT_EQ(At(pools, "/calicoNetwork/ipPools/2/name"), "absent");
  EXPECT_EQ(At(pools, "/calicoNetwork/nodeAddressAutodetectionV4"), "absent");
}

TEST(CompleteSpecTest, ProvidersHaveTheirOwnPlacesAndPlugIns) {
  struct Case {
    const char* provider;
    const char* cni;
    const char* ipam;
    const char* bgp;
    const char* flex;
    const char* bin;
    const char* detection;
  };
  const Case cases[] = {
      {"EKS", "AmazonVPC", "AmazonVPC", "Disabled",
       "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/", "/opt/cni/bin", "absent"},
      {"AKS", "AzureVNET", "AzureVNET", "Disabled", "/etc/kubernetes/volumeplugins/",
       "/opt/cni/bin", "absent"},
      {"GKE", "GKE", "HostLocal", "Disabled", "/home/kubernetes/flexvolume/",
       "/home/kubernetes/bin", "absent"},
      {"OpenShift", "Calico", "Calico", "Enabled", "/etc/kubernetes/kubelet-plugins/volume/exec/",
       "/var/lib/cni/bin", "{\"firstFound\":true}"},
      {"RKE2", "Calico", "Calico", "Enabled", "/var/lib/kubelet/volumeplugins/", "/opt/cni/bin",
       "{\"firstFound\":true}"},
      {"DockerEnterprise", "Calico", "Calico", "Enabled",
       "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/", "/opt/cni/bin",
       "{\"skipInterface\":\"^br-.*\"}"},
      {"Kind", "Calico", "Calico", "Enabled",
       "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/", "/opt/cni/bin",
       "{\"firstFound\":true}"},
  };
  const auto quoted = [](std::string_view text) { return fmt::format("\"{}\"", text); };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.provider);
    const json::object spec =
        CompleteSpec({}, {.release = "v3.33", .detected_provider = c.provider});
    EXPECT_EQ(At(spec, "/kubernetesProvider"), quoted(c.provider));
    EXPECT_EQ(At(spec, "/cni/type"), quoted(c.cni));
    EXPECT_EQ(At(spec, "/cni/ipam/type"), quoted(c.ipam));
    EXPECT_EQ(At(spec, "/calicoNetwork/bgp"), quoted(c.bgp));
    EXPECT_EQ(At(spec, "/flexVolumePath"), quoted(c.flex));
    EXPECT_EQ(At(spec, "/cni/binDir"), quoted(c.bin));
    EXPECT_EQ(At(spec, "/calicoNetwork/nodeAddressAutodetectionV4"), c.detection);
    const bool is_calico = std::string_view(c.cni) == "Calico";
    EXPECT_EQ(At(spec, "/calicoNetwork/hostPorts"), is_calico ? "\"Enabled\"" : "absent");
    EXPECT_EQ(At(spec, "/logging"), is_calico ? At(spec, "/logging") : "absent");
    EXPECT_EQ(At(spec, "/cni/specVersion"), is_calico ? "\"Auto\"" : "absent");
    EXPECT_EQ(Pools(spec).size(), is_calico ? 1U : 0U);
  }
}

TEST(CompleteSpecTest, AksKeepsTyphaOffVirtualNodesAndHasAPolicyMode) {
  const json::object spec = Complete("kubernetesProvider: AKS", {.release = "v3.33"});
  EXPECT_EQ(At(spec, "/azure/policyMode"), "\"Default\"");
  EXPECT_EQ(At(spec,
               "/typhaAffinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/"
               "nodeSelectorTerms/0/matchExpressions/1"),
            R"({"key":"kubernetes.azure.com/cluster","operator":"Exists"})");
  const json::object own =
      Complete("{kubernetesProvider: AKS, typhaAffinity: {}}", {.release = "v3.27"});
  EXPECT_EQ(At(own, "/typhaAffinity"), "{}");
  EXPECT_EQ(At(own, "/azure"), "absent");
}

TEST(CompleteSpecTest, EksWithCalicoUsesVxlanBesideTheHostsNetwork) {
  for (const std::string release : kReleases) {
    const json::object spec =
        Complete("{kubernetesProvider: EKS, cni: {type: Calico}}", {.release = release});
    ASSERT_EQ(Pools(spec).size(), 1U);
    EXPECT_EQ(At(spec, "/calicoNetwork/ipPools/0/cidr"), "\"172.16.0.0/16\"");
    EXPECT_EQ(At(spec, "/calicoNetwork/ipPools/0/encapsulation"), "\"VXLAN\"");
    EXPECT_EQ(At(spec, "/calicoNetwork/bgp"), "\"Disabled\"");
    EXPECT_EQ(At(spec, "/calicoNetwork/nodeAddressAutodetectionV4"), R"({"canReach":"8.8.8.8"})");
  }
}

TEST(CompleteSpecTest, AmazonsDaemonSetDecidesThePlugInUnlessTheUserDoes) {
  const ClusterFacts facts = {.release = "v3.33", .has_aws_node_daemon_set = true};
  EXPECT_EQ(At(CompleteSpec({}, facts), "/cni/type"), "\"AmazonVPC\"");
  EXPECT_EQ(At(CompleteSpec({}, facts), "/cni/ipam/type"), "\"AmazonVPC\"");
  EXPECT_EQ(At(Complete("cni: {type: Calico}", facts), "/cni/ipam/type"), "\"Calico\"");
}

TEST(CompleteSpecTest, KubeadmsPodNetworkBecomesThePool) {
  const ClusterFacts dual = {.release = "v3.33",
                             .kubeadm_pod_subnet = "10.244.0.0/16, fd00:10:244::/56"};
  EXPECT_THAT(PoolTexts(CompleteSpec({}, dual)),
              ElementsAre("default-ipv4-ippool 10.244.0.0/16 IPIP",
                          "default-ipv6-ippool fd00:10:244::/56 None"));
  EXPECT_EQ(At(CompleteSpec({}, dual), "/calicoNetwork/nodeAddressAutodetectionV6"),
            R"({"firstFound":true})");
  EXPECT_EQ(At(CompleteSpec({}, dual), "/calicoNetwork/ipPools/1/natOutgoing"), "\"Disabled\"");
  EXPECT_EQ(At(CompleteSpec({}, dual), "/calicoNetwork/ipPools/1/blockSize"), "122");

  ClusterFacts three = {.release = "v3.33",
                        .kubeadm_pod_subnet = "10.1.0.0/16,10.2.0.0/16,10.3.0.5/16"};
  EXPECT_THAT(PoolTexts(CompleteSpec({}, three)),
              ElementsAre("default-ipv4-ippool 10.1.0.0/16 IPIP", "10.2.0.0-16 10.2.0.0/16 IPIP",
                          "10.3.0.0-16 10.3.0.0/16 IPIP"));
  // calico-node makes at most one pool of each family.
  three.release = "v3.27";
  EXPECT_THAT(PoolTexts(CompleteSpec({}, three)), ElementsAre(" 10.1.0.0/16 IPIP"));
  // The user's own list and another plug-in have nothing to do with it.
  EXPECT_THAT(PoolTexts(Complete("calicoNetwork: {ipPools: []}", dual)), IsEmpty());
  EXPECT_EQ(At(Complete("cni: {type: AmazonVPC}", dual), "/calicoNetwork/ipPools"), "absent");
  // kubeadm without pod network: the usual default.
  EXPECT_THAT(PoolTexts(CompleteSpec({}, {.release = "v3.33", .kubeadm_pod_subnet = ""})),
              ElementsAre("default-ipv4-ippool 192.168.0.0/16 IPIP"));
}

TEST(CompleteSpecTest, OpenShiftsClusterNetworkBecomesThePool) {
  const ClusterFacts facts = {.release = "v3.32",
                              .detected_provider = "OpenShift",
                              .kubeadm_pod_subnet = "10.244.0.0/16",
                              .openshift_pod_networks = {"10.128.0.0/14"}};
  EXPECT_THAT(PoolTexts(CompleteSpec({}, facts)),
              ElementsAre("default-ipv4-ippool 10.128.0.0/14 IPIP"));
}

json::object LivePool(std::string_view name, std::string_view cidr, std::string_view more = "") {
  return Yaml(fmt::format("metadata: {{name: {}}}\nspec: {{cidr: '{}'{}}}", name, cidr, more));
}

json::object ManagedPool(std::string_view name, std::string_view cidr, std::string_view more = "") {
  json::object pool = LivePool(name, cidr, more);
  pool["metadata"].as_object()["labels"] =
      json::object{{"app.kubernetes.io/managed-by", "tigera-operator"}};
  return pool;
}

TEST(CompleteSpecTest, PoolsOfTheUserMeanThatNoneIsMade) {
  const ClusterFacts facts = {
      .release = "v3.33",
      .ip_pools = {LivePool("mine", "10.9.0.0/16"), LivePool("six", "fd00:9::/64"),
                   LivePool("unused", "10.8.0.0/16", ", disabled: true")}};
  const json::object spec = CompleteSpec({}, facts);
  EXPECT_EQ(At(spec, "/calicoNetwork/ipPools"), "[]");
  EXPECT_EQ(At(spec, "/calicoNetwork/nodeAddressAutodetectionV4"), R"({"firstFound":true})");
  EXPECT_EQ(At(spec, "/calicoNetwork/nodeAddressAutodetectionV6"), R"({"firstFound":true})");
  // Other IPAM: the same.
  EXPECT_EQ(At(Complete("cni: {type: AmazonVPC}", facts), "/calicoNetwork/ipPools"), "[]");
}

TEST(CompleteSpecTest, DisabledPoolsNeedNoAddressDetection) {
  const ClusterFacts facts = {.release = "v3.33",
                              .ip_pools = {LivePool("unused", "10.8.0.0/16", ", disabled: true")}};
  EXPECT_EQ(At(CompleteSpec({}, facts), "/calicoNetwork/nodeAddressAutodetectionV4"), "absent");
  const json::object own = Complete(
      "calicoNetwork: {ipPools: [{cidr: 10.7.0.0/16, disableNewAllocations: true}]}", facts);
  EXPECT_EQ(At(own, "/calicoNetwork/nodeAddressAutodetectionV4"), "absent");
  // What the spec says of a pool is what the pool becomes.
  const json::object on = Complete("calicoNetwork: {ipPools: [{cidr: 10.8.0.1/16}]}", facts);
  EXPECT_EQ(At(on, "/calicoNetwork/nodeAddressAutodetectionV4"), R"({"firstFound":true})");
  EXPECT_EQ(At(on, "/calicoNetwork/ipPools/0/name"), "\"unused\"");
}

// Otherwise a spec without the field would ask for the pool's removal as soon as it exists.
TEST(CompleteSpecTest, PoolsThatWereMadeForTheInstallationStayWithoutTheField) {
  ClusterFacts facts = {.release = "v3.33"};
  const json::object first = CompleteSpec({}, facts);
  facts.ip_pools = {ManagedPool("default-ipv4-ippool", "192.168.0.0/16",
                                ", ipipMode: Always, vxlanMode: Never, natOutgoing: true, "
                                "nodeSelector: all(), blockSize: 26, assignmentMode: Automatic, "
                                "allowedUses: [Workload, Tunnel]"),
                    LivePool("mine", "10.9.0.0/16")};
  EXPECT_THAT(Differences(first, CompleteSpec({}, facts)), IsEmpty());

  facts.ip_pools = {ManagedPool("x", "fd00::/64", ", vxlanMode: CrossSubnet, disabled: true")};
  const json::object cross = CompleteSpec({}, facts);
  EXPECT_THAT(PoolTexts(cross), ElementsAre("x fd00::/64 VXLANCrossSubnet"));
  EXPECT_EQ(At(cross, "/calicoNetwork/ipPools/0/disableNewAllocations"), "true");
  EXPECT_EQ(At(cross, "/calicoNetwork/ipPools/0/natOutgoing"), "\"Disabled\"");
}

TEST(CompleteSpecTest, WithoutKnowledgeOfPoolsNoneIsAskedFor) {
  const ClusterFacts facts = {.release = "v3.33", .has_ip_pools_known = false};
  EXPECT_EQ(At(CompleteSpec({}, facts), "/calicoNetwork/ipPools"), "absent");
  EXPECT_THAT(PoolTexts(Complete("calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16}]}", facts)),
              ElementsAre("default-ipv4-ippool 10.0.0.0/16 IPIP"));
}

TEST(CompleteSpecTest, PoolsAreNamedAfterFamilyOrNetwork) {
  EXPECT_THAT(PoolTexts(Complete("calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16}, "
                                 "{cidr: 10.1.0.0/16}, {cidr: 'fd00:1::/64'}]}",
                                 {.release = "v3.33"})),
              ElementsAre("10.0.0.0-16 10.0.0.0/16 IPIP", "10.1.0.0-16 10.1.0.0/16 IPIP",
                          "fd00.0001.0000.0000.0000.0000.0000.0000-64 fd00:1::/64 None"));
  EXPECT_THAT(PoolTexts(Complete("calicoNetwork: {ipPools: [{cidr: 'fd00:1::/64'}]}",
                                 {.release = "v3.33"})),
              ElementsAre("default-ipv6-ippool fd00:1::/64 None"));
  const ClusterFacts live = {.release = "v3.32", .ip_pools = {LivePool("old", "fd00:0001:0::/64")}};
  EXPECT_THAT(PoolTexts(Complete("calicoNetwork: {ipPools: [{cidr: 'fd00:1::/64'}]}", live)),
              ElementsAre("old fd00:1::/64 None"));
}

TEST(CompleteSpecTest, OtherPlugInsPoolsHaveNoTunnel) {
  for (const std::string release : kReleases) {
    const json::object spec =
        Complete("{cni: {type: AmazonVPC}, calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16}]}}",
                 {.release = release});
    EXPECT_EQ(At(spec, "/calicoNetwork/ipPools/0/encapsulation"), "\"None\"");
    EXPECT_EQ(At(spec, "/calicoNetwork/nodeAddressAutodetectionV4"), R"({"firstFound":true})");
  }
}

TEST(CompleteSpecTest, TheEbpfDataPlaneNeedsTheNodesAddressAnyway) {
  const json::object spec = Complete(
      "{cni: {type: AmazonVPC}, calicoNetwork: {linuxDataplane: BPF}}", {.release = "v3.33"});
  EXPECT_EQ(At(spec, "/calicoNetwork/nodeAddressAutodetectionV4"), R"({"firstFound":true})");
  EXPECT_EQ(At(spec, "/calicoNetwork/linuxPolicySetupTimeoutSeconds"), "absent");
}

TEST(CompleteSpecTest, WindowsFoldersAreFilledWhenWindowsIsOn) {
  EXPECT_EQ(At(CompleteSpec({}, {.release = "v3.33"}), "/windowsNodes"), "absent");
  const json::object spec = Complete(
      "{kubernetesProvider: AKS, calicoNetwork: {windowsDataplane: HNS}}", {.release = "v3.33"});
  EXPECT_EQ(At(spec, "/windowsNodes/cniBinDir"), "\"/k/azurecni/bin\"");
  EXPECT_EQ(At(spec, "/windowsNodes/cniLogDir"), "\"/var/log/calico/cni\"");
}

TEST(CompleteSpecTest, FieldsThatAReleaseDoesNotHaveAreNotWritten) {
  const json::object old = CompleteSpec({}, {.release = "v3.27"});
  EXPECT_EQ(At(old, "/nonPrivileged"), "\"Disabled\"");
  EXPECT_EQ(At(old, "/cni/binDir"), "absent");
  EXPECT_EQ(At(old, "/calicoNetwork/ipPools/0/name"), "absent");
  EXPECT_EQ(At(CompleteSpec({}, {.release = "v3.32"}), "/cni/installMode"), "absent");
  EXPECT_EQ(At(CompleteSpec({}, {.release = "v3.32"}), "/nonPrivileged"), "absent");
  // The next one, before it has its row.
  EXPECT_EQ(At(CompleteSpec({}, {.release = "v3.34"}), "/calicoRunHostPath"),
            "\"/var/run/calico\"");
  EXPECT_EQ(At(Complete("registry: r.example.com", {.release = "v3.27"}), "/registry"),
            "\"r.example.com/\"");
  EXPECT_EQ(At(Complete("registry: UseDefault", {.release = "v3.27"}), "/registry"),
            "\"UseDefault\"");
  EXPECT_EQ(At(Complete("registry: r.example.com", {.release = "v3.32"}), "/registry"),
            "\"r.example.com\"");
  EXPECT_EQ(At(Complete("networkPolicy: {}", {.release = "v3.33"}), "/networkPolicy"),
            R"({"managePolicies":"Enabled"})");
}

TEST(KubeadmPodSubnetTest, ReadsTheLineOfTheConfiguration) {
  const auto config = [](std::string_view text) {
    return KubeadmPodSubnet({{"data", json::object{{"ClusterConfiguration", json::string(text)}}}});
  };
  EXPECT_EQ(config("networking:\n  dnsDomain: cluster.local\n  podSubnet: 10.244.0.0/16\n"),
            "10.244.0.0/16");
  EXPECT_EQ(config("networking:\r\n  podSubnet: \"10.1.0.0/16,fd00::/56\"\r\n"),
            "10.1.0.0/16,fd00::/56");
  EXPECT_EQ(config("networking:\n  serviceSubnet: 10.96.0.0/12\n"), "");
  EXPECT_EQ(KubeadmPodSubnet({}), "");
  EXPECT_EQ(KubeadmPodSubnet({{"data", json::object{{"x", 5}}}}), "");
}

TEST(CompleteSpecTest, AFolderForDriversEndsWithASlash) {
  EXPECT_EQ(At(Complete("flexVolumePath: /var/x", {.release = "v3.32"}), "/flexVolumePath"),
            "\"/var/x/\"");
  EXPECT_EQ(At(Complete("flexVolumePath: None", {.release = "v3.32"}), "/flexVolumePath"),
            "\"None\"");
}

TEST(CompleteSpecTest, ANumberInQuotesIsThatNumber) {
  const auto of = [](const char* value) {
    return At(Complete(fmt::format("nodeUpdateStrategy: {{rollingUpdate: {{maxUnavailable: {}}}}}",
                                   value),
                       {.release = "v3.32"}),
              "/nodeUpdateStrategy/rollingUpdate/maxUnavailable");
  };
  EXPECT_EQ(of("'2'"), "2");
  EXPECT_EQ(of("'30%'"), "\"30%\"");
  EXPECT_EQ(of("many"), "\"many\"");
}

}  // namespace
}  // namespace calico::defaults
