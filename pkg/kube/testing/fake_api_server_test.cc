// What FakeApiServer adds to ApiState: HTTP, tokens, faults, records. The rest of it is tested by
// the client's tests, and ApiState by its own.

#include "pkg/kube/testing/fake_api_server.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/http/client.h"
#include "pkg/kube/testing/async_test.h"
#include "pkg/kube/testing/selectors.h"

namespace calico::kube {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class FakeServerTest : public FakeApiServerTest {
 protected:
  aio::Task<absl::StatusOr<http::Response>> Send(http::Request request) {
    http::Client client(executor(), {.origin = server().origin()});
    co_return co_await client.Do(std::move(request), absl::Seconds(5));
  }
};

ASYNC_TEST_F(FakeServerTest, TokensAreIdentities) {
  const std::string token = server().AddToken({.username = "jane", .groups = {"dev"}});
  CO_ASSERT_OK(
      co_await Send({.target = "/version", .headers = {{"Authorization", "Bearer " + token}}}));
  EXPECT_EQ(server().requests().back().username, "jane");
  CO_ASSERT_OK(co_await Send({.target = "/version"}));
  EXPECT_EQ(server().requests().back().username, "kubernetes-admin");
  for (const char* value : {"Bearer nonsense", "Basic YTpi", "Bearer "}) {
    CO_ASSERT_OK_AND_ASSIGN(
        const http::Response response,
        co_await Send({.target = "/version", .headers = {{"Authorization", value}}}));
    EXPECT_EQ(response.status, 401) << value;
  }
  server().RevokeToken(token);
  CO_ASSERT_OK_AND_ASSIGN(
      const http::Response revoked,
      co_await Send({.target = "/version", .headers = {{"Authorization", "Bearer " + token}}}));
  EXPECT_EQ(revoked.status, 401);
}

ASYNC_TEST_F(FakeServerTest, TokenCanBeRequired) {
  FakeApiServer locked(executor(), {.require_token = true});
  CO_ASSERT_OK(locked.Start());
  http::Client client(executor(), {.origin = locked.origin()});
  CO_ASSERT_OK_AND_ASSIGN(const http::Response response,
                          co_await client.Do({.target = "/version"}, absl::Seconds(5)));
  EXPECT_EQ(response.status, 401);
  co_await locked.Stop();
}

ASYNC_TEST_F(FakeServerTest, FaultsMatchAndAreUsedUp) {
  server().Inject({.method = "POST", .status = 500});
  server().Inject({.path_contains = "labelSelector=a", .times = 2, .status = 503});
  EXPECT_EQ(server().pending_faults(), 3);
  const char* list = "/api/v1/pods";
  const char* selected = "/api/v1/pods?labelSelector=a";
  const struct {
    const char* target;
    int want;
  } kCases[] = {{list, 200}, {selected, 503}, {list, 200}, {selected, 503}, {selected, 200}};
  for (const auto& c : kCases) {
    CO_ASSERT_OK_AND_ASSIGN(const http::Response response, co_await Send({.target = c.target}));
    EXPECT_EQ(response.status, c.want);
  }
  EXPECT_EQ(server().pending_faults(), 1);
  server().ClearFaults();
  EXPECT_EQ(server().pending_faults(), 0);
}

ASYNC_TEST_F(FakeServerTest, FaultsOfConnections) {
  server().Inject({.close = true});
  EXPECT_THAT(co_await Send({.target = "/version"}), StatusIs(absl::StatusCode::kUnavailable));
  server().Inject({.cut_after = 5});
  EXPECT_THAT(co_await Send({.target = "/version"}), StatusIs(absl::StatusCode::kUnavailable));
  server().Inject({.status = 429, .reason = "TooManyRequests", .retry_after = 7});
  CO_ASSERT_OK_AND_ASSIGN(const http::Response busy, co_await Send({.target = "/version"}));
  EXPECT_EQ(http::FindHeader(busy.headers, "Retry-After"), "7");
  EXPECT_THAT(busy.body, HasSubstr("\"reason\":\"TooManyRequests\""));
}

ASYNC_TEST_F(FakeServerTest, StopRefusesAndStartComesBackWithTheSameObjects) {
  server().Put({{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", {{"name", "n"}}}});
  const uint16_t port = server().port();
  co_await server().Stop();
  EXPECT_THAT(co_await Send({.target = "/version"}), StatusIs(absl::StatusCode::kUnavailable));
  CO_ASSERT_OK(server().Start());
  EXPECT_EQ(server().port(), port);
  CO_ASSERT_OK_AND_ASSIGN(const http::Response response,
                          co_await Send({.target = "/api/v1/nodes/n"}));
  EXPECT_EQ(response.status, 200);
}

ASYNC_TEST_F(FakeServerTest, RecordsRequests) {
  CO_ASSERT_OK(co_await Send({.method = "POST",
                              .target = "/api/v1/namespaces/a%3Ab/pods?dryRun=All",
                              .headers = {{"Content-Type", "application/json"}},
                              .body = R"({"a":1})"}));
  CO_ASSERT_TRUE(server().requests().size() == 1);
  const RecordedRequest& request = server().requests()[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/api/v1/namespaces/a:b/pods");
  EXPECT_EQ(request.Query("dryRun"), "All");
  EXPECT_EQ(request.Json(), (json::object{{"a", 1}}));
  EXPECT_EQ(request.content_type, "application/json");
  EXPECT_EQ(server().Count("POST", "/pods"), 1);
  EXPECT_EQ(server().Count("GET"), 0);
  server().ClearRequests();
  EXPECT_THAT(server().requests(), SizeIs(0));
}

TEST(FakeApiServerTextTest, KubeconfigIsOne) {
  aio::EventLoop loop;
  FakeApiServer server(loop.executor(), {.ca_pem = "CA"});
  const absl::StatusOr<json::object> config = codec::ParseJsonObject(server.Kubeconfig("t"));
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(TextAt(*config, {"current-context"}), "fake");
  EXPECT_EQ(TextAt(config->at("users").at(0).as_object(), {"user", "token"}), "t");
  EXPECT_EQ(
      TextAt(config->at("clusters").at(0).as_object(), {"cluster", "certificate-authority-data"}),
      "Q0E=");
}

}  // namespace
}  // namespace calico::kube
