#include "pkg/kube/client/reachability.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/testing/eventually.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::kube {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

TEST(NextStepTest, FollowsFromTheCause) {
  const struct {
    absl::Status error;
    const char* want;
  } kCases[] = {
      {absl::UnavailableError("h:6443: connect 10.0.0.1:6443: connect: connection refused"),
       "kube-apiserver runs there"},
      {absl::UnavailableError("h:6443: connect 10.0.0.1:6443: timed out after 4s"), "firewalls"},
      {absl::UnavailableError("h:6443: look up h: no answer within 4s: timed out"), "name servers"},
      {absl::UnavailableError("h:6443: look up h: Name or service not known"), "name servers"},
      {absl::UnauthenticatedError("h:6443: connect 10.0.0.1:6443: TLS handshake: certificate \"x\" "
                                  "signed by unknown authority \"ca\""),
       "the CA in the kubeconfig"},
      {absl::UnauthenticatedError("TLS handshake: name mismatch: certificate is for a, not for b"),
       "tls-server-name"},
      {absl::UnauthenticatedError("exec: executable aws not found"), "by hand"},
      {absl::UnavailableError("h:6443: connect 10.0.0.2:3128: proxy: CONNECT h:6443: status 502"),
       "proxy-url"},
      {absl::UnknownError("?"), "check that kube-apiserver runs"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(std::string(NextStep(c.error)), HasSubstr(c.want)) << c.error;
  }
}

class ReachabilityTest : public FakeApiServerTest {
 public:
  int Told() const {
    int count = 0;
    for (const std::string& line : log()) {
      count += line.find("the API server cannot be reached") != std::string::npos;
    }
    return count;
  }
  aio::Task<void> Get(Client& by) { (co_await by.GetPath("/version")).IgnoreError(); }
};

ASYNC_TEST_F(ReachabilityTest, TheFirstFailedAttemptIsToldOnceWithUrlCauseAndNextStep) {
  co_await server().Stop();
  const auto lease = client().WithOwnConnections(1);
  aio::TaskGroup group(executor());
  group.Spawn(Get(client()));
  group.Spawn(Get(*lease));
  // Long before the call gives up.
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Told() > 0; }, absl::Seconds(2)));
  EXPECT_THAT(log(), Contains(AllOf(HasSubstr(server().origin()), HasSubstr("connection refused"),
                                    HasSubstr("next_step"))));
  CO_ASSERT_OK(server().Start());
  co_await group.Join();
  EXPECT_EQ(Told(), 1);
  EXPECT_THAT(log(), Contains(HasSubstr("the API server answers")));
  co_await group.Stop();
}

ASYNC_TEST_F(ReachabilityTest, ANameServerThatIsSilentIsToldWithinFiveSeconds) {
  RestConfig config = server().Config();
  config.origin = "http://kube.example.com:6443";
  Client unknown(
      executor(), std::move(config), logger(),
      {.resolve = [](std::string) -> aio::Task<absl::StatusOr<std::vector<std::string>>> {
        co_return co_await aio::Sleep(absl::InfiniteDuration());
      }});
  aio::TaskGroup group(executor());
  const absl::Time start = absl::Now();
  group.Spawn(Get(unknown));
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Told() > 0; }, absl::Seconds(10)));
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
  EXPECT_THAT(log(), Contains(AllOf(HasSubstr("look up kube.example.com: no answer within"),
                                    HasSubstr("name servers"))));
  co_await group.Stop();
}

ASYNC_TEST_F(ReachabilityTest, EachOutageIsTold) {
  CO_ASSERT_OK(co_await client().GetPath("/version"));
  EXPECT_EQ(Told(), 0);
  for (int outage = 1; outage <= 2; ++outage) {
    co_await server().Stop();
    (co_await client().GetPath("/version", absl::Milliseconds(300))).IgnoreError();
    EXPECT_EQ(Told(), outage);
    CO_ASSERT_OK(server().Start());
    CO_ASSERT_OK(co_await client().GetPath("/version"));
  }
}

ASYNC_TEST_F(ReachabilityTest, SlowAnswersOfAServerThatAnswersAreNoOutage) {
  CO_ASSERT_OK(co_await client().GetPath("/version"));
  server().Inject({.times = 10, .delay = absl::Seconds(60)});
  EXPECT_THAT(co_await client().GetPath("/version", absl::Milliseconds(100)),
              base::StatusIs(absl::StatusCode::kDeadlineExceeded));
  server().ClearFaults();
  server().Inject({.close = true});
  CO_ASSERT_OK(co_await client().GetPath("/version"));
  EXPECT_EQ(Told(), 0);
}

}  // namespace
}  // namespace calico::kube
