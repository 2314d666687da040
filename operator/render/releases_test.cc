#include "operator/render/releases.h"

#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
using testing::ElementsAre;

std::string TextOf(const std::vector<json::object>& objects) {
  std::string text;
  for (const json::object& object : objects) text += codec::Serialize(object);
  return text;
}

TEST(ReleasesTest, EveryCombinationOfFactsGivesGoodObjects) {
  const absl::StatusOr<Releases> releases = Releases::Load(FilesOfTwoReleases());
  ASSERT_THAT(releases, IsOk());
  for (const std::string& version : releases->versions()) {
    const Release& release = *releases->Find(version);
    std::set<std::string> seen;
    ForEveryCombination(release, [&](const Facts& facts) {
      const absl::StatusOr<std::vector<json::object>> objects = release.Select(facts);
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
  c.installation.calico_network.linux_dataplane = text("dataplane");
  c.installation.calico_network.bgp = text("bgp");
  c.installation.cni.type = text("cni");
  c.installation.cni.ipam_type = text("ipam");
  c.installation.non_privileged = text("nonPrivileged");
  c.installation.kubernetes_provider = text("provider") == "None" ? "" : text("provider");
  c.installation.calico_network.mtu.reset();
  c.installation.node_metrics_port.reset();
  c.installation.typha_metrics_port.reset();
  c.inputs.api_endpoint.reset();
  if (text("mtu") == "Given") c.installation.calico_network.mtu = 1400;
  if (text("nodeMetrics") == "Enabled") c.installation.node_metrics_port = 9091;
  if (text("typhaMetrics") == "Enabled") c.installation.typha_metrics_port = 9093;
  if (text("apiEndpoint") == "Known") c.inputs.api_endpoint = ApiEndpoint{"192.0.2.1", "443"};
  c.inputs.has_admission_policies = text("admissionPolicies") == "Served";
}

// Every value finds its place, whatever the fragments have made of the manifests.
TEST(ReleasesTest, EveryCombinationOfFactsRenders) {
  const absl::StatusOr<Releases> releases = Releases::Load(FilesOfTwoReleases());
  ASSERT_THAT(releases, IsOk());
  ReferenceCase c = LoadReferenceCase("b-cm-default");
  for (const std::string& version : releases->versions()) {
    const Release& release = *releases->Find(version);
    ForEveryCombination(release, [&](const Facts& facts) {
      Set(facts, c);
      ASSERT_EQ(FactsOf(c.installation, c.inputs), facts);
      ASSERT_THAT(Render(release, c.installation, c.inputs), IsOk()) << version;
    });
  }
}

TEST(ReleasesTest, TwoReleasesBesideEachOther) {
  const absl::StatusOr<Releases> releases = Releases::Load(FilesOfTwoReleases());
  ASSERT_THAT(releases, IsOk());
  EXPECT_THAT(releases->versions(), ElementsAre("v3.32", "v3.99"));
  EXPECT_EQ(releases->Newest().version(), "v3.99");
  EXPECT_EQ(releases->Find("v3.33"), nullptr);

  ReferenceCase c = LoadReferenceCase("b-cm-default");
  c.installation.calico_network.linux_dataplane = "Nftables";
  c.installation.kubernetes_provider = "EKS";
  const auto old_one = Render(*releases->Find("v3.32"), c.installation, c.inputs);
  auto new_one = Render(*releases->Find("v3.99"), c.installation, c.inputs);
  ASSERT_THAT(old_one, IsOk());
  ASSERT_THAT(new_one, IsOk());
  EXPECT_EQ(*old_one, RenderNewest(c.installation, c.inputs));
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
  for (const json::object& object : RenderNewest(c.installation, c.inputs)) {
    EXPECT_THAT(kube::CheckShape(kube::Schema::Kubernetes(), object), IsOk());
    EXPECT_EQ(kube::FirstDifference(kube::Schema::Kubernetes(), object, object), std::nullopt);
  }
}

}  // namespace
}  // namespace calico::render
