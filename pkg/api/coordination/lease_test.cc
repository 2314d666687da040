#include "pkg/api/coordination/lease.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"

namespace calico::api {
namespace {

using base::IsOk;
using base::StatusIs;

json::object Parse(std::string_view text) { return codec::ParseJsonObject(text).value(); }

constexpr std::string_view kHeld = R"({
    "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
    "metadata": {"name": "operator-lock", "namespace": "calico-operator", "uid": "u",
                 "resourceVersion": "5", "annotations": {"a": "b"}},
    "spec": {"holderIdentity": "me", "leaseTransitions": 2, "leaseDurationSeconds": 15,
             "acquireTime": "2026-11-22T19:42:02.000001Z",
             "renewTime": "2026-11-22T19:42:04.500000Z"}})";

TEST(LeaseTest, SurvivesARoundTrip) {
  const absl::StatusOr<Lease> lease = Lease::Decode(Parse(kHeld));
  ASSERT_THAT(lease, IsOk());
  EXPECT_EQ(lease->holder_identity, "me");
  EXPECT_EQ(lease->lease_duration_seconds, 15);
  EXPECT_EQ(lease->lease_transitions, 2);
  EXPECT_EQ(*lease->renew_time - *lease->acquire_time,
            absl::Milliseconds(2500) - absl::Microseconds(1));
  EXPECT_EQ(lease->Encode(), Parse(kHeld));
}

TEST(LeaseTest, GivenUpAndNew) {
  const absl::StatusOr<Lease> lease =
      Lease::Decode(Parse(R"({"metadata": {"name": "l", "namespace": "n"}, "spec": {}})"));
  ASSERT_THAT(lease, IsOk());
  EXPECT_EQ(lease->holder_identity, "");
  EXPECT_EQ(lease->renew_time, std::nullopt);
  EXPECT_EQ(lease->Encode(), Parse(R"({
      "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
      "metadata": {"name": "l", "namespace": "n"},
      "spec": {"holderIdentity": "", "leaseTransitions": 0}})"));
}

TEST(LeaseTest, Problems) {
  EXPECT_THAT(Lease::Decode(Parse(
                  R"({"metadata": {"name": "l"}, "spec": {"renewTime": "soon",
                      "leaseDurationSeconds": 1.5}})")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "Lease.spec.leaseDurationSeconds: expected a 64-bit integer; "
                       "Lease.spec.renewTime: expected an RFC 3339 time"));
}

}  // namespace
}  // namespace calico::api
