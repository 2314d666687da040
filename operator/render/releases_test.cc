#include "operator/render/releases.h"

#include <memory>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/certificates/plan.h"
#include "operator/render/derived_values.h"
#include "operator/render/render.h"
#include "operator/render/testing/cases.h"
#include "operator/render/testing/combinations.h"
#include "operator/render/testing/objects.h"
#include "operator/render/testing/releases.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/kube/schema/compare.h"
#include "pkg/kube/schema/shape.h"

namespace calico::render {
namespace {

using base::IsOk;

std::string TextOf(const std::vector<json::object>& objects) {
  std::string text;
  for (const json::object& object : objects) text += codec::Serialize(object);
  return text;
}

TEST(ReleasesTest, CombinationsOfFactsGiveGoodObjects) {
  const std::vector<base::EmbeddedFile> files = FilesOfTwoReleases();
  absl::StatusOr<Releases> releases = Releases::Open(files);
  ASSERT_THAT(releases, IsOk());
  for (const std::string& version : releases->versions()) {
    const Release& release = **releases->Find(version);
    std::set<std::string> seen;
    ForCombinations(release, [&](const Facts& facts) {
      const absl::StatusOr<std::vector<json::object>> objects =
          release.Select(facts, SampleValues());
      ASSERT_THAT(objects, IsOk()) << version;
      if (!seen.insert(TextOf(*objects)).second) return;
      for (const json::object& object : *objects) {
        ASSERT_THAT(kube::CheckShape(kube::Schema::Kubernetes(), object), IsOk());
      }
    });
    // Each of the five switches of v3.32 makes a difference by itself.
    EXPECT_GE(seen.size(), 32U) << version;
  }
}

// Whether an Installation can have these facts: pods ask for certificates only with
// certificateManagement, what there is to say of a pool is said of one that there is, and only
// Docker Enterprise has a proxy on each host.
bool IsPossible(const Facts& facts) {
  const bool is_requested = facts.at("nodeCertificate") == "Request" ||
                            facts.at("typhaCertificate") == "Request" ||
                            facts.at("apiServerCertificate") == "Request";
  if (is_requested && facts.at("certificates") == "Operator") return false;
  const bool is_of_host = facts.at("apiEndpointReach") == "Host";
  if (is_of_host &&
      (facts.at("apiEndpoint") == "Unknown" || facts.at("provider") != "DockerEnterprise")) {
    return false;
  }
  const bool has_ipv4 =
      facts.at("ipv4Pool") == "Present" ||
      (facts.at("ipv4Encapsulation") == "None" && facts.at("ipv4NatOutgoing") == "Enabled");
  const bool has_ipv6 =
      facts.at("ipv6Pool") == "Present" ||
      (facts.at("ipv6Encapsulation") == "None" && facts.at("ipv6NatOutgoing") == "Disabled");
  return has_ipv4 && has_ipv6;
}

certificates::KeyPair Pair(const Facts& facts, const std::string& name) {
  const std::string_view identity = facts.at(name + "Identity");
  return {.name = name + "-certs",
          .source = facts.at(name + "Certificate") == "Request"
                        ? certificates::Source::kRequest
                        : certificates::Source::kOperatorSigned,
          .common_name = identity == "UriSan" ? "" : name,
          .uri_san = identity == "CommonName" ? "" : "urn:" + name,
          .hash_annotation = "example.com/" + name,
          .hash = "00ff"};
}

void SetInputs(const Facts& facts, Inputs& inputs) {
  const auto is = [&](const char* name, std::string_view value) { return facts.at(name) == value; };
  auto plan = std::make_shared<certificates::Plan>();
  certificates::KeyPair api_server{.name = std::string(certificates::kApiServerCerts),
                                   .hash_annotation = "example.com/api"};
  if (is("apiServerCertificate", "Request")) api_server.source = certificates::Source::kRequest;
  plan->key_pairs = {Pair(facts, "node"), Pair(facts, "typha"), std::move(api_server)};
  plan->bundle.text = "pem";
  if (is("systemRoots", "Present")) {
    plan->bundle.system_roots = std::make_shared<const std::string>("pem");
  }
  inputs.certificates = std::move(plan);
  inputs.api_endpoint.reset();
  inputs.pod_api_endpoint.reset();
  inputs.api_server.reset();
  inputs.kube_controllers_metrics_port.reset();
  inputs.node_dns.config.reset();
  if (is("podApiEndpoint", "Known")) inputs.pod_api_endpoint = ApiEndpoint{"192.0.2.1", "443"};
  if (is("apiServer", "Present")) inputs.api_server.emplace();
  if (is("kubeControllersMetrics", "Enabled")) inputs.kube_controllers_metrics_port = 9094;
  if (is("apiEndpoint", "Known")) inputs.api_endpoint = ApiEndpoint{"192.0.2.1", "443"};
  if (is("apiEndpointReach", "Host")) inputs.api_endpoint->host = "proxy.local";
  if (is("nodeDnsConfig", "Given")) inputs.node_dns.config.emplace();
  inputs.has_admission_policies = is("admissionPolicies", "Served");
  inputs.settings = {.cgroup_path = is("cgroupPath", "Given") ? "/cgroup" : "",
                     .bgp_bind_mode = is("bgpBindMode", "Given") ? "NodeIP" : ""};
  inputs.bgp_layout.reset();
  if (is("bgpLayout", "Given")) {
    inputs.bgp_layout = api::StringMap{{"earlyNetworkConfiguration", "x"}};
  }
  inputs.bird_templates.clear();
  if (is("birdTemplates", "Given")) inputs.bird_templates["bird.cfg.template"] = "x";
  inputs.api_server_endpoints.clear();
  if (is("bpfNetworkBootstrap", "Enabled")) inputs.api_server_endpoints = {"192.0.2.1:6443"};
}

json::array PoolsWith(const Facts& facts) {
  json::array pools;
  for (const auto& [family, cidr] :
       {std::pair("ipv4", "10.0.0.0/8"), std::pair("ipv6", "fd00::/48")}) {
    const std::string name = family;
    if (facts.at(name + "Pool") == "Absent") continue;
    pools.push_back({{"cidr", cidr},
                     {"blockSize", 122},
                     {"nodeSelector", "all()"},
                     {"encapsulation", facts.at(name + "Encapsulation")},
                     {"natOutgoing", facts.at(name + "NatOutgoing")}});
  }
  return pools;
}

// The Installation and the cluster that have these facts.
void Set(const Facts& facts, ReferenceCase& c) {
  const auto text = [&](const char* name) { return std::string(facts.at(name)); };
  const auto value_if = [&](const char* name, const char* value, json::value wanted) {
    return facts.at(name) == value ? std::move(wanted) : json::value();
  };
  json::object spec = c.installation.spec;
  json::object& network = EnsureObject(spec, {"calicoNetwork"});
  network["linuxDataplane"] = text("dataplane");
  network["bgp"] = text("bgp");
  network["mtu"] = value_if("mtu", "Given", 1400);
  network["ipPools"] = PoolsWith(facts);
  network["linuxPolicySetupTimeoutSeconds"] = value_if("policySetupTimeout", "Given", 1);
  for (const auto& [fact, field] : {std::pair("ipv4Autodetection", "nodeAddressAutodetectionV4"),
                                    std::pair("ipv6Autodetection", "nodeAddressAutodetectionV6")}) {
    network[field] = {{"firstFound", text(fact) == "Enabled"}};
  }
  EnsureObject(spec, {"cni"})["type"] = text("cni");
  EnsureObject(spec, {"cni"})["installMode"] = text("cniInstallMode");
  EnsureObject(spec, {"cni", "ipam"})["type"] = text("ipam");
  spec["azure"] = {{"policyMode", text("azurePolicyMode")}};
  spec["certificateManagement"] =
      value_if("certificates", "CertificateManagement", {{"signerName", "example.com/signer"}});
  spec["controlPlaneReplicas"] = text("controlPlaneReplicas") == "One" ? 1 : 2;
  spec["kubeletVolumePluginPath"] =
      text("kubeletVolumePlugin") == "None" ? "None" : "/var/lib/kubelet";
  spec["fipsMode"] = text("fipsMode");
  spec["flexVolumePath"] = text("flexVolume") == "None" ? "None" : "/flex/";
  spec["nonPrivileged"] = text("nonPrivileged");
  spec["kubernetesProvider"] = text("provider") == "None" ? "" : text("provider");
  spec["nodeMetricsPort"] = value_if("nodeMetrics", "Enabled", 9091);
  spec["typhaMetricsPort"] = facts.at("typhaMetrics") == "AnyPort"
                                 ? json::value(0)
                                 : value_if("typhaMetrics", "Enabled", 9093);
  c.installation.spec = std::move(spec);
  c.installation.meta.annotations.clear();
  if (facts.at("nodeAppArmor") == "Given") {
    c.installation.meta.annotations[std::string(api::kNodeAppArmorAnnotation)] = "localhost/x";
  }
  SetInputs(facts, c.inputs);
}

// Every value finds its place, whatever the fragments have made of the manifests.
TEST(ReleasesTest, CombinationsOfFactsRender) {
  const std::vector<base::EmbeddedFile> files = FilesOfTwoReleases();
  absl::StatusOr<Releases> releases = Releases::Open(files);
  ASSERT_THAT(releases, IsOk());
  ReferenceCase c = LoadReferenceCase("b-cm-default");
  for (const std::string& version : releases->versions()) {
    const Release& release = **releases->Find(version);
    ForCombinations(release, [&](const Facts& facts) {
      if (!IsPossible(facts)) return;
      Set(facts, c);
      ASSERT_EQ(FactsOf(c.installation, c.inputs), facts);
      ASSERT_THAT(Render(release, c.installation, c.inputs), IsOk()) << version;
    });
  }
}

TEST(ReleasesTest, TwoReleasesBesideEachOther) {
  const std::vector<base::EmbeddedFile> files = FilesOfTwoReleases();
  absl::StatusOr<Releases> releases = Releases::Open(files);
  ASSERT_THAT(releases, IsOk());
  EXPECT_THAT(releases->versions(), testing::IsSupersetOf({"v3.32", "v3.99"}));
  EXPECT_EQ(releases->newest(), "v3.99");
  EXPECT_THAT(releases->Find("v3.98"), base::StatusIs(absl::StatusCode::kNotFound));

  ReferenceCase c = LoadReferenceCase("b-cm-default", "v3.32");
  SetField(c, "calicoNetwork.linuxDataplane", "Nftables");
  SetField(c, "kubernetesProvider", "EKS");
  const auto old_one = Render(**releases->Find("v3.32"), c.installation, c.inputs);
  auto new_one = Render(**releases->Find("v3.99"), c.installation, c.inputs);
  ASSERT_THAT(old_one, IsOk());
  ASSERT_THAT(new_one, IsOk());
  EXPECT_EQ(new_one->size(), old_one->size() + 1);
  for (json::object& object : *new_one) {
    if (KindOf(object) != "DaemonSet" || NameOf(object) != "calico-node") continue;
    EXPECT_EQ(PodSpec(object).at("nodeSelector"), (json::value{{"example.com/nftables", "true"}}));
    json::array& env = ArrayAt(Container(object, "calico-node"), {"env"});
    EXPECT_EQ(TextAt(Named(env, "FELIX_NFTABLESMODE"), "value"), "Enabled");
    EXPECT_EQ(TextAt(Named(env, "CLUSTER_TYPE"), "value"), "k8s,operator,nft");
    EXPECT_EQ(TextAt(Container(object, "calico-node"), "image"), "quay.io/calico/node:v3.99.0");
    EXPECT_EQ(FindNamed(ArrayAt(PodSpec(object), {"initContainers"}), "ebpf-bootstrap"), nullptr);
    EXPECT_EQ(FindNamed(ArrayAt(PodSpec(object), {"volumes"}), "nodeproc"), nullptr);
  }
}

// Applying what is there already must change nothing.
TEST(ReleasesTest, RenderedObjectsHoldThemselves) {
  const ReferenceCase c = LoadReferenceCase("c-cm-ecdsa");
  for (const json::object& object : RenderDefault(c.installation, c.inputs)) {
    EXPECT_THAT(kube::CheckShape(kube::Schema::Kubernetes(), object), IsOk());
    EXPECT_EQ(kube::FirstDifference(kube::Schema::Kubernetes(), object, object), std::nullopt);
  }
}

}  // namespace
}  // namespace calico::render
