#include "pkg/net/probe/tls_probe.h"

#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/net/connection.h"
#include "pkg/net/testing/test_identity.h"
#include "pkg/net/testing/test_loop.h"
#include "pkg/net/tls.h"
#include "pkg/net/tls_context.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::net {
namespace {

using ::testing::HasSubstr;

// What a probe of a server with these options and this identity gives.
absl::StatusOr<ProbedServer> Probed(TlsServerOptions options) {
  const auto context = TlsContext::NewServer(options);
  EXPECT_TRUE(context.ok());
  TestLoop loop;
  const uint16_t port = loop.ServeScripts({[&](Connection& connection) -> aio::Task<void> {
    (void)co_await connection.StartTls(*context, "");
    (void)co_await connection.Read();
  }});
  absl::StatusOr<ProbedServer> result = absl::InternalError("not run");
  loop.Run([&]() -> aio::Task<void> {
    result = co_await ProbeServer("127.0.0.1", port, "", absl::Seconds(10));
  }());
  return result;
}

TEST(TlsProbeTest, ShowsTheChainWhoeverIssuedIt) {
  const pki::TestCa ca("unknown-ca", absl::Now());
  const pki::TestLeaf leaf = ca.Intermediate("middle").Leaf(
      {.common_name = "typha", .dns_names = {"elsewhere"}, .valid_until_now = absl::Hours(-0.5)});
  const auto probed = Probed({.identity = IdentityOf(leaf)});
  ASSERT_THAT(probed, base::IsOk());
  ASSERT_EQ(probed->certificates.size(), 2U);
  EXPECT_EQ(probed->certificates[0], leaf.certificate.der()) << "expired, and all the same shown";
  EXPECT_THAT(probed->address, HasSubstr("127.0.0.1:"));
}

TEST(TlsProbeTest, AServerThatWantsAClientsCertificateIsShownToo) {
  const pki::TestCa ca("ca", absl::Now());
  const auto probed = Probed({.identity = IdentityOf(ca.Leaf({.common_name = "typha"})),
                              .client_ca_pem = ca.certificate_pem()});
  ASSERT_THAT(probed, base::IsOk());
  EXPECT_EQ(probed->certificates.size(), 1U);
}

TEST(TlsProbeTest, SaysWhyThereIsNothing) {
  TestLoop loop;
  const uint16_t http = loop.ServeScripts({AnswerAndClose("HTTP/1.1 400 Bad Request\r\n\r\n")});
  const uint16_t silent = loop.ServeScripts({Silence()});
  loop.Run([&]() -> aio::Task<void> {
    const auto plain = co_await ProbeServer("127.0.0.1", http, "", absl::Milliseconds(500));
    EXPECT_FALSE(plain.ok());
    EXPECT_THAT(std::string(plain.status().message()), HasSubstr("ask 127.0.0.1:"));
    const auto quiet = co_await ProbeServer("127.0.0.1", silent, "", absl::Milliseconds(200));
    EXPECT_EQ(quiet.status().code(), absl::StatusCode::kDeadlineExceeded);
    const auto nobody = co_await ProbeServer("127.0.0.1", 1, "", absl::Seconds(5));
    EXPECT_EQ(nobody.status().code(), absl::StatusCode::kUnavailable);
  }());
}

}  // namespace
}  // namespace calico::net
