// Specs as users write them, completed and judged.
#ifndef CALICO_OPERATOR_VALIDATION_SPEC_RULES_TEST_CASES_H_
#define CALICO_OPERATOR_VALIDATION_SPEC_RULES_TEST_CASES_H_

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/defaults/complete_spec.h"
#include "operator/validation/spec_rules.h"
#include "pkg/codec/yaml.h"

namespace calico::validation {

inline json::object Yaml(std::string_view text) {
  absl::StatusOr<json::value> value = codec::ParseYaml(text);
  EXPECT_TRUE(value.ok()) << value.status() << "\n" << text;
  return value.ok() && value->is_object() ? value->as_object() : json::object();
}

inline std::vector<Problem> ProblemsOf(std::string_view yaml, std::string release = "v3.33",
                                       bool has_api_endpoint = false) {
  const json::object spec = defaults::CompleteSpec(Yaml(yaml), {.release = release});
  return CheckSpec(spec, {.release = release, .has_api_endpoint = has_api_endpoint});
}

inline std::string TextOf(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) text += problem.path + ": " + problem.text + "\n";
  return text;
}

struct BadSpec {
  const char* spec;
  const char* path;
  const char* text;  // part of it
  const char* release = "v3.33";
};

// Each has one problem.
template <size_t N>
void ExpectOneProblemEach(const BadSpec (&cases)[N]) {
  for (const BadSpec& c : cases) {
    SCOPED_TRACE(fmt::format("{} {}", c.release, c.spec));
    const std::vector<Problem> problems = ProblemsOf(c.spec, c.release);
    ASSERT_EQ(problems.size(), 1U) << TextOf(problems);
    EXPECT_EQ(problems[0].path, c.path);
    EXPECT_THAT(problems[0].text, testing::HasSubstr(c.text));
  }
}

struct GoodSpec {
  const char* spec;
  const char* release = "v3.33";
};

template <size_t N>
void ExpectNoProblem(const GoodSpec (&cases)[N]) {
  for (const GoodSpec& c : cases) {
    EXPECT_EQ(TextOf(ProblemsOf(c.spec, c.release)), "") << c.release << " " << c.spec;
  }
}

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_SPEC_RULES_TEST_CASES_H_
