#include "operator/calicert/requests/approval.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/cluster/testing/cluster_test.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"

namespace calico::calicert::requests {
namespace {

using ::calico::base::IsOkAndHolds;
using ::calico::base::StatusIs;
using ::testing::HasSubstr;

using Csr = api::CertificateSigningRequest;
const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

TEST(AddRulingTest, WritesWhatIsAsked) {
  json::object csr = StoredRequest("a");
  EXPECT_THAT(AddRuling({.reason = "Seen", .message = "in person"}, kNow, csr), IsOkAndHolds(true));
  const Csr decoded = Csr::Decode(csr).value();
  ASSERT_NE(decoded.Approved(), nullptr);
  EXPECT_EQ(decoded.Approved()->reason, "Seen");
  EXPECT_EQ(decoded.Approved()->message, "in person");
  EXPECT_EQ(decoded.Approved()->last_update_time, kNow);
}

TEST(AddRulingTest, HasWordsOfItsOwn) {
  json::object csr = StoredRequest("a");
  EXPECT_THAT(AddRuling({.verdict = Verdict::kDeny}, kNow, csr), IsOkAndHolds(true));
  const Csr decoded = Csr::Decode(csr).value();
  EXPECT_EQ(decoded.Denied()->reason, "CalicertDeny");
  EXPECT_EQ(decoded.Denied()->message, "This CSR was denied by calicert csr deny.");
}

TEST(AddRulingTest, LeavesAloneWhatStandsThere) {
  json::object csr = StoredRequest("a", "Approved");
  EXPECT_THAT(AddRuling({.reason = "New"}, kNow, csr), IsOkAndHolds(false));
  EXPECT_EQ(Csr::Decode(csr)->Approved()->reason, "Because");
  EXPECT_THAT(AddRuling({.reason = "New", .force = true}, kNow, csr), IsOkAndHolds(true));
  EXPECT_EQ(Csr::Decode(csr)->Approved()->reason, "New");
  EXPECT_EQ(Csr::Decode(csr)->conditions.size(), 1u);
}

TEST(AddRulingTest, NeverContradicts) {
  json::object csr = StoredRequest("a", "Denied");
  EXPECT_THAT(AddRuling({.force = true}, kNow, csr),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("certificate signing request \"a\" is already Denied")));
}

TEST(AddRulingTest, AnotherObjectOfTheNameIsNotTheOneThatWasMade) {
  json::object csr = StoredRequest("a");
  csr["metadata"].get_object()["uid"] = "2";
  EXPECT_THAT(AddRuling({.uid = "1"}, kNow, csr), StatusIs(absl::StatusCode::kFailedPrecondition,
                                                           HasSubstr("was replaced by another")));
  EXPECT_FALSE(Csr::Decode(csr)->IsApproved());
  EXPECT_THAT(AddRuling({.uid = "2"}, kNow, csr), IsOkAndHolds(true));
}

using RuleTest = ClusterTest;

ASYNC_TEST_F(RuleTest, KeepsOtherConditionsAndUsesTheApprovalEndpoint) {
  json::object csr = StoredRequest("a:b", "Custom");
  server().Put(std::move(csr));
  CO_ASSERT_OK(co_await Rule(cluster(), "a:b", {}));
  const auto stored = Csr::Decode(*server().Find(api::kCertificateSigningRequests, {"", "a:b"}));
  CO_ASSERT_OK(stored.status());
  EXPECT_EQ(stored->conditions.size(), 2u);
  EXPECT_TRUE(stored->IsApproved());
  EXPECT_EQ(server().Count("PUT", "/a:b/approval"), 1);
}

ASYNC_TEST_F(RuleTest, TellsWhatIsNotThere) {
  const auto ruled = co_await Rule(cluster(), "none", {});
  EXPECT_EQ(ruled.status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace calico::calicert::requests
