#include "operator/controllers/definitions/crd_check.h"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crds/crds.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::definitions {
namespace {

using base::StatusIs;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

json::object Definition(std::string_view name = "installations.operator.tigera.io") {
  for (const base::EmbeddedFile& file : crds::Crds()) {
    json::object definition = codec::ParseYaml(file.content)->as_object();
    if (codec::TextAt(definition.at("metadata").as_object(), "name") == name) return definition;
  }
  ADD_FAILURE() << "no definition " << name;
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

TEST(MissingFieldsTest, TheTopmostPathIsNamed) {
  const json::object ours = Definition("apiservers.operator.tigera.io");
  EXPECT_THAT(MissingFields(ours, ours), IsEmpty());
  json::object definition = ours;
  SpecProperties(definition).erase("logging");
  json::object& deployment =
      SpecProperties(definition)["apiServerDeployment"].as_object()["properties"].as_object();
  deployment["spec"].as_object()["properties"].as_object().erase("minReadySeconds");
  EXPECT_THAT(MissingFields(ours, definition),
              testing::UnorderedElementsAre("spec.logging",
                                            "spec.apiServerDeployment.spec.minReadySeconds"));
  SpecProperties(definition)["apiServerDeployment"] =
      json::object{{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
  EXPECT_THAT(MissingFields(ours, definition), ElementsAre("spec.logging"));
  EXPECT_THAT(MissingFields(ours, {}), IsEmpty());
}

using CrdCheckTest = kube::FakeApiServerTest;

ASYNC_TEST_F(CrdCheckTest, WhatCannotBeReadIsAnError) {
  WholeDefinition whole;
  EXPECT_THAT(co_await ReadPrunedFields(client(), api::kInstallations, whole),
              base::IsOkAndHolds(IsEmpty()));
  server().Inject({.method = "GET", .status = 403});
  EXPECT_THAT(co_await ReadPrunedFields(client(), api::kInstallations, whole),
              StatusIs(absl::StatusCode::kPermissionDenied));
  server().Put(Definition());
  EXPECT_THAT(co_await ReadPrunedFields(client(), api::kInstallations, whole),
              base::IsOkAndHolds(IsEmpty()));
  json::object definition = Definition();
  SpecProperties(definition).erase("certificateManagement");
  server().Put(definition);
  const auto pruned = co_await ReadPrunedFields(client(), api::kInstallations, whole);
  CO_ASSERT_OK(pruned);
  EXPECT_THAT(
      PrunedMessage(api::kInstallations, *pruned),
      testing::AllOf(HasSubstr("kubectl apply --server-side --force-conflicts -f crds.yaml"),
                     HasSubstr("spec.certificateManagement.caCert")));
}

ASYNC_TEST_F(CrdCheckTest, AnUnchangedDefinitionIsNotReadAgainAndAChangedOneIs) {
  WholeDefinition whole;
  server().Put(Definition());
  EXPECT_THAT(co_await ReadPrunedFields(client(), api::kInstallations, whole),
              base::IsOkAndHolds(IsEmpty()));
  EXPECT_FALSE(whole.uid.empty());
  const WholeDefinition first = whole;
  const uint64_t before = client().bytes_received();
  EXPECT_THAT(co_await ReadPrunedFields(client(), api::kInstallations, whole),
              base::IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(whole, first);
  EXPECT_LT(client().bytes_received() - before, 2000);
  json::object definition = Definition();
  SpecProperties(definition).erase("certificateManagement");
  server().Put(definition);
  const auto pruned = co_await ReadPrunedFields(client(), api::kInstallations, whole);
  CO_ASSERT_OK(pruned);
  EXPECT_THAT(*pruned, testing::Contains("spec.certificateManagement.caCert"));
  EXPECT_TRUE(whole.uid.empty());
}

TEST(LostFieldsTest, WhatWasWrittenAndIsNotThereIsLost) {
  const std::vector<std::string> fields = {"spec.certificateManagement.keyAlgorithm"};
  const auto installation = [](std::string_view managed, std::string_view spec) {
    return codec::ParseYaml(fmt::format("{{metadata: {{{}}}, spec: {{{}}}}}", managed, spec))
        ->as_object();
  };
  constexpr std::string_view kManaged =
      "managedFields: [{fieldsV1: {'f:spec': {'f:certificateManagement': {'f:keyAlgorithm': "
      "{}}}}}]";
  constexpr std::string_view kApplied =
      "annotations: {kubectl.kubernetes.io/last-applied-configuration: '{\"spec\": "
      "{\"certificateManagement\": {\"keyAlgorithm\": \"x\"}}}'}";
  constexpr std::string_view kOthers =
      "managedFields: [{fieldsV1: {'f:spec': {'f:registry': {}}}}]";
  EXPECT_EQ(LostFields(installation("", ""), fields), std::nullopt);
  for (const std::string_view written : {kManaged, kApplied}) {
    EXPECT_EQ(LostFields(installation(written, ""), fields), fields);
    EXPECT_EQ(LostFields(installation(written, "certificateManagement: {keyAlgorithm: x}"), fields),
              std::vector<std::string>());
  }
  EXPECT_EQ(LostFields(installation(kOthers, ""), fields), std::vector<std::string>());
}

}  // namespace
}  // namespace calico::definitions
