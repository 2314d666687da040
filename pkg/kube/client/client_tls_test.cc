// The whole way: a kubeconfig file, its credentials, TLS, the client, a server.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/testing/eventually.h"
#include "pkg/base/base64.h"
#include "pkg/base/clock.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"
#include "pkg/kube/auth/rest_config.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/testing/async_test.h"
#include "pkg/net/testing/test_identity.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::kube {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const pki::TestCa& Ca() {
  static const auto* const kCa = new pki::TestCa("server-ca", absl::Now());
  return *kCa;
}

FakeApiServerOptions WithTls(bool demand_client_certificate) {
  const pki::TestLeaf leaf =
      Ca().Leaf({.common_name = "kube-apiserver", .ip_addresses = {"127.0.0.1"}});
  net::TlsServerOptions tls{.identity = net::IdentityOf(leaf)};
  if (demand_client_certificate) tls.client_ca_pem = Ca().certificate_pem();
  return {.tls = std::move(tls),
          .ca_pem = Ca().certificate_pem(),
          .require_token = !demand_client_certificate};
}

class TlsTest : public FakeApiServerTest {
 protected:
  explicit TlsTest(bool demand_client_certificate = false)
      : FakeApiServerTest(WithTls(demand_client_certificate)) {}

  std::string Write(const std::string& name, const std::string& content) {
    const std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/" + name;
    std::ofstream(path) << content;
    return path;
  }
  // A client by a kubeconfig with these fields of cluster and user.
  absl::StatusOr<std::unique_ptr<Client>> Connect(json::object cluster, json::object user,
                                                  ClientOptions options = {}) {
    cluster["server"] = server().origin();
    const std::string path =
        Write("kubeconfig",
              codec::Serialize(json::object{
                  {"current-context", "x"},
                  {"clusters", json::array{{{"name", "x"}, {"cluster", std::move(cluster)}}}},
                  {"users", json::array{{{"name", "x"}, {"user", std::move(user)}}}},
                  {"contexts",
                   json::array{{{"name", "x"}, {"context", {{"cluster", "x"}, {"user", "x"}}}}}}}));
    CALICO_ASSIGN_OR_RETURN(
        RestConfig config,
        LoadRestConfig({.kubeconfig = path}, ProcessEnvironment(), base::SystemClock(), logger()));
    return std::make_unique<Client>(executor(), std::move(config), logger(), std::move(options));
  }
  static json::object Trusting(const pki::TestCa& ca) {
    return {{"certificate-authority-data", base::Base64Encode(ca.certificate_pem())}};
  }
};

class MutualTlsTest : public TlsTest {
 protected:
  MutualTlsTest() : TlsTest(true) {}
};

ASYNC_TEST_F(TlsTest, TokenOverTls) {
  CO_ASSERT_OK_AND_ASSIGN(
      auto client, Connect(Trusting(Ca()), {{"token", server().AddToken({.username = "jane"})}}));
  CO_ASSERT_OK(co_await client->GetPath("/version"));
  EXPECT_EQ(server().requests().back().username, "jane");
}

ASYNC_TEST_F(TlsTest, KubeconfigOfTheFakeServerWorks) {
  const std::string token = server().AddToken({.username = "jane"});
  const std::string path = Write("whole", server().Kubeconfig(token));
  CO_ASSERT_OK_AND_ASSIGN(
      RestConfig config,
      LoadRestConfig({.kubeconfig = path}, ProcessEnvironment(), base::SystemClock(), logger()));
  Client client(executor(), std::move(config), logger());
  CO_ASSERT_OK(co_await client.GetPath("/version"));
}

ASYNC_TEST_F(TlsTest, TokenFileIsReadAgainWhenItIsRefused) {
  const std::string old_token = server().AddToken({.username = "old"});
  const std::string path = Write("token", old_token);
  CO_ASSERT_OK_AND_ASSIGN(auto client, Connect(Trusting(Ca()), {{"tokenFile", path}}));
  CO_ASSERT_OK(co_await client->GetPath("/version"));
  Write("token", server().AddToken({.username = "new"}));
  server().RevokeToken(old_token);
  CO_ASSERT_OK(co_await client->GetPath("/version"));
  EXPECT_EQ(server().requests().back().username, "new");
}

ASYNC_TEST_F(TlsTest, ForeignServerGetsNothing) {
  const pki::TestCa other("other-ca", absl::Now());
  CO_ASSERT_OK_AND_ASSIGN(auto client, Connect(Trusting(other), {{"token", "secret"}}));
  const auto result = co_await client->GetPath("/version");
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("get /version: ")));
  EXPECT_THAT(server().requests(), SizeIs(0));
  EXPECT_THAT(log(), testing::ElementsAre(testing::AllOf(
                         HasSubstr("the API server cannot be reached"),
                         HasSubstr(server().origin()), HasSubstr("signed by unknown authority"),
                         HasSubstr("check that the CA in the kubeconfig"))));
}

