#include "pkg/base/status_macros.h"

#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::base {
namespace {

absl::StatusOr<int> Twice(absl::StatusOr<int> input) {
  CALICO_ASSIGN_OR_RETURN(const int value, std::move(input));
  CALICO_RETURN_IF_ERROR(absl::OkStatus());
  return 2 * value;
}

TEST(StatusMacrosTest, AssignsOrReturns) {
  EXPECT_THAT(Twice(21), IsOkAndHolds(42));
  EXPECT_THAT(Twice(absl::NotFoundError("gone")), StatusIs(absl::StatusCode::kNotFound, "gone"));
}

TEST(AnnotateTest, KeepsCodeAndPayload) {
  absl::Status status = absl::UnavailableError("refused");
  status.SetPayload("a", absl::Cord("b"));
  const absl::Status annotated = Annotate(status, "get Pod ns/p");
  EXPECT_THAT(annotated, StatusIs(absl::StatusCode::kUnavailable, "get Pod ns/p: refused"));
  EXPECT_EQ(annotated.GetPayload("a"), absl::Cord("b"));
  EXPECT_THAT(Annotate(absl::OkStatus(), "x"), IsOk());
}

}  // namespace
}  // namespace calico::base
