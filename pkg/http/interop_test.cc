// Client and server against the `openssl` command: what we send must make sense to others too.
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/thread_pool.h"
#include "pkg/aio/timer.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/http/client.h"
#include "pkg/http/testing/test_loop.h"
#include "pkg/net/testing/test_identity.h"
#include "pkg/pki/testing/openssl_command.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::http {
namespace {

using base::IsOk;
using base::StatusIs;
using pki::OpensslCommand;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::Duration kLong = absl::Seconds(30);

// --- Our client, `openssl s_server` ---

// Runs a server for one connection; its output goes to the file `out`.
aio::Task<void> RunServer(aio::ThreadPool& pool, const OpensslCommand& openssl, std::string flags) {
  (void)co_await aio::RunOnPool(pool, [&] {
    return openssl.Run("s_server -accept 0 -naccept 1 -www -cert leaf.pem -key leaf.key {} > out",
                       flags);
  });
}

aio::Task<uint16_t> ServerPort(const OpensslCommand& openssl) {
  while (true) {
    const std::string out = openssl.Read("out");
    const size_t accept = out.find("ACCEPT ");
    const size_t end = out.find('\n', accept == out.npos ? 0 : accept);
    if (accept != out.npos && end != out.npos) {
      uint16_t port = 0;
      const size_t colon = out.rfind(':', end);
      std::from_chars(out.data() + colon + 1, out.data() + end, port);
      co_return port;
    }
    EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(2)), IsOk());
  }
}

// One call to an s_server with `flags`, with a certificate of our own if `present`.
absl::StatusOr<Response> CallOpenssl(pki::KeyAlgorithm algorithm, std::string flags, bool present) {
  const pki::TestCa ca("test-ca", absl::Now());
  const pki::TestLeaf leaf =
      ca.Leaf({.common_name = "api", .ip_addresses = {"127.0.0.1"}, .key_algorithm = algorithm});
  const pki::TestLeaf mine = ca.Leaf({.common_name = "me"});
  net::TlsOptions tls{.ca_pem = ca.certificate_pem()};
  if (present) {
    tls.identity = net::IdentityOf(mine);
  }
  const OpensslCommand openssl;
  openssl.Write("leaf.pem", leaf.chain_pem);
  openssl.Write("leaf.key", leaf.key_pem);
  openssl.Write("ca.pem", ca.certificate_pem());

  TestLoop t;
  aio::ThreadPool pool(1);
  std::optional<absl::StatusOr<Response>> response;
  t.Run([&]() -> aio::Task<void> {
    aio::TaskGroup group(t.executor());
    group.Spawn(RunServer(pool, openssl, std::move(flags)));
    const uint16_t port = co_await ServerPort(openssl);
    {
      Client client(t.executor(),
                    {.origin = fmt::format("https://127.0.0.1:{}", port),
                     .tls = [&]() -> absl::StatusOr<net::TlsOptions> { return tls; }});
      response = co_await client.Do({}, kLong);
    }
    co_await group.Join();
  }());
  return *std::move(response);
}

TEST(OpensslServerTest, VersionsAndKeys) {
  struct Case {
    const char* flags;
    pki::KeyAlgorithm algorithm;
    const char* protocol;
  };
  const Case kCases[] = {
      {"-tls1_3", pki::KeyAlgorithm::kEcdsaP256, "TLSv1.3"},
      {"-tls1_3", pki::KeyAlgorithm::kRsa2048, "TLSv1.3"},
      {"-tls1_2", pki::KeyAlgorithm::kEcdsaP384, "TLSv1.2"},
      {"-tls1_2", pki::KeyAlgorithm::kRsa2048, "TLSv1.2"},
      {"-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305", pki::KeyAlgorithm::kEcdsaP521, "TLSv1.2"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.flags);
    const auto response = CallOpenssl(c.algorithm, c.flags, false);
    ASSERT_THAT(response, IsOk());
    EXPECT_EQ(response->status, 200);
    EXPECT_THAT(response->body, HasSubstr(fmt::format("Protocol  : {}", c.protocol)));
    EXPECT_THAT(response->body, Not(HasSubstr("Secure Renegotiation IS NOT supported")));
  }
}

TEST(OpensslServerTest, OlderVersionsAreRefused) {
  EXPECT_THAT(CallOpenssl(pki::KeyAlgorithm::kRsa2048, "-tls1_1 -cipher ALL:@SECLEVEL=0", false),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("TLS handshake")));
}

