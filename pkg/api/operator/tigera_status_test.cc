#include "pkg/api/operator/tigera_status.h"

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

constexpr std::string_view kStatus = R"({
    "apiVersion": "operator.tigera.io/v1", "kind": "TigeraStatus",
    "metadata": {"name": "calico", "resourceVersion": "8"}, "spec": {},
    "status": {"conditions": [
      {"type": "Available", "status": "False", "lastTransitionTime": "2026-11-22T19:42:02Z",
       "observedGeneration": 2},
      {"type": "Degraded", "status": "True", "reason": "PodFailure", "message": "m",
       "lastTransitionTime": "2026-11-22T19:42:02Z", "observedGeneration": 2}]}})";

TEST(TigeraStatusTest, SurvivesARoundTrip) {
  const absl::StatusOr<TigeraStatus> status = TigeraStatus::Decode(Parse(kStatus));
  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(status->meta.name, kTigeraStatusCalico);
  EXPECT_TRUE(FindCondition(status->conditions, kDegraded)->IsTrue());
  EXPECT_EQ(status->Encode(), Parse(kStatus));
}

TEST(TigeraStatusTest, ANewOneHasNoConditions) {
  const absl::StatusOr<TigeraStatus> status =
      TigeraStatus::Decode(Parse(R"({"metadata": {"name": "calico"}, "spec": {}})"));
  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(status->Encode(), Parse(R"({
      "apiVersion": "operator.tigera.io/v1", "kind": "TigeraStatus",
      "metadata": {"name": "calico"}, "spec": {}, "status": {"conditions": []}})"));
}

TEST(TigeraStatusTest, Problems) {
  EXPECT_THAT(TigeraStatus::Decode(Parse(R"({"metadata": {"name": "c"}, "status": {
                  "conditions": [{"type": "A", "lastTransitionTime": "now"}]}})")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "TigeraStatus.status.conditions[0].lastTransitionTime: "
                       "expected an RFC 3339 time"));
}

}  // namespace
}  // namespace calico::api
