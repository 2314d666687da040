#include "pkg/net/tls_identity.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

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

using base::IsOk;
using base::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

pki::TestLeafOptions Named(const char* name, pki::KeyAlgorithm algorithm) {
  return {.common_name = name, .ip_addresses = {"127.0.0.1"}, .key_algorithm = algorithm};
}

pki::TestLeafOptions Named(const char* name) { return Named(name, pki::KeyAlgorithm::kEcdsaP256); }

TEST(TlsIdentityTest, PairsThatCannotBeUsed) {
  const pki::TestCa ca("test-ca", absl::Now());
  const pki::TestLeaf mine = ca.Leaf(Named("me"));
  const pki::TestLeaf yours = ca.Leaf(Named("you"));
  const pki::TestLeaf rsa = ca.Leaf(Named("rsa", pki::KeyAlgorithm::kRsa2048));
  const std::string cut = mine.certificate_pem.substr(0, mine.certificate_pem.size() / 2);
  struct Case {
    const char* name;
    std::string certificate_pem;
    std::string key_pem;
    absl::StatusCode code;
    const char* message;
  };
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  constexpr auto kMismatch = absl::StatusCode::kFailedPrecondition;
  const Case kCases[] = {
      {"nothing", "", "", kInvalid, "load certificate: no certificate in the PEM text"},
      {"no certificate", mine.key_pem, mine.key_pem, kInvalid, "load certificate: no certificate"},
      {"cut certificate", cut, mine.key_pem, kInvalid, "load certificate: "},
      {"no key", mine.chain_pem, "", kInvalid, "load key: "},
      {"cut key", mine.chain_pem, mine.key_pem.substr(0, mine.key_pem.size() / 2), kInvalid,
       "load key: "},
      {"foreign key", mine.chain_pem, yours.key_pem, kMismatch, "load key: key values mismatch"},
      {"foreign kind of key", mine.chain_pem, rsa.key_pem, kMismatch,
       "load key: different key types"},
  };
  const auto identity = IdentityOf(mine);
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    const auto matches = StatusIs(c.code, AllOf(HasSubstr(c.message), Not(HasSubstr("-----"))));
    EXPECT_THAT(TlsIdentity::Create(c.certificate_pem, c.key_pem), matches);
    EXPECT_THAT(identity->Replace(c.certificate_pem, c.key_pem), matches);
    EXPECT_EQ(identity->certificate_pem(), mine.chain_pem) << "the pair before stays";
    EXPECT_EQ(identity->version(), 1u);
  }
}

// One side accepts connections with `server`, the other connects with `client`.
class Handshakes {
 public:
  Handshakes(const pki::TestCa& ca, std::shared_ptr<TlsIdentity> server,
             std::shared_ptr<TlsIdentity> client)
      : server_(*TlsContext::NewServer(
            {.identity = std::move(server), .client_ca_pem = ca.certificate_pem()})),
        client_(*TlsContext::NewClient(
            {.ca_pem = ca.certificate_pem(), .identity = std::move(client)})) {
    port_ = loop_.ServeScripts({[this](Connection& connection) -> aio::Task<void> {
      if (!(co_await connection.StartTls(server_, "")).ok()) co_return;
      // An echo, behind the name by which the client was accepted.
      (void)co_await connection.Write(connection.PeerCertificatePem());
      while (true) {
        auto piece = co_await connection.Read();
        if (!piece.ok() || piece->empty()) co_return;
        (void)co_await connection.Write(*std::move(piece));
      }
    }});
  }

  struct Talk {
    std::unique_ptr<Connection> connection;
    std::string server_pem;  // as the client saw it
    std::string client_pem;  // as the server saw it
  };
  aio::Task<Talk> Begin() {
    auto connection = co_await Connection::Connect("127.0.0.1", port_, nullptr);
    EXPECT_THAT(connection, IsOk());
    EXPECT_THAT(co_await (*connection)->StartTls(client_, "127.0.0.1"), IsOk());
    std::string client_pem = co_await ReadUntil(**connection, "-----END CERTIFICATE-----\n");
    std::string server_pem = (*connection)->PeerCertificatePem();
    co_return Talk{.connection = *std::move(connection),
                   .server_pem = std::move(server_pem),
                   .client_pem = std::move(client_pem)};
  }
  void Run(aio::Task<void> test) { loop_.Run(std::move(test)); }

 private:
  TestLoop loop_;
  const std::shared_ptr<const TlsContext> server_;
  const std::shared_ptr<const TlsContext> client_;
  uint16_t port_ = 0;
};

TEST(TlsIdentityTest, NewHandshakesUseTheNewPairOnBothSides) {
  const pki::TestCa ca("test-ca", absl::Now());
  const pki::TestLeaf server_before = ca.Leaf(Named("server-1"));
  // Another kind of key, and a chain of two.
  const pki::TestLeaf server_after =
      ca.Intermediate("middle").Leaf(Named("server-2", pki::KeyAlgorithm::kRsa2048));
  const pki::TestLeaf client_before = ca.Leaf(Named("client-1"));
  const pki::TestLeaf client_after =
      ca.Intermediate("middle").Leaf(Named("client-2", pki::KeyAlgorithm::kEcdsaP384));
  const auto server = IdentityOf(server_before);
  const auto client = IdentityOf(client_before);
  Handshakes handshakes(ca, server, client);
  handshakes.Run([&]() -> aio::Task<void> {
    const Handshakes::Talk first = co_await handshakes.Begin();
    EXPECT_EQ(first.server_pem, server_before.certificate_pem);
    EXPECT_EQ(first.client_pem, client_before.certificate_pem);

    EXPECT_THAT(server->Replace(server_after.chain_pem, server_after.key_pem), IsOk());
    EXPECT_THAT(client->Replace(client_after.chain_pem, client_after.key_pem), IsOk());
    EXPECT_EQ(server->version(), 2u);
    const Handshakes::Talk second = co_await handshakes.Begin();
    EXPECT_EQ(second.server_pem, server_after.certificate_pem);
    EXPECT_EQ(second.client_pem, client_after.certificate_pem);

    // A broken pair changes nothing.
    EXPECT_FALSE(server->Replace(server_before.chain_pem, server_after.key_pem).ok());
    EXPECT_FALSE(client->Replace("", "").ok());
    const Handshakes::Talk third = co_await handshakes.Begin();
    EXPECT_EQ(third.server_pem, server_after.certificate_pem);
    EXPECT_EQ(third.client_pem, client_after.certificate_pem);

    // And the connection of before still runs.
    EXPECT_THAT(co_await first.connection->Write("still here"), IsOk());
    EXPECT_EQ(co_await ReadUntil(*first.connection, "here"), "still here");
  }());
}

}  // namespace
}  // namespace calico::net
