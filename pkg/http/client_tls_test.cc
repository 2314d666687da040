// The client's TLS: who is trusted, by which name, with which certificate of its own.
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/timer.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/http/client.h"
#include "pkg/http/testing/test_loop.h"
#include "pkg/net/testing/test_identity.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::http {
namespace {

using base::IsOk;
using base::StatusIs;
using net::AnswerAndClose;
using net::ReadUntil;
using net::Silence;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::Duration kLong = absl::Seconds(20);

pki::TestCa NewCa(std::string_view name) { return pki::TestCa(name, absl::Now()); }

pki::TestLeafOptions ServerLeaf() {
  return {.common_name = "api",
          .dns_names = {"api.test", "*.wild.test"},
          .ip_addresses = {"127.0.0.1", "::1"}};
}

net::TlsServerOptions ServerTls(const pki::TestLeaf& leaf, std::string client_ca = "") {
  return {.identity = net::IdentityOf(leaf), .client_ca_pem = std::move(client_ca)};
}

// Answers with the client's certificate and counts connections.
struct WhoAmI {
  std::set<std::string> peers;

  Handler handler() {
    return [this](Request, Peer peer, ResponseWriter&) -> aio::Task<std::optional<Response>> {
      peers.insert(peer.address);
      co_return Response{.status = 200, .body = peer.certificate_pem};
    };
  }
};

// A client for `host` at the server on 127.0.0.1, with `tls`.
ClientOptions Options(const std::string& host, uint16_t port, net::TlsOptions tls) {
  return {.origin = fmt::format("https://{}:{}", host, port),
          .tls = [tls]() -> absl::StatusOr<net::TlsOptions> { return tls; },
          .resolve = [](std::string) -> aio::Task<absl::StatusOr<std::vector<std::string>>> {
            co_return std::vector<std::string>{"127.0.0.1"};
          }};
}

// One call of a client for `host` with `tls` to a server with `server_tls`.
absl::StatusOr<Response> Call(const net::TlsServerOptions& server_tls, const std::string& host,
                              net::TlsOptions tls) {
  TestLoop t;
  WhoAmI who;
  Server& server = t.Serve(who.handler(), {.tls = server_tls});
  Client client(t.executor(), Options(host, server.port(), std::move(tls)));
  std::optional<absl::StatusOr<Response>> response;
  t.Run([&]() -> aio::Task<void> { response = co_await client.Do({}, kLong); }());
  return *std::move(response);
}

TEST(ClientTlsTest, NamesAndAddresses) {
  const pki::TestCa ca = NewCa("test-ca");
  const pki::TestLeaf leaf = ca.Leaf(ServerLeaf());
  struct Case {
    const char* host;
    const char* server_name;
    const char* mismatch;  // nullptr: accepted
  };
  const Case kCases[] = {
      {"127.0.0.1", "", nullptr},
      {"api.test", "", nullptr},
      {"API.Test", "", nullptr},
      {"a.wild.test", "", nullptr},
      {"127.0.0.1", "api.test", nullptr},
      {"elsewhere.test", "127.0.0.1", nullptr},
      {"elsewhere.test", "", "not for elsewhere.test"},
      {"a.b.wild.test", "", "not for a.b.wild.test"},
      {"wild.test", "", "not for wild.test"},
      {"api", "", "not for api"},  // the common name does not count
      {"127.0.0.1", "other.test", "not for other.test"},
      {"api.test", "10.0.0.1", "not for 10.0.0.1"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(fmt::format("{} as '{}'", c.host, c.server_name));
    const auto response = Call(ServerTls(leaf), c.host,
                               {.ca_pem = ca.certificate_pem(), .server_name = c.server_name});
    if (c.mismatch == nullptr) {
      EXPECT_THAT(response, IsOk());
    } else {
      EXPECT_THAT(response, StatusIs(absl::StatusCode::kUnauthenticated,
                                     AllOf(HasSubstr("name mismatch: certificate is for api.test, "
                                                     "*.wild.test, 127.0.0.1, ::1"),
                                           HasSubstr(c.mismatch))));
    }
  }
}

TEST(ClientTlsTest, TrustAndValidity) {
  const pki::TestCa ca = NewCa("test-ca");
  const pki::TestCa other = NewCa("other-ca");
  const pki::TestCa intermediate = ca.Intermediate("middle-ca");
  const pki::TestCa old(std::string_view("old-ca"), absl::Now() - absl::Hours(48), absl::Hours(24));
  pki::TestLeafOptions expired = ServerLeaf();
  expired.valid_from_now = absl::Hours(-2);
  expired.valid_until_now = absl::Hours(-1);
  pki::TestLeafOptions future = ServerLeaf();
  future.valid_from_now = absl::Hours(1);
  pki::TestLeafOptions client_only = ServerLeaf();
  client_only.extended_key_usages = {std::string(pki::kOidClientAuth)};
  struct Case {
    const char* name;
    pki::TestLeaf leaf;
    std::string ca_pem;
    const char* cause;  // nullptr: accepted
  };
  const Case kCases[] = {
      {"intermediate sent by the server", intermediate.Leaf(ServerLeaf()), ca.certificate_pem(),
       nullptr},
      {"intermediate as the anchor", intermediate.Leaf(ServerLeaf()),
       intermediate.certificate_pem(), nullptr},
      {"second of two anchors", ca.Leaf(ServerLeaf()),
       other.certificate_pem() + ca.certificate_pem(), nullptr},
      {"unknown authority", ca.Leaf(ServerLeaf()), other.certificate_pem(),
       "certificate \"api\" signed by unknown authority \"test-ca\""},
      {"expired", ca.Leaf(expired), ca.certificate_pem(), "certificate \"api\" has expired at 20"},
      {"not yet valid", ca.Leaf(future), ca.certificate_pem(),
       "certificate \"api\" is not valid before 20"},
      {"expired authority", old.Leaf(ServerLeaf()), old.certificate_pem(), "has expired at 20"},
      {"usage of a client", ca.Leaf(client_only), ca.certificate_pem(), "certificate \"api\": "},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    const auto response = Call(ServerTls(c.leaf), "127.0.0.1", {.ca_pem = c.ca_pem});
    if (c.cause == nullptr) {
      EXPECT_THAT(response, IsOk());
    } else {
      EXPECT_THAT(response, StatusIs(absl::StatusCode::kUnauthenticated,
                                     AllOf(HasSubstr("TLS handshake: "), HasSubstr(c.cause))));
    }
    EXPECT_THAT(Call(ServerTls(c.leaf), "127.0.0.1", {.insecure_skip_verify = true}), IsOk());
  }
}

TEST(ClientTlsTest, ClientCertificate) {
  const pki::TestCa ca = NewCa("test-ca");
  const pki::TestCa other = NewCa("other-ca");
  const pki::TestLeaf leaf = ca.Leaf(ServerLeaf());
  const pki::TestLeaf mine = ca.Intermediate("middle-ca").Leaf({.common_name = "me"});
  const pki::TestLeaf foreign = other.Leaf({.common_name = "foreigner"});
  const net::TlsServerOptions server = ServerTls(leaf, ca.certificate_pem());

  const auto accepted = Call(server, "127.0.0.1",
                             {.ca_pem = ca.certificate_pem(), .identity = net::IdentityOf(mine)});
  ASSERT_THAT(accepted, IsOk());
  EXPECT_EQ(accepted->body, mine.certificate_pem);

  EXPECT_THAT(Call(server, "127.0.0.1", {.ca_pem = ca.certificate_pem()}),
              StatusIs(absl::StatusCode::kUnauthenticated,
                       AllOf(HasSubstr("peer sent alert"), HasSubstr("certificate required"))));
  EXPECT_THAT(Call(server, "127.0.0.1",
                   {.ca_pem = ca.certificate_pem(), .identity = net::IdentityOf(foreign)}),
              StatusIs(absl::StatusCode::kUnauthenticated,
                       AllOf(HasSubstr("peer sent alert"), HasSubstr("unknown ca"))));
}

TEST(ClientTlsTest, ServerThatDoesNotAskSeesNoCertificate) {
  const pki::TestCa ca = NewCa("test-ca");
  const pki::TestLeaf mine = ca.Leaf({.common_name = "me"});
  const auto response = Call(ServerTls(ca.Leaf(ServerLeaf())), "127.0.0.1",
                             {.ca_pem = ca.certificate_pem(), .identity = net::IdentityOf(mine)});
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->body, "");
}

TEST(ClientTlsTest, UnusableOptions) {
  const pki::TestCa ca = NewCa("test-ca");
  const pki::TestLeaf mine = ca.Leaf({.common_name = "me"});
  const std::string cut = mine.certificate_pem.substr(0, mine.certificate_pem.size() / 2);
  struct Case {
    const char* name;
    net::TlsOptions tls;
    const char* message;
  };
  const Case kCases[] = {
      {"no PEM", {.ca_pem = "MIIB"}, "load CA certificates: no certificate in the PEM text"},
      {"only a key", {.ca_pem = mine.key_pem}, "load CA certificates: no certificate"},
      {"cut certificate", {.ca_pem = cut}, "load CA certificates: "},
      {"cut second certificate", {.ca_pem = ca.certificate_pem() + cut}, "load CA certificates: "},
      {"long name",
       {.ca_pem = ca.certificate_pem(), .server_name = std::string(256, 'a')},
       "TLS server name"},
      {"name with a NUL",
       {.ca_pem = ca.certificate_pem(), .server_name = std::string("a\0b", 3)},
       "TLS server name"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(Call(ServerTls(mine), "127.0.0.1", c.tls),
                StatusIs(absl::StatusCode::kUnauthenticated,
                         AllOf(HasSubstr(c.message), Not(HasSubstr("-----")))));
  }
}

TEST(ClientTlsTest, ErrorOfTheOptionsIsPassedOn) {
  TestLoop t;
  Client client(t.executor(), {.origin = "https://127.0.0.1:1", .tls = [] {
                                 return absl::StatusOr<net::TlsOptions>(
                                     absl::NotFoundError("read ca.crt: no such file"));
                               }});
  t.Run([&]() -> aio::Task<void> {
    EXPECT_THAT(co_await client.Do({}, kLong),
                StatusIs(absl::StatusCode::kNotFound, HasSubstr("read ca.crt: no such file")));
  }());
}

TEST(ClientTlsTest, ChangedOptionsTakeEffectAtTheNextConnection) {
  const pki::TestCa ca = NewCa("test-ca");
  const pki::TestCa other = NewCa("other-ca");
  TestLoop t;
  WhoAmI who;
  Server& server =
      t.Serve(who.handler(), {.tls = ServerTls(ca.Leaf(ServerLeaf()), ca.certificate_pem())});
  net::TlsOptions tls{.ca_pem = ca.certificate_pem()};
  const auto present = [&tls](const pki::TestLeaf& leaf) { tls.identity = net::IdentityOf(leaf); };
  const pki::TestLeaf first = ca.Leaf({.common_name = "first"});
  const pki::TestLeaf second = ca.Leaf({.common_name = "second"});
  int asked = 0;
  ClientOptions options = Options("127.0.0.1", server.port(), {});
  options.tls = [&]() -> absl::StatusOr<net::TlsOptions> {
    ++asked;
    return tls;
  };
  Client client(t.executor(), options);
  t.Run([&]() -> aio::Task<void> {
    present(first);
    EXPECT_EQ((co_await client.Do({}, kLong))->body, first.certificate_pem);
    present(second);
    EXPECT_EQ((co_await client.Do({}, kLong))->body, first.certificate_pem);  // kept connection
    client.CloseIdle();
    EXPECT_EQ((co_await client.Do({}, kLong))->body, second.certificate_pem);
    tls.ca_pem = other.certificate_pem();
    client.CloseIdle();
    EXPECT_THAT(co_await client.Do({}, kLong), StatusIs(absl::StatusCode::kUnauthenticated));
  }());
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(who.peers.size(), 2u);
}

TEST(ClientTlsTest, KeptConnectionsSurviveSessionTickets) {
  const pki::TestCa ca = NewCa("test-ca");
  TestLoop t;
  WhoAmI who;
  Server& server = t.Serve(who.handler(), {.tls = ServerTls(ca.Leaf(ServerLeaf()))});
  Client client(t.executor(),
                Options("127.0.0.1", server.port(), {.ca_pem = ca.certificate_pem()}));
  t.Run([&]() -> aio::Task<void> {
    for (int i = 0; i < 5; ++i) {
      EXPECT_THAT(co_await client.Do({}, kLong), IsOk());
      EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(2)), IsOk());
    }
  }());
  EXPECT_EQ(who.peers.size(), 1u);
  EXPECT_GT(client.bytes_received(), 700u);  // the handshake is counted
}

