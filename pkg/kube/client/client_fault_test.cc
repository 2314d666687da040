// What the client does when the API server, or the way to it, fails.

#include <memory>
#include <string>
#include <vector>

#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/client/errors.h"
#include "pkg/kube/testing/async_test.h"
#include "pkg/kube/testing/selectors.h"

namespace calico::kube {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::HasSubstr;
using ::testing::Not;

json::object ConfigMap(std::string_view name) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", name}, {"namespace", "default"}}},
          {"data", {{"key", "1"}}}};
}

const api::ObjectKey kKey{"default", "a"};

class ClientFaultTest : public FakeApiServerTest {
 protected:
  aio::Task<void> GetInto(absl::Status* status, absl::Duration timeout) {
    *status = (co_await client().Get(api::kConfigMaps, kKey, timeout)).status();
  }
  aio::Task<void> CreateInto(absl::Status* status) {
    *status = (co_await client().Create(api::kConfigMaps, ConfigMap("new"))).status();
  }
  int Posts() { return server().Count("POST"); }
};

ASYNC_TEST_F(ClientFaultTest, TooManyRequestsIsRetriedAfterTheTimeGiven) {
  server().Inject({.method = "POST", .status = 429, .retry_after = 1});
  const absl::Time start = absl::Now();
  CO_ASSERT_OK(co_await client().Create(api::kConfigMaps, ConfigMap("a")));
  EXPECT_GE(absl::Now() - start, absl::Seconds(1));
  EXPECT_EQ(Posts(), 2);
}

ASYNC_TEST_F(ClientFaultTest, RetryAfterBeyondTheDeadlineIsReportedAtOnce) {
  server().Inject({.times = 9, .status = 429, .retry_after = 60});
  const absl::Time start = absl::Now();
  const auto result = co_await client().Get(api::kConfigMaps, kKey);
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(FindApiError(result.status())->retry_after, absl::Seconds(60));
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
}

ASYNC_TEST_F(ClientFaultTest, ServerErrorsAreRetriedForReads) {
  server().Put(ConfigMap("a"));
  server().Inject({.times = 2, .status = 500, .reason = "InternalError"});
  CO_ASSERT_OK(co_await client().Get(api::kConfigMaps, kKey));
  EXPECT_EQ(server().Count("GET"), 3);
}

ASYNC_TEST_F(ClientFaultTest, ServerErrorsAreNotRetriedForWrites) {
  server().Inject({.status = 500, .reason = "InternalError"});
  EXPECT_THAT(
      co_await client().Create(api::kConfigMaps, ConfigMap("a")),
      StatusIs(absl::StatusCode::kUnavailable, "create ConfigMap default/a: injected fault"));
  EXPECT_EQ(Posts(), 1);
  server().Inject({.status = 503});
  EXPECT_THAT(co_await client().Create(api::kConfigMaps, ConfigMap("a")), Not(IsOk()));
  EXPECT_EQ(Posts(), 2);
}

ASYNC_TEST_F(ClientFaultTest, OverloadIsRetriedForWrites) {
  server().Inject({.status = 503, .retry_after = 0});
  CO_ASSERT_OK(co_await client().Create(api::kConfigMaps, ConfigMap("a")));
  EXPECT_EQ(Posts(), 2);
}

ASYNC_TEST_F(ClientFaultTest, ResetConnectionsAreRetriedForReads) {
  server().Put(ConfigMap("a"));
  server().Inject({.times = 3, .close = true});
  CO_ASSERT_OK(co_await client().Get(api::kConfigMaps, kKey));
}

