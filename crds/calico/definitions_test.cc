// Calico's definitions keep what users have, and each release has its own.

#include "crds/calico/definitions.h"

#include <algorithm>
#include <map>
#include <set>

#include <absl/strings/str_split.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crds/calico/files.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"

namespace calico::crds {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kReleases[] = {"v3.27", "v3.32", "v3.33"};

std::map<std::string, json::object> DefinitionsOf(std::string_view release) {
  std::map<std::string, json::object> definitions;
  absl::StatusOr<std::vector<json::object>> read = CalicoDefinitions(release);
  EXPECT_THAT(read, base::IsOk());
  if (!read.ok()) return definitions;
  for (json::object& definition : *read) {
    const std::string name(codec::TextAt(definition.at("metadata").as_object(), "name"));
    EXPECT_TRUE(definitions.emplace(name, std::move(definition)).second) << name;
  }
  return definitions;
}

const json::object& VersionOf(const json::object& definition) {
  return definition.at("spec").at("versions").as_array().at(0).as_object();
}

const json::object& SchemaOf(const json::object& definition) {
  return VersionOf(definition).at("schema").at("openAPIV3Schema").as_object();
}

// The defaults of a schema by path.
void AddDefaults(const json::object& schema, const std::string& path,
                 std::map<std::string, std::string>& defaults) {
  if (const json::value* const value = schema.if_contains("default")) {
    defaults[path] = codec::Serialize(*value);
  }
  const json::object* const properties = codec::FindObject(schema, "properties");
  if (properties == nullptr) return;
  for (const auto& [name, property] : *properties) {
    AddDefaults(property.as_object(),
                fmt::format("{}.{}", path, std::string_view(name.data(), name.size())), defaults);
  }
}

TEST(CalicoDefinitionsTest, EachReleaseHasItsKinds) {
  EXPECT_EQ(DefinitionsOf("v3.27").size(), 18U);
  EXPECT_EQ(DefinitionsOf("v3.32").size(), 23U);
  EXPECT_EQ(DefinitionsOf("v3.33").size(), 23U);
  EXPECT_FALSE(DefinitionsOf("v3.27").contains("tiers.crd.projectcalico.org"));
  EXPECT_TRUE(DefinitionsOf("v3.32").contains("tiers.crd.projectcalico.org"));
  EXPECT_TRUE(DefinitionsOf("v3.33").contains("clusternetworkpolicies.policy.networking.k8s.io"));
}

TEST(CalicoDefinitionsTest, AReleaseThatIsNotListedHasThoseOfTheOneBefore) {
  EXPECT_EQ(DefinitionsOf("v3.31"), DefinitionsOf("v3.27"));
  EXPECT_EQ(DefinitionsOf("v3.99"), DefinitionsOf("v3.33"));
  EXPECT_EQ(DefinitionsOf("master"), DefinitionsOf("v3.33"));
}

TEST(CalicoDefinitionsTest, NamesAgreeAndTheApiServerTakesTheGroup) {
  for (const std::string_view release : kReleases) {
    for (const auto& [name, definition] : DefinitionsOf(release)) {
      SCOPED_TRACE(fmt::format("{} {}", release, name));
      const json::object& spec = definition.at("spec").as_object();
      const json::object& names = spec.at("names").as_object();
      EXPECT_EQ(name,
                fmt::format("{}.{}", codec::TextAt(names, "plural"), codec::TextAt(spec, "group")));
      EXPECT_EQ(codec::TextAt(names, "listKind"),
                fmt::format("{}List", codec::TextAt(names, "kind")));
      EXPECT_THAT(codec::TextAt(spec, "scope"), ::testing::AnyOf("Cluster", "Namespaced"));
      EXPECT_EQ(spec.at("versions").as_array().size(), 1U);
      EXPECT_EQ(VersionOf(definition).at("served"), true);
      EXPECT_EQ(VersionOf(definition).at("storage"), true);
      // Groups of Kubernetes itself are refused without it.
      const bool is_protected = codec::TextAt(spec, "group").ends_with(".k8s.io");
      EXPECT_EQ(definition.at("metadata").as_object().contains("annotations"), is_protected);
    }
  }
}

TEST(CalicoDefinitionsTest, NothingOfAnObjectIsDropped) {
  for (const std::string_view release : kReleases) {
    for (const auto& [name, definition] : DefinitionsOf(release)) {
      SCOPED_TRACE(fmt::format("{} {}", release, name));
      const json::object& schema = SchemaOf(definition);
      EXPECT_EQ(schema.at("x-kubernetes-preserve-unknown-fields"), true);
      for (const auto& [part, described] : schema.at("properties").as_object()) {
        if (part != "spec" && part != "status") continue;
        EXPECT_EQ(described.at("x-kubernetes-preserve-unknown-fields"), true);
      }
    }
  }
}

TEST(CalicoDefinitionsTest, DefaultsAreThoseOfTheRelease) {
  const auto defaults_of = [](std::string_view release, const std::string& name) {
    std::map<std::string, std::string> defaults;
    AddDefaults(SchemaOf(DefinitionsOf(release).at(name)), "", defaults);
    return defaults;
  };
  using Defaults = std::map<std::string, std::string>;
  const std::string kFelix = "felixconfigurations.crd.projectcalico.org";
  EXPECT_EQ(defaults_of("v3.27", kFelix), Defaults());
  EXPECT_EQ(defaults_of("v3.32", kFelix), (Defaults{{".spec.nftablesMode", "\"Auto\""}}));
  EXPECT_EQ(defaults_of("v3.33", kFelix),
            (Defaults{{".spec.nftablesFlowTableOffload", "\"Disabled\""},
                      {".spec.nftablesMode", "\"Auto\""}}));
  const std::string kPools = "ippools.crd.projectcalico.org";
  EXPECT_EQ(defaults_of("v3.27", kPools), Defaults());
  EXPECT_EQ(defaults_of("v3.33", kPools), (Defaults{{".spec.assignmentMode", "\"Automatic\""},
                                                    {".spec.nodeSelector", "\"all()\""}}));
  EXPECT_EQ(defaults_of("v3.27", "networkpolicies.crd.projectcalico.org"), Defaults());
  EXPECT_EQ(defaults_of("v3.32", "networkpolicies.crd.projectcalico.org"),
            (Defaults{{".spec.tier", "\"default\""}}));
  EXPECT_EQ(defaults_of("v3.32", "kubecontrollersconfigurations.crd.projectcalico.org"),
            (Defaults{{".spec.controllers.loadBalancer.assignIPs", "\"AllServices\""},
                      {".spec.controllers.policyMigration.enabled", "\"Enabled\""},
                      {".spec.healthChecks", "\"Enabled\""}}));
}

TEST(CalicoDefinitionsTest, StatusIsASubresourceWhereTheReleaseWritesItApart) {
  const auto is_apart = [](std::string_view release, std::string_view plural) {
    const json::object definition =
        DefinitionsOf(release).at(fmt::format("{}.crd.projectcalico.org", plural));
    return VersionOf(definition).contains("subresources");
  };
  EXPECT_FALSE(is_apart("v3.27", "caliconodestatuses"));
  EXPECT_FALSE(is_apart("v3.32", "caliconodestatuses"));
  EXPECT_TRUE(is_apart("v3.33", "caliconodestatuses"));
  EXPECT_FALSE(is_apart("v3.27", "kubecontrollersconfigurations"));
  EXPECT_TRUE(is_apart("v3.32", "kubecontrollersconfigurations"));
  EXPECT_TRUE(is_apart("v3.33", "ippools"));
  EXPECT_FALSE(is_apart("v3.32", "tiers"));
}

TEST(CalicoDefinitionsTest, EveryFileIsUsedAndWhatIsEqualIsThereOnce) {
  std::set<std::string> texts;
  std::set<std::string> used;
  for (const std::string_view release : kReleases) {
    const absl::StatusOr<std::string> manifests = CalicoManifests(release);
    ASSERT_THAT(manifests, base::IsOk());
    for (const absl::string_view text : absl::StrSplit(*manifests, "---\n")) {
      used.insert(std::string(text));
    }
  }
  for (const base::EmbeddedFile& file : CalicoFiles()) {
    SCOPED_TRACE(file.name);
    EXPECT_TRUE(texts.insert(std::string(file.content)).second);
    if (file.name != "releases.yaml") EXPECT_THAT(used, Contains(file.content));
  }
}

TEST(CalicoDefinitionsTest, ManifestsAreTheSameDefinitions) {
  const absl::StatusOr<std::vector<json::value>> documents =
      codec::ParseYamlDocuments(CalicoManifests("v3.33").value());
  ASSERT_THAT(documents, base::IsOk());
  EXPECT_EQ(documents->size(), 23U);
  EXPECT_EQ(documents->front().at("metadata").at("name"), "ippools.crd.projectcalico.org");
}

}  // namespace
}  // namespace calico::crds