TEST(OpensslServerTest, ClientCertificate) {
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    SCOPED_TRACE(version);
    const std::string flags =
        fmt::format("{} -Verify 1 -verify_return_error -CAfile ca.pem", version);
    EXPECT_THAT(CallOpenssl(pki::KeyAlgorithm::kEcdsaP256, flags, true), IsOk());
    EXPECT_THAT(CallOpenssl(pki::KeyAlgorithm::kEcdsaP256, flags, false),
                StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("peer sent alert")));
  }
}

// --- Our server, `openssl s_client` ---

OpensslCommand::Result AskOurServer(const std::string& flags, bool demand_certificate) {
  const pki::TestCa ca("test-ca", absl::Now());
  const pki::TestCa other("other-ca", absl::Now());
  const pki::TestLeaf leaf = ca.Leaf({.common_name = "api", .dns_names = {"api.test"}});
  const pki::TestLeaf mine = ca.Leaf({.common_name = "me"});
  const pki::TestLeaf foreign = other.Leaf({.common_name = "foreigner"});
  const OpensslCommand openssl;
  openssl.Write("ca.pem", ca.certificate_pem());
  openssl.Write("me.pem", mine.chain_pem);
  openssl.Write("me.key", mine.key_pem);
  openssl.Write("foreign.pem", foreign.chain_pem);
  openssl.Write("foreign.key", foreign.key_pem);
  openssl.Write("request", "GET / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n");

  TestLoop t;
  aio::ThreadPool pool(1);
  Server& server = t.Serve(
      [&](Request, Peer peer, ResponseWriter&) -> aio::Task<std::optional<Response>> {
        EXPECT_EQ(peer.certificate_pem, demand_certificate ? mine.certificate_pem : "");
        co_return Response{.status = 200, .body = "hello from the server\n"};
      },
      {.tls =
           net::TlsServerOptions{.identity = net::IdentityOf(leaf),
                                 .client_ca_pem = demand_certificate ? ca.certificate_pem() : ""}});
  OpensslCommand::Result result;
  t.Run([&]() -> aio::Task<void> {
    result = co_await aio::RunOnPool(pool, [&] {
      return openssl.Run(
          "s_client -connect 127.0.0.1:{} -servername api.test -verify_hostname api.test "
          "-verify_return_error -CAfile ca.pem -ign_eof {} < request",
          server.port(), flags);
    });
  }());
  return result;
}

TEST(OpensslClientTest, VersionsAndAlpn) {
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    SCOPED_TRACE(version);
    const auto result = AskOurServer(fmt::format("{} -alpn h2,http/1.1", version), false);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    EXPECT_THAT(result.output, AllOf(HasSubstr("Verification: OK"), HasSubstr("HTTP/1.1 200 OK"),
                                     HasSubstr("hello from the server"),
                                     // Nothing is promised for a later session.
                                     Not(HasSubstr("Post-Handshake New Session Ticket"))));
  }
}

TEST(OpensslClientTest, OlderVersionsAreRefused) {
  const auto result = AskOurServer("-tls1_1 -cipher ALL:@SECLEVEL=0", false);
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.output, AllOf(HasSubstr("alert protocol version"), Not(HasSubstr("hello"))));
}

TEST(OpensslClientTest, ClientCertificate) {
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    SCOPED_TRACE(version);
    const auto good = AskOurServer(fmt::format("{} -cert me.pem -key me.key", version), true);
    EXPECT_THAT(good.output,
                AllOf(HasSubstr("Acceptable client certificate CA names\nCN = test-ca"),
                      HasSubstr("hello from the server")));
    // What was not in chain_pem is not sent.
    EXPECT_THAT(good.output, Not(HasSubstr("\n 1 s:")));
    const auto none = AskOurServer(version, true);
    EXPECT_THAT(none.output, Not(HasSubstr("hello")));
    EXPECT_THAT(none.output, HasSubstr("alert"));
    const auto wrong =
        AskOurServer(fmt::format("{} -cert foreign.pem -key foreign.key", version), true);
    EXPECT_THAT(wrong.output, AllOf(HasSubstr("alert unknown ca"), Not(HasSubstr("hello"))));
  }
}

}  // namespace
}  // namespace calico::http
