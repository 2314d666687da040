// EXPECT_THAT(status, IsOk()), IsOkAndHolds(m), StatusIs(code), StatusIs(code, message_matcher).
#ifndef CALICO_PKG_BASE_TESTING_STATUS_MATCHERS_H_
#define CALICO_PKG_BASE_TESTING_STATUS_MATCHERS_H_

#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calico::base {
namespace base_internal {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <class T>
const absl::Status& StatusOf(const absl::StatusOr<T>& status_or) {
  return status_or.status();
}

}  // namespace base_internal

MATCHER(IsOk, negation ? "is not OK" : "is OK") {
  *result_listener << base_internal::StatusOf(arg).ToString();
  return base_internal::StatusOf(arg).ok();
}

MATCHER_P(IsOkAndHolds, matcher, "is OK and holds a matching value") {
  if (!arg.ok()) {
    *result_listener << arg.status().ToString();
    return false;
  }
  return testing::ExplainMatchResult(matcher, *arg, result_listener);
}

MATCHER_P2(StatusIs, code, message_matcher, "has the code and a matching message") {
  const absl::Status& status = base_internal::StatusOf(arg);
  *result_listener << status.ToString();
  return status.code() == code &&
         testing::ExplainMatchResult(message_matcher, std::string(status.message()),
                                     result_listener);
}

inline auto StatusIs(absl::StatusCode code) { return StatusIs(code, testing::_); }

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_TESTING_STATUS_MATCHERS_H_
