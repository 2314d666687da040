// What is made in an empty cluster, beside what Tigera's operators of the same releases made.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calico_config/calico_config.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"

namespace calico::calico_config {
namespace {

constexpr std::string_view kFolder = "testdata/golden/calico_config";

std::vector<json::object> ReadDocuments(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  absl::StatusOr<std::vector<json::value>> documents = codec::ParseYamlDocuments(text);
  EXPECT_THAT(documents, base::IsOk());
  std::vector<json::object> objects;
  if (!documents.ok()) return objects;
  for (json::value& document : *documents) objects.push_back(std::move(document.as_object()));
  return objects;
}

// The reference's object without what the API server put in because the CustomResourceDefinition
// says so.
json::object Expected(json::object object) {
  object["spec"].as_object().erase("nftablesFlowTableOffload");
  return object;
}

TEST(CalicoConfigReferenceTest, MakesTheObjectsOfEveryCase) {
  int cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    SCOPED_TRACE(entry.path().filename().string());
    ++cases;
    const std::vector<json::object> documents = ReadDocuments(entry.path());
    ASSERT_FALSE(documents.empty());
    const json::object& input = documents.front();
    const std::vector<json::object> none;
    const Plan plan =
        MakePlan({.release = codec::TextAt(input, "release"),
                  .spec = *codec::FindObject(input, "spec"),
                  .has_ip_pools = true},
                 {.ip_pools = none, .felix_configurations = none, .bgp_configurations = none});
    EXPECT_TRUE(plan.pool_problems.empty());
    EXPECT_TRUE(plan.problems.empty());
    EXPECT_EQ(plan.pools, PoolState::kAskedFor);
    std::vector<json::object> made;
    for (const Write& write : plan.writes) {
      EXPECT_EQ(write.verb, Write::Verb::kCreate);
      made.push_back(write.object);
    }
    std::vector<json::object> expected;
    for (size_t i = 1; i < documents.size(); ++i) expected.push_back(Expected(documents[i]));
    EXPECT_THAT(made, ::testing::ElementsAreArray(expected));
  }
  EXPECT_GE(cases, 22);
}

}  // namespace
}  // namespace calico::calico_config
