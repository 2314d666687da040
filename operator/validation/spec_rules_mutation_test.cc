// Good Installations with something wrong at some place, by a fixed seed: whatever it is, the spec
// is completed once and for all, and every problem has a path and a text of bounded length.

#include <fstream>
#include <random>
#include <sstream>

#include "operator/defaults/conflicts.h"
#include "operator/defaults/overlay.h"
#include "operator/validation/spec_rules_test_cases.h"

namespace calico::validation {
namespace {

constexpr int kRounds = 1500;

const std::vector<json::value>& OddValues() {
  static const std::vector<json::value> values = {
      nullptr,
      true,
      0,
      -1,
      99999,
      4294967296,
      18446744073709551615U,
      1.5,
      "",
      "Enabled",
      "Disabled",
      "None",
      "x",
      "10.0.0.0",
      "10.0.0.1/8",
      "fd00::/64",
      "::/0",
      "0.0.0.0/0",
      "169.254.1.0/24",
      "all()",
      "Mi",
      "1e400",
      "-5%",
      "150%",
      "/",
      "../x",
      "a b",
      std::string(70, 'a').c_str(),
      std::string(5000, '\n').c_str(),
      json::array(),
      json::object(),
      json::array{json::object(), nullptr, 5},
      json::object{{"name", "x"}},
      json::object{{"", json::array{json::array()}}},
  };
  return values;
}

// Every value inside of `root`, itself excepted.
void Collect(json::value& root, std::vector<json::value*>& values) {
  if (json::object* const object = root.if_object()) {
    for (json::key_value_pair& member : *object) {
      values.push_back(&member.value());
      Collect(member.value(), values);
    }
  } else if (json::array* const array = root.if_array()) {
    for (json::value& item : *array) {
      values.push_back(&item);
      Collect(item, values);
    }
  }
}

std::vector<json::object> GoodSpecs(const std::string& release) {
  std::ifstream stream(fmt::format("testdata/golden/defaults/{}.yaml", release));
  std::stringstream text;
  text << stream.rdbuf();
  absl::StatusOr<std::vector<json::value>> cases = codec::ParseYamlDocuments(text.str());
  EXPECT_TRUE(cases.ok()) << cases.status();
  std::vector<json::object> specs;
  for (json::value& c : *cases) {
    specs.push_back(c.at("given").as_object());
    specs.push_back(c.at("completed").as_object());
  }
  return specs;
}

TEST(SpecRulesMutationTest, WhateverIsWrongIsToldAndNothingElseHappens) {
  std::mt19937 random(20'250'101);
  int told = 0;
  for (const std::string release : {"v3.33", "v3.32", "v3.27"}) {
    const std::vector<json::object> good = GoodSpecs(release);
    for (int round = 0; round < kRounds; ++round) {
      json::value spec(good[random() % good.size()]);
      for (size_t changes = 1 + random() % 3; changes > 0; --changes) {
        std::vector<json::value*> places;
        Collect(spec, places);
        if (places.empty()) break;
        *places[random() % places.size()] = OddValues()[random() % OddValues().size()];
      }
      SCOPED_TRACE(codec::Serialize(spec).substr(0, 1500));
      const defaults::ClusterFacts facts = {.release = release,
                                            .kubeadm_pod_subnet = "10.0.0.0/8,fd00::/8"};
      const json::object completed = defaults::CompleteSpec(spec.as_object(), facts);
      ASSERT_EQ(defaults::CompleteSpec(completed, facts), completed);
      ASSERT_EQ(defaults::MergeOverlay(completed, completed), completed);
      for (const defaults::Conflict& c : defaults::ConflictsWithCluster(spec.as_object(), facts)) {
        ASSERT_LT(c.path.size() + c.text.size(), 1000U);
      }
      const std::vector<Problem> problems = CheckSpec(completed, {.release = release});
      told += problems.empty() ? 0 : 1;
      for (const Problem& problem : problems) {
        ASSERT_TRUE(problem.path.starts_with("spec.")) << problem.path;
        ASSERT_FALSE(problem.text.empty());
        ASSERT_LT(problem.path.size() + problem.text.size(), 2000U) << TextOf(problems);
        ASSERT_EQ((problem.path + problem.text).find('\n'), std::string::npos);
      }
    }
  }
  // Most of them are wrong: the rules look at what they should.
  EXPECT_GT(told, kRounds);
}

}  // namespace
}  // namespace calico::validation
