#include "operator/adoption/former_operator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/codec/yaml.h"

namespace calico::adoption {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const api::ObjectKey kOperator = {"tigera-operator", "tigera-operator"};

json::object Yaml(const std::string& text) { return codec::ParseYaml(text)->as_object(); }

json::object Deployment(const std::string& name, const std::string& container,
                        const std::string& image, const std::string& more = "") {
  return Yaml("{metadata: {name: " + name + ", namespace: tigera-operator}, spec: {" + more +
              "template: {spec: {containers: [{name: " + container + ", image: '" + image +
              "'}]}}}}");
}

TEST(FormerOperatorTest, KnowsItsFinalizersAndLeavesOthers) {
  const json::object object = Yaml(
      "{metadata: {finalizers: [tigera.io/operator-cleanup, "
      "operator.tigera.io/apiserver-controller,"
      " tigera.io/cni-protector, example.com/mine, foregroundDeletion, nottigera.io/x]}}");
  EXPECT_THAT(FormerFinalizersOf(object),
              ElementsAre("tigera.io/operator-cleanup", "operator.tigera.io/apiserver-controller",
                          "tigera.io/cni-protector"));
  EXPECT_EQ(OtherFinalizersOf(object),
            (json::array{"example.com/mine", "foregroundDeletion", "nottigera.io/x"}));
  EXPECT_THAT(FormerFinalizersOf(json::object()), IsEmpty());
}

TEST(FormerOperatorTest, AnOperatorThatRunsIsInTheWayAndNoOther) {
  const auto why = [](const json::object& deployment) {
    return WhyInTheWay(deployment, kOperator);
  };
  EXPECT_THAT(why(Deployment("tigera-operator", "tigera-operator",
                             "registry.example.com:5000/quay/tigera/operator:v1.42.4")),
              HasSubstr("kubectl -n tigera-operator delete deployment tigera-operator"));
  EXPECT_THAT(why(Deployment("mine", "x", "quay.io/tigera/operator@sha256:00")),
              HasSubstr("Deployment tigera-operator/mine runs another operator"));
  EXPECT_THAT(why(Deployment("tigera-operator", "x", "example.com/built-by-us:1")),
              HasSubstr("example.com/built-by-us:1"));
  EXPECT_EQ(why(Deployment("tigera-operator", "calico-operator", "calico-operator:latest")), "");
  EXPECT_EQ(why(Deployment("other", "x", "example.com/other:1")), "");
  EXPECT_EQ(why(Deployment("other", "x", "example.com/nottigera/operator:1")), "");
  json::object stopped =
      Deployment("tigera-operator", "x", "quay.io/tigera/operator:v1", "replicas: 0, ");
  EXPECT_EQ(why(stopped), "");
  stopped["status"] = json::object{{"replicas", 1}};
  EXPECT_NE(why(stopped), "") << "its pod has not ended yet";
}

TEST(FormerOperatorTest, ALeaseThatSomebodyElseHoldsIsInTheWayUntilItEnds) {
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  const auto lease = [&](absl::Duration ago, const std::string& manager) {
    return Yaml(
        "{metadata: {name: operator-lock, namespace: tigera-operator, managedFields: [{"
        "manager: " +
        manager +
        ", operation: Update, fieldsV1: {'f:spec': {"
        "'f:holderIdentity': {}}}}]}, spec: {holderIdentity: node_1, leaseDurationSeconds: 15, "
        "renewTime: '" +
        absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", now - ago, absl::UTCTimeZone()) + "'}}");
  };
  EXPECT_THAT(WhyInTheWay(lease(absl::Seconds(5), "operator"), now), HasSubstr("node_1"));
  EXPECT_EQ(WhyInTheWay(lease(absl::Seconds(16), "operator"), now), "");
  EXPECT_EQ(WhyInTheWay(lease(absl::Seconds(5), "calico-operator"), now), "");
  EXPECT_EQ(WhyInTheWay(Yaml("{spec: {holderIdentity: ''}}"), now), "");
}

TEST(FormerOperatorTest, AnObjectIsKnownByItsOwnerOrOurLabel) {
  EXPECT_TRUE(IsOfAnOperator(Yaml(
      "{metadata: {ownerReferences: [{apiVersion: operator.tigera.io/v1, kind: APIServer}]}}")));
  EXPECT_TRUE(IsOfAnOperator(
      Yaml("{metadata: {labels: {app.kubernetes.io/managed-by: calico-operator}}}")));
  EXPECT_FALSE(
      IsOfAnOperator(Yaml("{metadata: {labels: {app.kubernetes.io/managed-by: Helm}, "
                          "managedFields: [{manager: operator}],"
                          "ownerReferences: [{apiVersion: apps/v1, kind: Deployment}]}}")));
}

}  // namespace
}  // namespace calico::adoption