ASYNC_TEST_F(ClientFaultTest, WriteWithoutAnswerIsNotRepeated) {
  server().Inject({.act_then_close = true});
  EXPECT_THAT(co_await client().Create(api::kConfigMaps, ConfigMap("a")),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(Posts(), 1);
  EXPECT_TRUE(server().Find(api::kConfigMaps, kKey).has_value());
}

ASYNC_TEST_F(ClientFaultTest, WriteWithoutAnswerOnAKeptConnectionIsNotRepeated) {
  server().Put(ConfigMap("b"));
  CO_ASSERT_OK(co_await client().Get(api::kConfigMaps, {"default", "b"}));
  server().Inject({.act_then_close = true});
  EXPECT_THAT(co_await client().Create(api::kConfigMaps, ConfigMap("a")),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(Posts(), 1);
}

ASYNC_TEST_F(ClientFaultTest, ApplyAndBoundDeleteWithoutAnswerAreRepeated) {
  server().Inject({.act_then_close = true});
  CO_ASSERT_OK_AND_ASSIGN(const json::object object,
                          co_await client().Apply(api::kConfigMaps, ConfigMap("a")));
  EXPECT_EQ(server().Count("PATCH"), 2);

  // Over kept connections the first repetition is http::Client's.
  server().Inject({.times = 2, .act_then_close = true});
  const std::string uid(TextAt(object, {"metadata", "uid"}));
  EXPECT_THAT(co_await client().Delete(api::kConfigMaps, kKey, {.uid = uid}),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(server().Count("DELETE"), 3);
}

ASYNC_TEST_F(ClientFaultTest, ResponseCutInTheMiddleIsReadAgain) {
  server().Put(ConfigMap("a"));
  server().Inject({.cut_after = 20});
  CO_ASSERT_OK(co_await client().Get(api::kConfigMaps, kKey));
  EXPECT_EQ(server().Count("GET"), 2);
}

ASYNC_TEST_F(ClientFaultTest, SurvivesARestart) {
  server().Put(ConfigMap("a"));
  CO_ASSERT_OK(co_await client().Get(api::kConfigMaps, kKey));
  co_await server().Stop();
  absl::Status got = absl::UnknownError("");
  absl::Status created = absl::UnknownError("");
  aio::TaskGroup group(executor());
  group.Spawn(GetInto(&got, absl::Seconds(30)));
  group.Spawn(CreateInto(&created));
  CO_ASSERT_OK(co_await aio::Sleep(absl::Milliseconds(400)));
  EXPECT_EQ(group.running(), 2u);
  CO_ASSERT_OK(server().Start());
  co_await group.Join();
  EXPECT_THAT(got, IsOk());
  EXPECT_THAT(created, IsOk());
  EXPECT_EQ(Posts(), 1);
}

ASYNC_TEST_F(ClientFaultTest, RefusedUntilTheDeadlineIsUnavailableWithTheCause) {
  co_await server().Stop();
  const auto result = co_await client().Get(api::kConfigMaps, kKey, absl::Milliseconds(300));
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("refused")));
}

ASYNC_TEST_F(ClientFaultTest, SilentServerEndsAtTheDeadline) {
  server().Inject({.times = 9, .delay = absl::Seconds(30)});
  const absl::Time start = absl::Now();
  EXPECT_THAT(co_await client().Get(api::kConfigMaps, kKey, absl::Milliseconds(400)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
  EXPECT_THAT(co_await client().Create(api::kConfigMaps, ConfigMap("a"), absl::Milliseconds(200)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(Posts(), 1);
}

ASYNC_TEST_F(ClientFaultTest, OneSilentAttemptLeavesTimeForAnother) {
  server().Put(ConfigMap("a"));
  server().Inject({.delay = absl::Seconds(30)});
  CO_ASSERT_OK(co_await client().Get(api::kConfigMaps, kKey, absl::Seconds(2)));
}

ASYNC_TEST_F(ClientFaultTest, CancelledCallEndsAtOnce) {
  server().Inject({.times = 9, .status = 429, .retry_after = 20});
  absl::Status status;
  aio::TaskGroup group(executor());
  group.Spawn(GetInto(&status, absl::Seconds(60)));
  for (int i = 0; i < 500 && server().requests().empty(); ++i) {
    CO_ASSERT_OK(co_await aio::Sleep(absl::Milliseconds(10)));
  }
  co_await group.Stop();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
}

ASYNC_TEST_F(ClientFaultTest, ProxyPagesAreQuotedOnOneLine) {
  server().Inject({.times = 9, .status = 404, .raw_body = "<html>\n<b>no such\tpage</b>\n"});
  EXPECT_THAT(co_await client().Get(api::kConfigMaps, kKey),
              StatusIs(absl::StatusCode::kNotFound,
                       "get ConfigMap default/a: the server answered 404: <html> <b>no such "
                       "page</b>"));
}

ASYNC_TEST_F(ClientFaultTest, OversizedAndDeepObjectsAreRefused) {
  server().Put({{"apiVersion", "v1"},
                {"kind", "ConfigMap"},
                {"metadata", {{"name", "a"}, {"namespace", "default"}}},
                {"data", {{"key", std::string(20'000, 'x')}}}});
  Client small(executor(), server().Config(), logger(), {.max_object_bytes = 10'000});
  EXPECT_THAT(co_await small.Get(api::kConfigMaps, kKey),
              StatusIs(absl::StatusCode::kResourceExhausted));
  server().Inject(
      {.raw_body = R"({"a":)" + std::string(5'000, '[') + std::string(5'000, ']') + "}"});
  EXPECT_THAT(co_await client().Get(api::kConfigMaps, kKey),
              StatusIs(absl::StatusCode::kResourceExhausted));
  server().Inject({.raw_body = "[]"});
  EXPECT_THAT(co_await client().Get(api::kConfigMaps, kKey), StatusIs(absl::StatusCode::kDataLoss));
}

// Hands out tokens one after another; the next one after Invalidate.
class ChangingToken final : public Credentials {
 public:
  explicit ChangingToken(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {}
  absl::StatusOr<net::TlsOptions> Tls() override { return net::TlsOptions(); }
  absl::StatusOr<base::SharedSecret> Authorization() override {
    return base::SharedSecret(base::JoinSecrets({"Bearer ", tokens_[at_]}));
  }
  bool Invalidate() override {
    ++invalidated_;
    if (at_ + 1 >= tokens_.size()) return false;
    ++at_;
    return true;
  }
  int invalidated() const { return invalidated_; }

 private:
  const std::vector<std::string> tokens_;
  size_t at_ = 0;
  int invalidated_ = 0;
};

ASYNC_TEST_F(ClientFaultTest, RefusedTokenIsRenewedOnce) {
  server().Put(ConfigMap("a"));
  const std::string good = server().AddToken({.username = "jane"});
  RestConfig config = server().Config();
  const auto credentials = std::make_shared<ChangingToken>(std::vector<std::string>{"old", good});
  config.credentials = credentials;
  Client jane(executor(), config, logger());
  CO_ASSERT_OK(co_await jane.Get(api::kConfigMaps, kKey));
  EXPECT_EQ(server().requests().back().username, "jane");
  EXPECT_EQ(credentials->invalidated(), 1);

  server().RevokeToken(good);
  EXPECT_THAT(
      co_await jane.Create(api::kConfigMaps, ConfigMap("b")),
      StatusIs(absl::StatusCode::kUnauthenticated, "create ConfigMap default/b: Unauthorized"));
  EXPECT_EQ(credentials->invalidated(), 2);
  EXPECT_EQ(Posts(), 1);
}

ASYNC_TEST_F(ClientFaultTest, WatchRenewsARefusedToken) {
  RestConfig config = server().Config();
  const std::string good = server().AddToken({.username = "jane"});
  config.credentials = std::make_shared<ChangingToken>(std::vector<std::string>{"old", good});
  Client jane(executor(), config, logger());
  server().Put(ConfigMap("a"));
  const absl::Status status = co_await jane.Watch(
      api::kConfigMaps, {}, [](WatchEvent) { return absl::AbortedError("got one"); });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kAborted));
}

aio::Task<absl::StatusOr<std::vector<std::string>>> TwoAddresses(std::string) {
  co_return std::vector<std::string>{"127.0.0.2", "127.0.0.1"};
}

ASYNC_TEST_F(ClientFaultTest, CarriesOnWhenOneOfTwoServersIsDown) {
  FakeApiServer other(executor(), {.address = "127.0.0.2", .port = server().port()});
  server().Put(ConfigMap("a"));
  other.Put(ConfigMap("a"));
  CO_ASSERT_OK(other.Start());
  RestConfig config = server().Config();
  config.origin = "http://api.example.com:" + std::to_string(server().port());
  Client both(executor(), config, logger(), {.resolve = TwoAddresses});
  CO_ASSERT_OK(co_await both.Get(api::kConfigMaps, kKey));
  EXPECT_EQ(other.Count("GET"), 1);

  co_await other.Stop();
  CO_ASSERT_OK(co_await both.Get(api::kConfigMaps, kKey));
  CO_ASSERT_OK(co_await both.Create(api::kConfigMaps, ConfigMap("b")));
  EXPECT_EQ(server().Count("POST"), 1);

  CO_ASSERT_OK(other.Start());
  co_await server().Stop();
  CO_ASSERT_OK(co_await both.Get(api::kConfigMaps, kKey));
  EXPECT_EQ(other.Count("GET"), 2);
  co_await other.Stop();
}

ASYNC_TEST_F(ClientFaultTest, ConnectionsAreKept) {
  server().Put(ConfigMap("a"));
  for (int i = 0; i < 5; ++i) CO_ASSERT_OK(co_await client().Get(api::kConfigMaps, kKey));
  EXPECT_GT(client().bytes_received(), 0u);
  EXPECT_EQ(server().connections(), 1);
}

}  // namespace
}  // namespace calico::kube
