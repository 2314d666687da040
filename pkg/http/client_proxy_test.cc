// The client behind proxies: HTTP CONNECT, absolute targets, TLS to the proxy, SOCKS5.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/http/client.h"
#include "pkg/http/testing/test_loop.h"
#include "pkg/net/testing/test_identity.h"
#include "pkg/net/tls_context.h"
#include "pkg/net/tunnel.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::http {
namespace {

using base::IsOk;
using base::StatusIs;
using net::AnswerAndClose;
using net::ReadUntil;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::Duration kLong = absl::Seconds(20);

aio::Task<void> Copy(net::Connection& from, net::Connection& to) {
  while (true) {
    auto piece = co_await from.Read();
    if (!piece.ok() || piece->empty()) co_return;
    if (!(co_await to.Write(*std::move(piece))).ok()) co_return;
  }
}

aio::Task<void> Relay(net::Connection& client, uint16_t port) {
  auto server = co_await net::Connection::Connect("127.0.0.1", port, nullptr);
  EXPECT_THAT(server, IsOk());
  if (server.ok()) co_await aio::Race(Copy(client, **server), Copy(**server, client));
}

// An HTTP proxy that leads every CONNECT to `port`, and keeps what it was asked.
TestLoop::Script HttpProxy(uint16_t port, std::string& asked,
                           std::shared_ptr<const net::TlsContext> tls = nullptr) {
  return [port, &asked, tls](net::Connection& client) -> aio::Task<void> {
    if (tls != nullptr && !(co_await client.StartTls(tls, "")).ok()) co_return;
    asked = co_await ReadUntil(client);
    if (!asked.starts_with("CONNECT ")) co_return;
    (void)co_await client.Write("HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n");
    co_await Relay(client, port);
  };
}

struct Origin {
  explicit Origin(TestLoop& t)
      : ca("test-ca", absl::Now()),
        leaf(ca.Leaf({.common_name = "api", .dns_names = {"api.test", "proxy.test"}})),
        server(t.Serve(
            [](Request request, Peer, ResponseWriter&) -> aio::Task<std::optional<Response>> {
              co_return Response{.status = 200, .body = request.target};
            },
            {.tls = net::TlsServerOptions{.identity = net::IdentityOf(leaf)}})) {}

  ClientOptions Options(std::string proxy) const {
    return {.origin = "https://api.test:6443",
            .tls = [this]() -> absl::StatusOr<net::TlsOptions> {
              return net::TlsOptions{.ca_pem = ca.certificate_pem()};
            },
            .proxy = std::move(proxy),
            .resolve = [](std::string host) -> aio::Task<absl::StatusOr<std::vector<std::string>>> {
              EXPECT_EQ(host, "proxy.test");  // the origin's name is the proxy's business
              co_return std::vector<std::string>{"127.0.0.1"};
            }};
  }

