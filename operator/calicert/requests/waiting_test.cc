#include "operator/calicert/requests/waiting.h"

#include <optional>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/cluster/testing/cluster_test.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"

namespace calico::calicert::requests {
namespace {

using ::calico::base::StatusIs;
using ::testing::HasSubstr;

using Csr = api::CertificateSigningRequest;
using kube::Fault;

TEST(JudgeTest, NeedsApprovalAndCertificateInAnyOrder) {
  struct Case {
    const char* conditions;
    const char* certificate;
    WaitEnd issued;
    WaitEnd approved;
  };
  const Case kCases[] = {{"", "", WaitEnd::kTimeout, WaitEnd::kTimeout},
                         {"", "x", WaitEnd::kTimeout, WaitEnd::kTimeout},
                         {"Approved", "", WaitEnd::kTimeout, WaitEnd::kReached},
                         {"Approved", "x", WaitEnd::kReached, WaitEnd::kReached},
                         {"Denied", "x", WaitEnd::kDenied, WaitEnd::kDenied},
                         {"Approved,Failed", "", WaitEnd::kFailed, WaitEnd::kFailed}};
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.conditions);
    const auto csr = Csr::Decode(StoredRequest("a", c.conditions, c.certificate));
    EXPECT_EQ(Judge(*csr, WaitFor::kIssued), c.issued);
    EXPECT_EQ(Judge(*csr, WaitFor::kApproved), c.approved);
  }
}

TEST(DescribeTest, TellsReasonAndNextStep) {
  Waited waited{WaitEnd::kDenied, *Csr::Decode(StoredRequest("a", "Denied"))};
  EXPECT_EQ(Describe(waited, "a", WaitFor::kIssued, absl::Minutes(1)),
            "certificate signing request \"a\" was denied (Because: it had to be)");
  waited = {WaitEnd::kTimeout, *Csr::Decode(StoredRequest("a", "Approved"))};
  EXPECT_THAT(Describe(waited, "a", WaitFor::kIssued, absl::Minutes(1)),
              HasSubstr("is approved, and nobody has signed it within 1m"));
}

class WaitTest : public ClusterTest {
 protected:
  // Puts the object a little later. `fault`: what the next look at it meets.
  aio::Task<void> Later(json::object object, std::optional<Fault> fault = std::nullopt) {
    (void)co_await aio::Sleep(absl::Milliseconds(30));
    if (fault.has_value()) {
      fault->path_contains = "/certificatesigningrequests/a";
      server().Inject(*std::move(fault));
    }
    server().Put(std::move(object));
  }
};

ASYNC_TEST_F(WaitTest, SeesWhatComesLater) {
  server().Put(StoredRequest("a", "Approved"));
  aio::TaskGroup group(executor());
  group.Spawn(Later(StoredRequest("a", "Approved", "certificate")));
  CO_ASSERT_OK_AND_ASSIGN(
      const Waited waited,
      co_await WaitInCluster(cluster(), "a", WaitFor::kIssued, absl::Seconds(20)));
  EXPECT_EQ(waited.end, WaitEnd::kReached);
  EXPECT_EQ(waited.csr.certificate_pem, "certificate");
  co_await group.Stop();
}

ASYNC_TEST_F(WaitTest, LooksAgainWhereItMayNotWatch) {
  server().Put(StoredRequest("a", "Approved"));
  server().Inject({.path_contains = "watch=true", .times = 100, .status = 403});
  aio::TaskGroup group(executor());
  group.Spawn(Later(StoredRequest("a", "Denied")));
  CO_ASSERT_OK_AND_ASSIGN(
      const Waited waited,
      co_await WaitInCluster(cluster(), "a", WaitFor::kIssued, absl::Seconds(20)));
  EXPECT_EQ(waited.end, WaitEnd::kDenied);
  co_await group.Stop();
}

ASYNC_TEST_F(WaitTest, OutlastsAnApiServerThatDoesNotAnswer) {
  server().Put(StoredRequest("a", "Approved"));
  cluster().timeout = absl::Milliseconds(200);  // of one look, with its retries
  server().Inject({.path_contains = "watch=true", .times = 100, .close = true});
  aio::TaskGroup group(executor());
  group.Spawn(
      Later(StoredRequest("a", "Approved", "certificate"), Fault{.delay = absl::Seconds(1)}));
  CO_ASSERT_OK_AND_ASSIGN(
      const Waited waited,
      co_await WaitInCluster(cluster(), "a", WaitFor::kIssued, absl::Seconds(20)));
  EXPECT_EQ(waited.end, WaitEnd::kReached);
  EXPECT_FALSE(cluster().is_patient) << "only while it waits";
  co_await group.Stop();
}

// Its first answers, before it has read its roles.
ASYNC_TEST_F(WaitTest, OutlastsRefusalsOfAnApiServerThatStarts) {
  server().Put(StoredRequest("a", "Approved"));
  server().Inject({.path_contains = "watch=true", .times = 100, .close = true});
  aio::TaskGroup group(executor());
  group.Spawn(Later(StoredRequest("a", "Approved", "certificate"), Fault{.status = 403}));
  CO_ASSERT_OK_AND_ASSIGN(
      const Waited waited,
      co_await WaitInCluster(cluster(), "a", WaitFor::kIssued, absl::Seconds(20)));
  EXPECT_EQ(waited.end, WaitEnd::kReached);
  co_await group.Stop();
}

ASYNC_TEST_F(WaitTest, ARefusalThatStaysIsAnError) {
  server().Put(StoredRequest("a", "Approved"));
  server().Inject({.path_contains = "watch=true", .times = 100, .status = 403});
  aio::TaskGroup group(executor());
  group.Spawn(Later(StoredRequest("a"), Fault{.times = 100, .status = 403}));
  const auto waited = co_await WaitInCluster(cluster(), "a", WaitFor::kIssued, absl::Seconds(20));
  EXPECT_THAT(waited.status(), StatusIs(absl::StatusCode::kPermissionDenied));
  co_await group.Stop();
}

ASYNC_TEST_F(WaitTest, EndsWhenTimeIsOver) {
  server().Put(StoredRequest("a"));
  CO_ASSERT_OK_AND_ASSIGN(
      const Waited waited,
      co_await WaitInCluster(cluster(), "a", WaitFor::kIssued, absl::Milliseconds(100)));
  EXPECT_EQ(waited.end, WaitEnd::kTimeout);
}

ASYNC_TEST_F(WaitTest, NeedsARequest) {
  const auto waited = co_await WaitInCluster(cluster(), "none", WaitFor::kIssued, absl::Seconds(5));
  EXPECT_THAT(waited.status(), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace calico::calicert::requests