TEST(ClientTlsTest, LargeBodiesBothWays) {
  const pki::TestCa ca = NewCa("test-ca");
  TestLoop t;
  Server& server = t.Serve(
      [](Request request, Peer, ResponseWriter&) -> aio::Task<std::optional<Response>> {
        co_return Response{.status = 200, .body = std::move(request.body)};
      },
      {.tls = ServerTls(ca.Leaf(ServerLeaf())), .max_body_bytes = 16 << 20});
  Client client(t.executor(),
                Options("127.0.0.1", server.port(), {.ca_pem = ca.certificate_pem()}));
  std::string body(5 << 20, 'x');
  for (size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('a' + i % 26);
  t.Run([&]() -> aio::Task<void> {
    const auto response = co_await client.Do({.method = "POST", .body = body}, kLong);
    EXPECT_THAT(response, IsOk());
    EXPECT_TRUE(response->body == body);
  }());
}

TEST(ClientTlsTest, StreamAndItsEarlyEnd) {
  const pki::TestCa ca = NewCa("test-ca");
  TestLoop t;
  int cancelled = 0;
  Server& server = t.Serve(
      [&](Request, Peer, ResponseWriter& w) -> aio::Task<std::optional<Response>> {
        (void)co_await w.Start(200, {});
        (void)co_await w.Write("event\n");
        if (!(co_await aio::Sleep(kLong)).ok()) ++cancelled;
        co_return std::nullopt;
      },
      {.tls = ServerTls(ca.Leaf(ServerLeaf()))});
  Client client(t.executor(),
                Options("127.0.0.1", server.port(), {.ca_pem = ca.certificate_pem()}));
  t.Run([&]() -> aio::Task<void> {
    {
      auto stream = co_await client.Open({}, kLong);
      EXPECT_THAT(stream, IsOk());
      EXPECT_THAT(co_await (*stream)->Read(kLong), base::IsOkAndHolds("event\n"));
      EXPECT_THAT(co_await (*stream)->Read(absl::Milliseconds(10)),
                  StatusIs(absl::StatusCode::kDeadlineExceeded));
    }
    for (int i = 0; i < 1000 && cancelled == 0; ++i) co_await aio::Yield();
  }());
  EXPECT_EQ(cancelled, 1);
}

TEST(ClientTlsTest, PeersThatDoNotSpeakTls) {
  const pki::TestCa ca = NewCa("test-ca");
  TestLoop t;
  const auto greet = [](net::Connection& connection) -> aio::Task<void> {
    (void)co_await connection.Write("220 mail.example.com ESMTP ready\r\n");
    (void)co_await ReadUntil(connection, "never sent");
  };
  const uint16_t port = t.ServeScripts({AnswerAndClose(""), greet, Silence()});
  ClientOptions options = Options("127.0.0.1", port, {.ca_pem = ca.certificate_pem()});
  options.connect_timeout = absl::Milliseconds(30);
  Client client(t.executor(), options);
  t.Run([&]() -> aio::Task<void> {
    // The script waits for a blank line that does not come; the deadline ends the attempt.
    EXPECT_THAT(co_await client.Do({}, kLong),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("timed out after 30ms")));
    EXPECT_THAT(co_await client.Do({}, kLong),
                StatusIs(absl::StatusCode::kUnauthenticated,
                         HasSubstr("peer does not speak TLS 1.2 or newer")));
    EXPECT_THAT(co_await client.Do({}, kLong),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("timed out after 30ms")));
  }());
}