  pki::TestCa ca;
  pki::TestLeaf leaf;
  Server& server;
};

TEST(HttpProxyTest, TlsGoesThroughATunnelThatIsKept) {
  TestLoop t;
  Origin origin(t);
  std::string asked;
  int connections = 0;
  const uint16_t port = t.ServeScripts({HttpProxy(origin.server.port(), asked)}, &connections);
  Client client(t.executor(),
                origin.Options(fmt::format("http://us%40er:pass@proxy.test:{}", port)));
  t.Run([&]() -> aio::Task<void> {
    for (int i = 0; i < 3; ++i) {
      const auto response = co_await client.Do({.target = "/a"}, kLong);
      EXPECT_THAT(response, IsOk());
      EXPECT_EQ(response->body, "/a");
    }
  }());
  EXPECT_EQ(connections, 1);
  EXPECT_EQ(asked,
            "CONNECT api.test:6443 HTTP/1.1\r\nHost: api.test:6443\r\n"
            "Proxy-Authorization: Basic dXNAZXI6cGFzcw==\r\n\r\n");
}

TEST(HttpProxyTest, TlsToTheProxyAndThroughIt) {
  TestLoop t;
  Origin origin(t);
  const auto tls = net::TlsContext::NewServer({.identity = net::IdentityOf(origin.leaf)});
  ASSERT_THAT(tls, IsOk());
  std::string asked;
  const uint16_t port = t.ServeScripts({HttpProxy(origin.server.port(), asked, *tls)});
  Client client(t.executor(), origin.Options(fmt::format("https://proxy.test:{}", port)));
  t.Run([&]() -> aio::Task<void> {
    for (int i = 0; i < 2; ++i) {
      const auto response = co_await client.Do({.target = "/a"}, kLong);
      EXPECT_THAT(response, IsOk());
      EXPECT_EQ(response->body, "/a");
    }
  }());
  EXPECT_THAT(asked, AllOf(HasSubstr("CONNECT api.test:6443"), Not(HasSubstr("Authorization"))));
}

TEST(HttpProxyTest, ProxyIsVerifiedByItsOwnName) {
  TestLoop t;
  Origin origin(t);
  const pki::TestLeaf leaf = origin.ca.Leaf({.common_name = "x", .dns_names = {"api.test"}});
  const auto tls = net::TlsContext::NewServer({.identity = net::IdentityOf(leaf)});
  ASSERT_THAT(tls, IsOk());
  std::string asked;
  const uint16_t port = t.ServeScripts({HttpProxy(origin.server.port(), asked, *tls)});
  Client client(t.executor(), origin.Options(fmt::format("https://proxy.test:{}", port)));
  t.Run([&]() -> aio::Task<void> {
    EXPECT_THAT(co_await client.Do({}, kLong),
                StatusIs(absl::StatusCode::kUnauthenticated,
                         HasSubstr("proxy: TLS handshake: name mismatch: certificate is for "
                                   "api.test, not for proxy.test")));
  }());
}

TEST(HttpProxyTest, PlainOriginGetsAbsoluteTargets) {
  TestLoop t;
  std::string asked;
  const uint16_t port = t.ServeScripts({[&](net::Connection& client) -> aio::Task<void> {
    asked = co_await ReadUntil(client);
    (void)co_await client.Write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }});
  Client client(t.executor(), {.origin = "http://api.test/p",
                               .proxy = fmt::format("http://u:p@127.0.0.1:{}", port),
                               .user_agent = "test"});
  t.Run([&]() -> aio::Task<void> {
    EXPECT_THAT(co_await client.Do({.target = "/a"}, kLong), IsOk());
  }());
  EXPECT_EQ(asked,
            "GET http://api.test:80/p/a HTTP/1.1\r\nHost: api.test\r\nUser-Agent: test\r\n"
            "Proxy-Authorization: Basic dTpw\r\n\r\n");
}

struct FailureCase {
  const char* name;
  std::string answer;
  absl::StatusCode code;
  const char* message;
};

TEST(HttpProxyTest, Failures) {
  const FailureCase kCases[] = {
      {"credentials wanted", "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
       absl::StatusCode::kUnauthenticated, "proxy: credentials wanted or refused (status 407)"},
      {"forbidden", "HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\n",
       absl::StatusCode::kUnavailable, "proxy: CONNECT api.test:6443: status 403"},
      {"bad gateway", "HTTP/1.0 502 Bad Gateway\r\n\r\n", absl::StatusCode::kUnavailable,
       "status 502"},
      {"closed", "", absl::StatusCode::kUnavailable, "proxy: connection closed"},
      {"no HTTP", "SSH-2.0\r\n\r\n", absl::StatusCode::kUnavailable, "proxy: malformed HTTP"},
      {"endless head", "HTTP/1.1 200 OK\r\nA: " + std::string(20'000, 'x'),
       absl::StatusCode::kUnavailable, "proxy: headers are larger"},
      {"early bytes", "HTTP/1.1 200 OK\r\n\r\nx", absl::StatusCode::kUnavailable,
       "proxy: bytes before the tunnel was used"},
  };
  for (const FailureCase& c : kCases) {
    SCOPED_TRACE(c.name);
    TestLoop t;
    Origin origin(t);
    const uint16_t port = t.ServeScripts({AnswerAndClose(c.answer)});
    Client client(t.executor(),
                  origin.Options(fmt::format("http://user:secret@proxy.test:{}", port)));
    t.Run([&]() -> aio::Task<void> {
      EXPECT_THAT(co_await client.Do({}, kLong),
                  StatusIs(c.code, AllOf(HasSubstr(c.message), Not(HasSubstr("secret")))));
    }());
  }
}

// --- SOCKS5 ---

aio::Task<std::string> ReadBytes(net::Connection& connection, size_t size) {
  std::string out;
  while (out.size() < size) {
    const auto piece = co_await connection.Read();
    if (!piece.ok() || piece->empty()) break;
    out += *piece;
  }
  co_return out;
}

// Speaks SOCKS5 with a login if `user` is not empty, and leads to `port`.
TestLoop::Script SocksProxy(uint16_t port, std::string user, std::string password,
                            std::string& asked) {
  return [=, &asked](net::Connection& client) -> aio::Task<void> {
    const std::string hello = co_await ReadBytes(client, 3);
    EXPECT_EQ(hello[0], 5);
    if (user.empty()) {
      (void)co_await client.Write(std::string("\x05\x00", 2));
    } else {
      (void)co_await client.Write("\x05\x02");
      const std::string want = fmt::format("\x01{}{}{}{}", static_cast<char>(user.size()), user,
                                           static_cast<char>(password.size()), password);
      const bool good = co_await ReadBytes(client, want.size()) == want;
      (void)co_await client.Write(std::string(good ? "\x01\x00" : "\x01\x01", 2));
      if (!good) co_return;
    }
    asked = co_await ReadBytes(client, 7 + 8);  // up to and with `api.test` and the port
    // The bound address as a name, which has to be skipped.
    (void)co_await client.Write(
        std::string("\x05\x00\x00\x03\x03"
                    "abc\x00\x50",
                    10));
    co_await Relay(client, port);
  };
}

TEST(Socks5ProxyTest, WithAndWithoutLogin) {
  for (const char* login : {"", "user:pass@"}) {
    TestLoop t;
    Origin origin(t);
    std::string asked;
    const bool with = login[0] != '\0';
    const uint16_t port = t.ServeScripts(
        {SocksProxy(origin.server.port(), with ? "user" : "", with ? "pass" : "", asked)});
    Client client(t.executor(),
                  origin.Options(fmt::format("socks5://{}proxy.test:{}", login, port)));
    t.Run([&]() -> aio::Task<void> {
      const auto response = co_await client.Do({.target = "/a"}, kLong);
      EXPECT_THAT(response, IsOk());
      EXPECT_EQ(response->body, "/a");
    }());
    EXPECT_EQ(asked, std::string("\x05\x01\x00\x03\x08"
                                 "api.test\x19\x2b",
                                 15));
  }
}

TEST(Socks5ProxyTest, WrongPassword) {
  TestLoop t;
  Origin origin(t);
  std::string asked;
  const uint16_t port = t.ServeScripts({SocksProxy(origin.server.port(), "user", "word", asked)});
  Client client(t.executor(),
                origin.Options(fmt::format("socks5://user:pass@proxy.test:{}", port)));
  t.Run([&]() -> aio::Task<void> {
    EXPECT_THAT(co_await client.Do({}, kLong), StatusIs(absl::StatusCode::kUnauthenticated,
                                                        HasSubstr("proxy: credentials refused")));
  }());
}

TEST(Socks5ProxyTest, Failures) {
  const std::string hello("\x05\x00", 2);
  const FailureCase kCases[] = {
      {"no SOCKS", "HT", absl::StatusCode::kUnavailable, "proxy: does not speak SOCKS5"},
      {"no method", "\x05\xff", absl::StatusCode::kUnauthenticated, "no accepted authentication"},
      {"unasked login", "\x05\x02", absl::StatusCode::kUnauthenticated, "no accepted"},
      {"closed", "", absl::StatusCode::kUnavailable, "proxy: connection closed"},
      {"refused", hello + std::string("\x05\x05\x00\x01", 4), absl::StatusCode::kUnavailable,
       "proxy: connect to api.test:6443: connection refused"},
      {"unknown", hello + std::string("\x05\x7f\x00\x01", 4), absl::StatusCode::kUnavailable,
       "unknown failure"},
      {"bad address type", hello + std::string("\x05\x00\x00\x09", 4),
       absl::StatusCode::kUnavailable, "malformed SOCKS5 reply"},
      {"cut reply", hello + std::string("\x05\x00\x00\x01\x00", 5), absl::StatusCode::kUnavailable,
       "proxy: connection closed"},
      {"early bytes", hello + std::string("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00x", 11),
       absl::StatusCode::kUnavailable, "bytes before the tunnel"},
  };
  for (const FailureCase& c : kCases) {
    SCOPED_TRACE(c.name);
    TestLoop t;
    Origin origin(t);
    const uint16_t port = t.ServeScripts({[&c](net::Connection& client) -> aio::Task<void> {
      (void)co_await ReadBytes(client, 3);
      (void)co_await client.Write(c.answer.substr(0, 2));
      if (c.answer.size() <= 2) co_return;
      (void)co_await ReadBytes(client, 15);
      (void)co_await client.Write(c.answer.substr(2));
    }});
    Client client(t.executor(), origin.Options(fmt::format("socks5://proxy.test:{}", port)));
    t.Run([&]() -> aio::Task<void> {
      EXPECT_THAT(co_await client.Do({}, kLong), StatusIs(c.code, HasSubstr(c.message)));
    }());
  }
}

}  // namespace
}  // namespace calico::http
