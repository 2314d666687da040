#include "operator/calicert/cfssl/name_pattern.h"

#include <stdexcept>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::calicert::cfssl {
namespace {

using ::calico::base::StatusIs;

NamePattern Compiled(const std::string& pattern) {
  absl::StatusOr<NamePattern> compiled = NamePattern::Compile(pattern);
  if (!compiled.ok()) throw std::runtime_error(compiled.status().ToString());
  return *std::move(compiled);
}

TEST(NamePatternTest, IsFoundAnywhereUnlessAnchored) {
  const NamePattern loose = Compiled("exam.le");
  EXPECT_TRUE(loose.Matches("an.example.com"));
  EXPECT_FALSE(loose.Matches("other"));
  const NamePattern anchored = Compiled("^exam.le$");
  EXPECT_FALSE(anchored.Matches("an.example.com"));
}

TEST(NamePatternTest, AnUnfinishedPatternIsRefusedWithItsFault) {
  EXPECT_THAT(NamePattern::Compile("(").status(),
              StatusIs(absl::StatusCode::kInvalidArgument, testing::HasSubstr("missing )")));
}

// A backtracking engine would not end within the life of this machine.
TEST(NamePatternTest, APatternOfNestedRepetitionsTakesLinearTime) {
  const NamePattern pattern = Compiled("^(a+)+$");
  EXPECT_FALSE(pattern.Matches(std::string(100'000, 'a') + "b"));
}

}  // namespace
}  // namespace calico::calicert::cfssl
