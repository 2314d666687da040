#include "operator/render/releases.h"

#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  const absl::StatusOr<Releases> releases = Releases::Load(FilesOfTwoReleases());
  ASSERT_THAT(releases, IsOk());
  for (const std::string& version : releases->versions()) {
    const Release& release = *releases->Find(version);
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
  EnsureObject(spec, {"cni"})["type"] = text("cni");
  EnsureObject(spec, {"cni", "ipam"})["type"] = text("ipam");
  spec["nonPrivileged"] = text("nonPrivileged");
  spec["kubernetesProvider"] = text("provider") == "None" ? "" : text("provider");
  spec["nodeMetricsPort"] = value_if("nodeMetrics", "Enabled", 9091);
  spec["typhaMetricsPort"] = value_if("typhaMetrics", "Enabled", 9093);
  c.installation.spec = std::move(spec);
  c.inputs.api_endpoint.reset();
  c.inputs.node_dns.config.reset();
  if (text("apiEndpoint") == "Known") c.inputs.api_endpoint = ApiEndpoint{"192.0.2.1", "443"};
  if (text("nodeDnsConfig") == "Given") c.inputs.node_dns.config.emplace();
  c.inputs.has_admission_policies = text("admissionPolicies") == "Served";
}

// Every value finds its place, whatever the fragments have made of the manifests.
TEST(ReleasesTest, CombinationsOfFactsRender) {
  const absl::StatusOr<Releases> releases = Releases::Load(FilesOfTwoReleases());
  ASSERT_THAT(releases, IsOk());
  ReferenceCase c = LoadReferenceCase("b-cm-default");
  for (const std::string& version : releases->versions()) {
    const Release& release = *releases->Find(version);
    ForCombinations(release, [&](const Facts& facts) {
      Set(facts, c);
      ASSERT_EQ(FactsOf(c.installation, c.inputs), facts);
      ASSERT_THAT(Render(release, c.installation, c.inputs), IsOk()) << version;
    });
  }
}

TEST(ReleasesTest, TwoReleasesBesideEachOther) {
  const absl::StatusOr<Releases> releases = Releases::Load(FilesOfTwoReleases());
  ASSERT_THAT(releases, IsOk());
  EXPECT_THAT(releases->versions(), testing::IsSupersetOf({"v3.32", "v3.99"}));
  EXPECT_EQ(releases->Default().version(), kDefaultRelease);
  EXPECT_EQ(releases->Find("v3.98"), nullptr);

  ReferenceCase c = LoadReferenceCase("b-cm-default");
  SetField(c, "calicoNetwork.linuxDataplane", "Nftables");
  SetField(c, "kubernetesProvider", "EKS");
  const auto old_one = Render(*releases->Find("v3.32"), c.installation, c.inputs);
  auto new_one = Render(*releases->Find("v3.99"), c.installation, c.inputs);
  ASSERT_THAT(old_one, IsOk());
  ASSERT_THAT(new_one, IsOk());
  EXPECT_EQ(*old_one, RenderDefault(c.installation, c.inputs));
  EXPECT_EQ(new_one->size(), old_one->size() + 1);
  for (json::object& object : *new_one) {
    if (KindOf(object) != "DaemonSet") continue;
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
