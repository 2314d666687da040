#include "operator/render/derived_values.h"

#include <algorithm>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/certificates/plan.h"
#include "operator/render/releases.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"

namespace calico::render {
namespace {

using base::IsOk;
using base::StatusIs;
using testing::HasSubstr;

// The value at `path` as JSON, "none" or the error's message.
std::string ValueAt(std::string_view path, const char* spec, const Inputs& inputs = {}) {
  api::Installation installation;
  installation.spec = codec::ParseYaml(spec)->as_object();
  const Facts facts = FactsOf(installation, inputs);
  Releases& releases = Releases::Embedded();
  RenderValues values(**releases.Find(releases.newest()), installation, inputs, facts);
  const absl::StatusOr<const json::value*> value = values.Find(path);
  if (!value.ok()) return std::string(value.status().message());
  return *value == nullptr ? "none" : codec::Serialize(**value);
}

TEST(DerivedValuesTest, AreSortedAndHaveSamples) {
  const auto all = DerivedValues();
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
  for (const DerivedValue& value : all) {
    const auto sample = SampleValues()(std::string("inputs.") + std::string(value.name));
    ASSERT_THAT(sample, IsOk()) << value.name;
    EXPECT_FALSE((*sample)->is_null()) << value.name;
  }
}

TEST(DerivedValuesTest, FieldsOfTheSpec) {
  const char* const spec =
      "{nodeMetricsPort: 9091, cni: {type: Calico}, registry: '', imagePath: null}";
  EXPECT_EQ(ValueAt("spec.nodeMetricsPort", spec), "9091");
  EXPECT_EQ(ValueAt("spec.cni.type", spec), "\"Calico\"");
  EXPECT_EQ(ValueAt("spec.cni.ipam.type", spec), "none");
  EXPECT_EQ(ValueAt("spec.nodeMetricsPort.x", spec), "none");
  EXPECT_EQ(ValueAt("spec.registry", spec), "none");
  EXPECT_EQ(ValueAt("spec.imagePath", spec), "none");
}

TEST(DerivedValuesTest, UnknownPathsAreErrors) {
  EXPECT_THAT(ValueAt("inputs.nothing", "{}"), HasSubstr("there is no inputs.nothing"));
  EXPECT_THAT(ValueAt("nothing", "{}"), HasSubstr("a path begins with spec. or inputs."));
  EXPECT_THAT(SampleValues()("spec.nothing"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("an Installation has no field spec.nothing")));
}

TEST(DerivedValuesTest, AutodetectionMethods) {
  struct Case {
    const char* method;
    const char* want;
  };
  const Case cases[] = {
      {"{firstFound: true}", "\"first-found\""},
      {"{firstFound: false}", "none"},
      {"{firstFound: false, interface: eth.*}", "\"interface=eth.*\""},
      {"{skipInterface: '^br-.*'}", "\"skip-interface=^br-.*\""},
      {"{canReach: 8.8.8.8}", "\"can-reach=8.8.8.8\""},
      {"{cidrs: [10.0.0.0/8, 192.168.0.0/16]}", "\"cidr=10.0.0.0/8,192.168.0.0/16\""},
      {"{kubernetes: NodeInternalIP}", "\"kubernetes-internal-ip\""},
      {"{}", "none"},
  };
  for (const Case& c : cases) {
    for (const char* family : {"4", "6"}) {
      const std::string spec = std::string("{calicoNetwork: {nodeAddressAutodetectionV") + family +
                               ": " + c.method + "}}";
      EXPECT_EQ(ValueAt(std::string("inputs.ipv") + family + "AutodetectionMethod", spec.c_str()),
                c.want)
          << c.method;
    }
  }
}

TEST(DerivedValuesTest, AddressOfTheApiServer) {
  EXPECT_EQ(ValueAt("inputs.apiServerHost", "{}"), "none");
  EXPECT_EQ(ValueAt("inputs.apiServerUrl", "{}"), "none");
  const Inputs inputs = {.api_endpoint = ApiEndpoint{"fd00::1", "6443"}};
  EXPECT_EQ(ValueAt("inputs.apiServerHost", "{}", inputs), "\"fd00::1\"");
  EXPECT_EQ(ValueAt("inputs.apiServerPort", "{}", inputs), "\"6443\"");
  EXPECT_EQ(ValueAt("inputs.apiServerUrl", "{}", inputs), "\"https://[fd00::1]:6443\"");
}

TEST(DerivedValuesTest, TheGracePeriodOfTyphaIsItsShutdownTime) {
  EXPECT_EQ(ValueAt("inputs.typhaShutdownSeconds", "{}"), "300");
  EXPECT_EQ(ValueAt("inputs.typhaShutdownSeconds",
                    "{typhaDeployment: {spec: {template: {spec: {terminationGracePeriodSeconds: "
                    "60}}}}}"),
            "60");
}

TEST(DerivedValuesTest, ValuesOfNodeAndTypha) {
  struct Case {
    const char* spec;
    const char* name;
    const char* want;
  };
  const char* const pools =
      "{calicoNetwork: {ipPools: [{cidr: no}, {cidr: 10.0.0.0/8, blockSize: 26, nodeSelector: "
      "all(), disableBGPExport: true}, {cidr: 10.0.0.0/9}]}}";
  const Case cases[] = {
      {"{}", "clusterType", "\"k8s,operator\""},
      {"{kubernetesProvider: EKS, calicoNetwork: {bgp: Enabled, linuxDataplane: VPP}}",
       "clusterType", "\"k8s,operator,ecs,bgp,vpp\""},
      {"{kubernetesProvider: RKE2}", "clusterType", "\"k8s,operator\""},
      {"{}", "felixHealthPort", "9099"},
      {"{kubernetesProvider: OpenShift}", "felixHealthPort", "9199"},
      {"{kubernetesProvider: OpenShift}", "typhaHealthPort", "9198"},
      {"{}", "nodeMaxSurge", "0"},
      {"{nodeUpdateStrategy: {rollingUpdate: {maxSurge: 10%}}}", "nodeMaxSurge", "\"10%\""},
      {"{}", "typhaProgressDeadlineSeconds", "600"},
      {"{typhaDeployment: {spec: {template: {spec: {terminationGracePeriodSeconds: 1000}}}}}",
       "typhaProgressDeadlineSeconds", "1200"},
      {"{}", "nodeCommonName", "\"typha-client\""},
      {"{}", "typhaCommonName", "\"typha-server\""},
      {"{}", "typhaUriSan", "none"},
      {pools, "ipv4PoolCidr", "\"10.0.0.0/8\""},
      {pools, "ipv4PoolBlockSize", "26"},
      {pools, "ipv4PoolDisableBgpExport", "\"true\""},
      {pools, "ipv6PoolCidr", "none"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(ValueAt(std::string("inputs.") + c.name, c.spec), c.want) << c.spec << " " << c.name;
  }
}

TEST(DerivedValuesTest, ValuesOfOtherObjectsOfTheCluster) {
  const Inputs inputs = {
      .settings = {.felix_health_port = 9199, .cgroup_path = "/cgroup", .bgp_bind_mode = "NodeIP"},
      .service_addresses = {"10.96.0.1:443", "[fd00::1]:443"},
      .api_server_endpoints = {"192.0.2.1:6443"}};
  EXPECT_EQ(ValueAt("inputs.felixHealthPort", "{}", inputs), "9199");
  EXPECT_EQ(ValueAt("inputs.cgroupPath", "{}", inputs), "\"/cgroup\"");
  EXPECT_EQ(ValueAt("inputs.kubernetesServiceAddresses", "{}", inputs),
            "\"10.96.0.1:443,[fd00::1]:443\"");
  EXPECT_EQ(ValueAt("inputs.apiServerEndpoints", "{}", inputs), "\"192.0.2.1:6443\"");
  EXPECT_EQ(ValueAt("inputs.bgpBindModeHash", "{}", inputs).size(), 42U);
  EXPECT_EQ(ValueAt("inputs.bgpBindModeHash", "{}"), "none");
}

TEST(DerivedValuesTest, ThePlanOfCertificatesIsWhatPodsTrust) {
  auto plan = std::make_shared<certificates::Plan>();
  plan->key_pairs = {{.name = "typha-certs", .hash_annotation = "op/typha-certs", .hash = "1"}};
  plan->bundle.text = "bundle";
  plan->bundle.system_roots = std::make_shared<const std::string>("roots");
  plan->bundle.annotations = {{"op/tigera-ca-private", "2"}};
  const Inputs inputs = {.certificates = plan};
  EXPECT_EQ(ValueAt("inputs.caBundle", "{}", inputs), "\"bundle\"");
  EXPECT_EQ(ValueAt("inputs.systemRoots", "{}", inputs), "\"roots\"");
  EXPECT_EQ(ValueAt("inputs.trustAnnotations", "{}", inputs), R"({"op/tigera-ca-private":"2"})");
  EXPECT_EQ(ValueAt("inputs.typhaAnnotations", "{}", inputs),
            R"({"op/tigera-ca-private":"2","op/typha-certs":"1"})");
  EXPECT_EQ(ValueAt("inputs.systemRoots", "{}"), "none");
}

// A name that could end the text in the policy's expression is refused.
TEST(DerivedValuesTest, SignerNameInAnExpression) {
  EXPECT_EQ(ValueAt("inputs.signerNameInCel", "{certificateManagement: {signerName: a.b/c}}"),
            "\"'a.b/c'\"");
  EXPECT_THAT(ValueAt("inputs.signerNameInCel",
                      R"({certificateManagement: {signerName: "a.b/c' || true"}})"),
              HasSubstr("bad signer name"));
}

}  // namespace
}  // namespace calico::render
