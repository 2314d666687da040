#include "operator/defaults/conflicts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/codec/yaml.h"

namespace calico::defaults {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<Conflict> Conflicts(std::string_view given, const ClusterFacts& facts) {
  absl::StatusOr<json::value> value = codec::ParseYaml(given);
  EXPECT_TRUE(value.ok()) << value.status();
  return ConflictsWithCluster(value->as_object(), facts);
}

auto Says(const char* path, const char* text) {
  return AllOf(Field(&Conflict::path, path), Field(&Conflict::text, HasSubstr(text)));
}

TEST(ConflictsWithClusterTest, AnotherProviderThanTheClusterShows) {
  const ClusterFacts gke = {.release = "v3.33", .detected_provider = "GKE"};
  EXPECT_THAT(Conflicts("{kubernetesProvider: EKS}", gke),
              ElementsAre(Says("spec.kubernetesProvider", "this cluster shows, which is GKE")));
  EXPECT_THAT(Conflicts("{kubernetesProvider: GKE}", gke), IsEmpty());
  EXPECT_THAT(Conflicts("{}", gke), IsEmpty());
  // A cluster that shows nothing may be anything.
  EXPECT_THAT(Conflicts("{kubernetesProvider: EKS}", {.release = "v3.33"}), IsEmpty());
}

TEST(ConflictsWithClusterTest, PoolsMustBeInsideThePodNetwork) {
  ClusterFacts facts = {.release = "v3.33", .kubeadm_pod_subnet = "10.244.0.0/16,fd00::/56"};
  constexpr const char* kGiven =
      "{calicoNetwork: {ipPools: [{cidr: 10.244.128.0/17}, {cidr: 192.168.0.0/16}, "
      "{cidr: 'fd00:1::/64'}, {cidr: nonsense}]}}";
  EXPECT_THAT(Conflicts(kGiven, facts),
              ElementsAre(Says("spec.calicoNetwork.ipPools[1].cidr", "10.244.0.0/16, fd00::/56"),
                          Says("spec.calicoNetwork.ipPools[2].cidr", "fd00:1::/64 is not inside")));
  EXPECT_THAT(Conflicts("{calicoNetwork: {ipPools: []}}", facts), IsEmpty());
  EXPECT_THAT(Conflicts("{}", facts), IsEmpty());
  EXPECT_THAT(
      Conflicts("{cni: {type: AmazonVPC}, calicoNetwork: {ipPools: [{cidr: 10.9.0.0/16}]}}", facts),
      IsEmpty());
  // Pools that are there already were accepted once.
  facts.ip_pools = {json::object{{"spec", json::object{{"cidr", "192.168.0.0/16"}}}}};
  EXPECT_THAT(Conflicts(kGiven, facts), IsEmpty());
  facts.release = "v3.27";
  EXPECT_EQ(Conflicts(kGiven, facts).size(), 2U);
}

TEST(ConflictsWithClusterTest, AMissingPodNetworkIsNotGuessed) {
  const ClusterFacts facts = {.release = "v3.33", .kubeadm_pod_subnet = ""};
  EXPECT_THAT(Conflicts("{}", facts),
              ElementsAre(Says("spec.calicoNetwork.ipPools", "has no podSubnet")));
  EXPECT_THAT(Conflicts("{calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16}]}}", facts), IsEmpty());
  EXPECT_THAT(Conflicts("{calicoNetwork: {ipPools: []}}", facts), IsEmpty());
  EXPECT_THAT(
      Conflicts("{}", {.release = "v3.33", .kubeadm_pod_subnet = "10.244/16"}),
      ElementsAre(Says("spec.calicoNetwork.ipPools", "\"10.244/16\", which is no network")));
}

TEST(ConflictsWithClusterTest, OpenShiftHasItsOwnList) {
  const ClusterFacts facts = {.release = "v3.33",
                              .detected_provider = "OpenShift",
                              .kubeadm_pod_subnet = "",
                              .openshift_pod_networks = {"10.128.0.0/14"}};
  EXPECT_THAT(Conflicts("{}", facts), IsEmpty());
  EXPECT_THAT(Conflicts("{calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16}]}}", facts),
              ElementsAre(Says("spec.calicoNetwork.ipPools[0].cidr", "config.openshift.io")));
}

TEST(ConflictsWithClusterTest, WrongShapesAreNoConflict) {
  const ClusterFacts facts = {.release = "v3.33", .kubeadm_pod_subnet = "10.244.0.0/16"};
  for (const char* given : {"{calicoNetwork: 5}", "{calicoNetwork: {ipPools: 5}}", "{cni: [1]}",
                            "{calicoNetwork: {ipPools: [5, {cidr: 5}]}}"}) {
    EXPECT_THAT(Conflicts(given, facts), IsEmpty()) << given;
  }
}

}  // namespace
}  // namespace calico::defaults