ASYNC_TEST_F(TlsTest, ServerNameIsVerified) {
  json::object cluster = Trusting(Ca());
  cluster["tls-server-name"] = "api.example.com";
  CO_ASSERT_OK_AND_ASSIGN(auto client, Connect(cluster, {{"token", "secret"}}));
  EXPECT_THAT(co_await client->GetPath("/version"), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(server().requests(), SizeIs(0));
}

ASYNC_TEST_F(TlsTest, VerificationCanBeSwitchedOff) {
  CO_ASSERT_OK_AND_ASSIGN(auto client,
                          Connect({{"insecure-skip-tls-verify", true}},
                                  {{"token", server().AddToken({.username = "jane"})}}));
  CO_ASSERT_OK(co_await client->GetPath("/version"));
  EXPECT_THAT(log(), testing::ElementsAre(HasSubstr("not verified")));
}

ASYNC_TEST_F(MutualTlsTest, RenewedClientCertificateIsUsedAtOnce) {
  const pki::TestLeaf first = Ca().Leaf({.common_name = "jane"});
  const pki::TestLeaf second = Ca().Leaf({.common_name = "jane"});
  const std::string certificate = Write("client.crt", first.chain_pem);
  const std::string key = Write("client.key", first.key_pem);
  CO_ASSERT_OK_AND_ASSIGN(auto client, Connect(Trusting(Ca()), {{"client-certificate", certificate},
                                                                {"client-key", key}}));
  CO_ASSERT_OK(co_await client->GetPath("/version"));
  EXPECT_EQ(server().requests().back().client_certificate_pem, first.certificate_pem);
  Write("client.crt", second.chain_pem);
  Write("client.key", second.key_pem);
  CO_ASSERT_OK(co_await client->GetPath("/version"));
  EXPECT_EQ(server().requests().back().client_certificate_pem, second.certificate_pem);
  EXPECT_EQ(server().connections(), 2);
}

ASYNC_TEST_F(MutualTlsTest, NoConnectionOfAReplacedCertificateIsUsedAgain) {
  const pki::TestLeaf first = Ca().Leaf({.common_name = "jane"});
  const pki::TestLeaf second = Ca().Leaf({.common_name = "jane"});
  const std::string certificate = Write("client.crt", first.chain_pem);
  const std::string key = Write("client.key", first.key_pem);
  CO_ASSERT_OK_AND_ASSIGN(
      auto client,
      Connect(Trusting(Ca()), {{"client-certificate", certificate}, {"client-key", key}},
              {.rotation_check = absl::ZeroDuration()}));
  int answered = 0;
  const auto get = [&]() -> aio::Task<void> {
    CO_ASSERT_OK(co_await client->GetPath("/version"));
    ++answered;
  };
  aio::TaskGroup group(executor());
  const auto get_three_at_once = [&] {
    for (int i = 0; i < 3; ++i) group.Spawn(get());
  };
  // One connection is in use while the certificate is replaced, and two are idle.
  server().Inject({.delay = absl::Milliseconds(500)});
  server().Inject({.times = 2, .delay = absl::Milliseconds(50)});
  get_three_at_once();
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return answered == 2; }));
  EXPECT_EQ(server().connections(), 3);
  Write("client.crt", second.chain_pem);
  Write("client.key", second.key_pem);
  co_await get();
  EXPECT_EQ(server().connections(), 4);
  co_await group.Join();
  server().ClearRequests();
  server().Inject({.times = 3, .delay = absl::Milliseconds(50)});
  get_three_at_once();
  co_await group.Join();
  EXPECT_THAT(server().requests(), SizeIs(3));
  for (const RecordedRequest& request : server().requests()) {
    EXPECT_EQ(request.client_certificate_pem, second.certificate_pem);
  }
  EXPECT_EQ(server().connections(), 6) << "one is kept, and it is the new certificate's";
  co_await group.Stop();
}

ASYNC_TEST_F(MutualTlsTest, ClientWithoutCertificateIsRefused) {
  CO_ASSERT_OK_AND_ASSIGN(auto client, Connect(Trusting(Ca()), json::object()));
  EXPECT_THAT(co_await client->GetPath("/version"), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(server().requests(), SizeIs(0));
}

}  // namespace
}  // namespace calico::kube
