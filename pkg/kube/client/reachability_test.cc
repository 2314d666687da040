#include "pkg/kube/client/reachability.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/testing/eventually.h"
#include "pkg/base/testing/fake_clock.h"
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

ASYNC_TEST_F(ReachabilityTest, AnOutageAfterAnAnswerIsTold) {
  CO_ASSERT_OK(co_await client().GetPath("/version"));
  EXPECT_EQ(Told(), 0);
  co_await server().Stop();
  (co_await client().GetPath("/version", absl::Milliseconds(300))).IgnoreError();
  EXPECT_EQ(Told(), 1);
  CO_ASSERT_OK(server().Start());
}

// Accepts connections, by the kernel alone, and never says a word.
class BlackHole {
 public:
  BlackHole() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    socklen_t size = sizeof(address);
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(socket_, plain, size), 0);
    EXPECT_EQ(listen(socket_, 64), 0);
    EXPECT_EQ(getsockname(socket_, plain, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~BlackHole() { close(socket_); }
  int port() const { return port_; }

 private:
  const int socket_;
  int port_ = 0;
};

ASYNC_TEST_F(ReachabilityTest, ManyAddressesThatAreSilentAreToldWithinFiveSeconds) {
  const BlackHole hole;
  RestConfig config = server().Config();
  config.origin = "https://kube.example.com:" + std::to_string(hole.port());
  Client silent(executor(), std::move(config), logger(),
                {.resolve = [](std::string) -> aio::Task<absl::StatusOr<std::vector<std::string>>> {
                  co_return std::vector<std::string>{"127.0.0.1", "127.0.0.2", "127.0.0.3",
                                                     "127.0.0.4", "127.0.0.5"};
                }});
  aio::TaskGroup group(executor());
  const absl::Time start = absl::Now();
  group.Spawn(Get(silent));
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Told() > 0; }, absl::Seconds(15)));
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
  EXPECT_THAT(log(), Contains(AllOf(HasSubstr("127.0.0.1"), HasSubstr("127.0.0.5"))));
  co_await group.Stop();
}

class ReachabilityLogTest : public testing::Test {
 protected:
  void Answer() { reachability_.Answered(); }
  void Fail() { reachability_.Failed(absl::UnauthenticatedError("TLS handshake: cut")); }

  base::FakeClock clock_;
  int warnings_ = 0;
  int infos_ = 0;
  base::Logger logger_{base::LogLevel::kInfo, [this](base::LogLevel level, std::string_view) {
                         ++(level == base::LogLevel::kInfo ? infos_ : warnings_);
                       }};
  Reachability reachability_{"https://h:6443", logger_, clock_};
};

TEST_F(ReachabilityLogTest, WhileAPartOfTheWayWorksThereIsOneWarning) {
  for (int i = 0; i < 100; ++i) {
    clock_.Advance(absl::Milliseconds(600));
    i % 2 == 0 ? Fail() : Answer();
  }
  EXPECT_EQ(warnings_, 1);
  EXPECT_EQ(infos_, 0);
  clock_.Advance(absl::Seconds(10));
  Answer();
  Answer();
  EXPECT_EQ(infos_, 1);
}

TEST_F(ReachabilityLogTest, TheFirstAnswerAfterAnOutageIsTold) {
  for (int i = 0; i < 12; ++i) {
    Fail();
    clock_.Advance(absl::Seconds(1));
  }
  Answer();
  EXPECT_EQ(warnings_, 1);
  EXPECT_EQ(infos_, 1);
}

TEST_F(ReachabilityLogTest, TheNextOutageIsToldOnceFiveMinutesAreOver) {
  Fail();
  clock_.Advance(absl::Minutes(1));
  Answer();
  Fail();
  EXPECT_EQ(warnings_, 1);
  clock_.Advance(absl::Minutes(4));
  Fail();
  EXPECT_EQ(warnings_, 2);
  clock_.Advance(absl::Hours(1));
  Fail();
  EXPECT_EQ(warnings_, 2) << "the same outage";
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
