#include "operator/controllers/installation/crd_check.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crds/crds.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::installation {
namespace {

using base::StatusIs;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

json::object Definition() {
  for (const base::EmbeddedFile& file : crds::Crds()) {
    json::object definition = codec::ParseYaml(file.content)->as_object();
    if (definition.at("metadata").at("name") == "installations.operator.tigera.io") {
      return definition;
    }
  }
  ADD_FAILURE() << "no definition of installations";
  return {};
}

json::object& SpecProperties(json::object& definition) {
  return definition["spec"]
      .as_object()["versions"]
      .as_array()[0]
      .as_object()["schema"]
      .as_object()["openAPIV3Schema"]
      .as_object()["properties"]
      .as_object()["spec"]
      .as_object()["properties"]
      .as_object();
}

TEST(PrunedFieldsTest, OursKeepsEverythingThatIsRendered) {
  EXPECT_THAT(PrunedFields(Definition()), IsEmpty());
}

TEST(PrunedFieldsTest, FieldsThatAnOlderOneDropsAreNamed) {
  json::object definition = Definition();
  SpecProperties(definition)["certificateManagement"].as_object()["properties"].as_object().erase(
      "keyAlgorithm");
  EXPECT_THAT(PrunedFields(definition), ElementsAre("spec.certificateManagement.keyAlgorithm"));
  SpecProperties(definition).erase("certificateManagement");
  EXPECT_THAT(PrunedFields(definition),
              testing::IsSupersetOf({"spec.certificateManagement.caCert",
                                     "spec.certificateManagement.keyAlgorithm"}));
}

TEST(PrunedFieldsTest, WhatKeepsUnknownFieldsDropsNothing) {
  json::object definition = Definition();
  SpecProperties(definition)["certificateManagement"] =
      json::object{{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
  EXPECT_THAT(PrunedFields(definition), IsEmpty());
}

TEST(PrunedFieldsTest, OtherFormsAreNotJudged) {
  EXPECT_THAT(PrunedFields({}), IsEmpty());
  EXPECT_THAT(PrunedFields({{"spec", {{"versions", {1, "x", {{"name", "v1"}}}}}}}), IsEmpty());
}

using CrdCheckTest = kube::FakeApiServerTest;

ASYNC_TEST_F(CrdCheckTest, SaysWhatToDo) {
  json::object definition = Definition();
  SpecProperties(definition).erase("certificateManagement");
  server().Put(definition);
  EXPECT_THAT(co_await CheckInstallationCrd(client()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("kubectl apply --server-side --force-conflicts -f crds.yaml")));
}

ASYNC_TEST_F(CrdCheckTest, WhatCannotBeReadIsNoObstacle) {
  EXPECT_THAT(co_await CheckInstallationCrd(client()), base::IsOk());
  server().Inject({.method = "GET", .status = 403});
  EXPECT_THAT(co_await CheckInstallationCrd(client()), base::IsOk());
  server().Put(Definition());
  EXPECT_THAT(co_await CheckInstallationCrd(client()), base::IsOk());
}

}  // namespace
}  // namespace calico::installation
