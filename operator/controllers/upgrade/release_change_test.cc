#include "operator/controllers/upgrade/release_change.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/codec/yaml.h"

namespace calico::upgrade {
namespace {

using testing::AllOf;
using testing::HasSubstr;

json::object Workload(std::string_view container, std::string_view image) {
  return codec::ParseYaml(fmt::format("spec: {{template: {{spec: {{containers: [{{name: other, "
                                      "image: 'a:v9.9'}}, {{name: {}, image: '{}'}}]}}}}}}",
                                      container, image))
      ->as_object();
}

// Images: empty: there is no such workload.
InstalledRelease Installed(std::string_view version, std::string_view node,
                           std::string_view typha) {
  const json::object daemon_set = Workload("calico-node", node);
  const json::object deployment = Workload("calico-typha", typha);
  json::object status;
  if (!version.empty()) status["calicoVersion"] = version;
  return FindInstalledRelease(status, node.empty() ? nullptr : &daemon_set,
                              typha.empty() ? nullptr : &deployment);
}
InstalledRelease Installed(std::string_view version, std::string_view image) {
  return Installed(version, image, image);
}

TEST(ReleaseChangeTest, OneImageThatSomebodyHasChangedTellsNothing) {
  for (const auto& [node, typha] :
       {std::pair{"a/node:v9.9.9", "a/typha:v3.32.1"}, std::pair{"a/node:v3.32.1", "a/t:v9.9.9"},
        std::pair{"a/node:v9.9.9", ""}, std::pair{"", "a/typha:v9.9.9"},
        std::pair{"a/node:v9.9.9", "a/typha@sha256:aa"}}) {
    EXPECT_EQ(Installed("v3.32.1", node, typha).newest(), "v3.32.1") << node;
  }
  EXPECT_EQ(Installed("v3.32.1", "a/node:v3.33.1", "a/calico:v3.33.0").newest(), "v3.33.0");
}

TEST(ReleaseChangeTest, TheLaterOneOfStatusAndImageCounts) {
  struct Case {
    const char* version;
    const char* image;
    const char* want;
  };
  for (const Case& c : {
           Case{"", "", ""},
           Case{"v3.32.1", "", "v3.32.1"},
           Case{"", "quay.io/calico/node:v3.33.1", "v3.33.1"},
           Case{"v3.32.1", "r.example.com:5000/node:v3.33.1", "v3.33.1"},
           Case{"v3.33.1", "quay.io/calico/node:v3.32.1", "v3.33.1"},
           Case{"v3.32.1", "quay.io/calico/node@sha256:aa", "v3.32.1"},
           Case{"v3.32.1", "quay.io/calico/node:v3.33.1@sha256:aa", "v3.32.1"},
           Case{"", "r.example.com:5000/node", ""},
           Case{"", "quay.io/calico/node:latest", ""},
           Case{"master", "quay.io/calico/node:v3.32.1", "v3.32.1"},
           Case{"release-v3.33", "quay.io/calico/node:release-v3.33", ""},
           Case{"v3.27.5", "quay.io/calico/node:v3.27.5-fips", "v3.27.5"},
       }) {
    EXPECT_EQ(Installed(c.version, c.image).newest(), c.want) << c.version << " " << c.image;
  }
}

ReleaseChange Judge(InstalledRelease installed, std::string_view wanted) {
  return JudgeReleaseChange(
      {.installed = std::move(installed), .wanted = wanted, .definitions = absl::OkStatus()});
}

TEST(ReleaseChangeTest, AnOlderMinorReleaseIsRefusedWithWhatToDo) {
  EXPECT_THAT(Judge(Installed("v3.33.1", ""), "v3.32.1").refusal,
              AllOf(HasSubstr("Calico v3.33.1 is installed"), HasSubstr("older v3.32.1"),
                    HasSubstr("--release=v3.33 "), HasSubstr("--allow-downgrade")));
  EXPECT_NE(Judge(Installed("v3.33.0", ""), "v3.27.5").refusal, "");
  // An upgrade that was not complete has changed what runs all the same.
  EXPECT_NE(Judge(Installed("v3.32.1", "quay.io/calico/node:v3.33.1"), "v3.32.1").refusal, "");
}

TEST(ReleaseChangeTest, AnOlderReleaseIsInstalledWhenThatIsAskedFor) {
  const ReleaseChange change = JudgeReleaseChange({.installed = Installed("v3.33.1", ""),
                                                   .wanted = "v3.32.1",
                                                   .allows_downgrade = true,
                                                   .definitions = absl::OkStatus()});
  EXPECT_EQ(change.refusal + change.obstacle + change.wait, "");
  EXPECT_THAT(change.under_way, HasSubstr("from v3.33.1 to v3.32.1"));
}

TEST(ReleaseChangeTest, EverythingElseMayBeInstalled) {
  for (const auto& [version, wanted] :
       {std::pair{"", "v3.27.5"}, std::pair{"v3.27.5", "v3.33.1"}, std::pair{"v3.33.1", "v3.33.1"},
        std::pair{"v3.33.2", "v3.33.1"}, std::pair{"master", "v3.27.5"}}) {
    EXPECT_EQ(Judge(Installed(version, ""), wanted).refusal, "") << version;
  }
}

TEST(ReleaseChangeTest, AChangeIsToldUntilItIsComplete) {
  EXPECT_THAT(Judge(Installed("v3.32.1", "quay.io/calico/node:v3.33.1"), "v3.33.1").under_way,
              AllOf(HasSubstr("calico-operator "), HasSubstr("Calico from v3.32.1 to v3.33.1")));
  EXPECT_EQ(Judge(Installed("v3.33.1", "quay.io/calico/node:v3.33.1"), "v3.33.1").under_way, "");
  EXPECT_EQ(Judge(Installed("", ""), "v3.33.1").under_way, "");
  EXPECT_THAT(Judge(Installed("", "quay.io/calico/node:v3.27.5"), "v3.33.1").under_way,
              HasSubstr("from v3.27.5 to v3.33.1"));
  // The first installation, while its pods start.
  EXPECT_EQ(Judge(Installed("", "quay.io/calico/node:v3.33.1"), "v3.33.1").under_way, "");
}

TEST(ReleaseChangeTest, DefinitionsComeBeforeAnotherRelease) {
  ReleaseChangeFacts facts{.installed = Installed("v3.32.1", ""), .wanted = "v3.33.1"};
  EXPECT_THAT(JudgeReleaseChange(facts).wait, HasSubstr("Calico v3.33.1 come first"));
  facts.definitions = absl::PermissionDeniedError("cannot patch resource x");
  EXPECT_THAT(JudgeReleaseChange(facts).obstacle,
              AllOf(HasSubstr("cannot patch resource x"), HasSubstr("operator.yaml")));
  EXPECT_EQ(JudgeReleaseChange(facts).wait, "");
}

TEST(ReleaseChangeTest, WhatIsThereAlreadyWaitsForNoDefinitions) {
  for (const char* version : {"", "v3.33.1"}) {
    const ReleaseChange change =
        JudgeReleaseChange({.installed = Installed(version, ""), .wanted = "v3.33.1"});
    EXPECT_EQ(change.refusal + change.obstacle + change.wait, "") << version;
  }
}

}  // namespace
}  // namespace calico::upgrade