TEST(ClientTlsTest, ServerThatClosesDuringTheHandshakeIsUnavailable) {
  TestLoop t;
  const uint16_t port = t.ServeScripts({[](net::Connection&) -> aio::Task<void> { co_return; }});
  Client client(t.executor(), Options("127.0.0.1", port, {.insecure_skip_verify = true}));
  t.Run([&]() -> aio::Task<void> {
    EXPECT_THAT(co_await client.Do({}, kLong),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("TLS handshake")));
  }());
}

// A body that ends with the connection must not be cut short by somebody on the way.
TEST(ClientTlsTest, TruncationIsNoticed) {
  const pki::TestCa ca = NewCa("test-ca");
  TestLoop t;
  Server& server = t.Serve(
      [](Request, Peer, ResponseWriter& w) -> aio::Task<std::optional<Response>> {
        (void)co_await w.Start(200, {});
        (void)co_await w.Write("part");
        w.Abort();
        co_return std::nullopt;
      },
      {.tls = ServerTls(ca.Leaf(ServerLeaf()))});
  Client client(t.executor(),
                Options("127.0.0.1", server.port(), {.ca_pem = ca.certificate_pem()}));
  t.Run([&]() -> aio::Task<void> {
    EXPECT_THAT(co_await client.Do({}, kLong), StatusIs(absl::StatusCode::kUnavailable));
  }());
}

TEST(ServerTlsTest, UnusableOptionsAreReported) {
  const pki::TestCa ca = NewCa("test-ca");
  const pki::TestLeaf leaf = ca.Leaf(ServerLeaf());
  TestLoop t;
  const Handler handler = WhoAmI().handler();
  EXPECT_THAT(Server::Listen(t.executor(), {.tls = net::TlsServerOptions{}}, handler),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("server certificate")));
  EXPECT_THAT(Server::Listen(t.executor(), {.tls = ServerTls(leaf, "no PEM")}, handler),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("client CA certificates")));
  t.Run([]() -> aio::Task<void> { co_return; }());
}

}  // namespace
}  // namespace calico::http
