#include "pkg/http/client.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/http/testing/test_loop.h"
#include "pkg/net/dialer.h"

namespace calico::http {
namespace {

using base::IsOk;
using base::StatusIs;
using net::AnswerAll;
using net::AnswerAndClose;
using net::ReadUntil;
using net::Silence;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::Duration kLong = absl::Seconds(20);
constexpr absl::Duration kShort = absl::Milliseconds(20);
constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string Origin(uint16_t port) { return fmt::format("http://127.0.0.1:{}", port); }

aio::Task<void> YieldTimes(int times) {
  for (int i = 0; i < times; ++i) co_await aio::Yield();
}

// Answers with what was asked, and remembers the connections.
struct Echo {
  std::set<std::string> peers;

  Handler handler() {
    return
        [this](Request request, Peer peer, ResponseWriter&) -> aio::Task<std::optional<Response>> {
          peers.insert(peer.address);
          co_return Response{
              .status = 200,
              .headers = {{"X-Host", std::string(*FindHeader(request.headers, "Host"))},
                          {"X-Agent", std::string(*FindHeader(request.headers, "User-Agent"))}},
              .body = fmt::format("{} {} [{}]", request.method, request.target, request.body)};
        };
  }
};

template <class T>
aio::Task<void> Store(aio::Task<T> task, std::optional<T>& out) {
  out = co_await std::move(task);
}

// --- Requests and connections ---

TEST(ClientTest, SendsAllPartsAndKeepsTheConnection) {
  TestLoop t;
  Echo echo;
  Server& server = t.Serve(echo.handler());
  Client client(t.executor(), {.origin = Origin(server.port()) + "/prefix/", .user_agent = "test"});
  t.Run([&]() -> aio::Task<void> {
    for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
      const auto response = co_await client.Do({.method = method,
                                                .target = "/a?b=%20",
                                                .body = method == std::string("GET") ? "" : "{}"},
                                               kLong);
      EXPECT_THAT(response, IsOk());
      EXPECT_EQ(response->body, fmt::format("{} /prefix/a?b=%20 [{}]", method,
                                            method == std::string("GET") ? "" : "{}"));
      EXPECT_EQ(FindHeader(response->headers, "x-host"),
                fmt::format("127.0.0.1:{}", server.port()));
      EXPECT_EQ(FindHeader(response->headers, "x-agent"), "test");
    }
  }());
  EXPECT_EQ(echo.peers.size(), 1u);
  EXPECT_GT(client.bytes_received(), 5u * 40);
}

TEST(ClientTest, LargeBodiesBothWays) {
  TestLoop t;
  Server& server = t.Serve(
      [](Request request, Peer, ResponseWriter&) -> aio::Task<std::optional<Response>> {
        co_return Response{.status = 200, .body = std::move(request.body)};
      },
      {.max_body_bytes = 16 << 20});
  Client client(t.executor(), {.origin = Origin(server.port())});
  std::string body(10 << 20, 'x');
  for (size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('a' + i % 26);
  t.Run([&]() -> aio::Task<void> {
    const auto response = co_await client.Do({.method = "POST", .body = body}, kLong);
    EXPECT_THAT(response, IsOk());
    EXPECT_TRUE(response->body == body);
  }());
}

TEST(ClientTest, HeadAndNoContentLeaveTheConnectionInOrder) {
  TestLoop t;
  std::set<std::string> peers;
  Server& server =
      t.Serve([&](Request r, Peer peer, ResponseWriter&) -> aio::Task<std::optional<Response>> {
        peers.insert(peer.address);
        if (r.method == "DELETE") co_return Response{.status = 204};
        co_return Response{.status = 200, .body = "body"};
      });
  Client client(t.executor(), {.origin = Origin(server.port())});
  t.Run([&]() -> aio::Task<void> {
    const auto head = co_await client.Do({.method = "HEAD"}, kLong);
    EXPECT_THAT(head, IsOk());
    EXPECT_EQ(FindHeader(head->headers, "Content-Length"), "4");
    EXPECT_EQ(head->body, "");
    const auto deleted = co_await client.Do({.method = "DELETE"}, kLong);
    EXPECT_THAT(deleted, IsOk());
    EXPECT_EQ(deleted->status, 204);
    EXPECT_EQ((co_await client.Do({}, kLong))->body, "body");
  }());
  EXPECT_EQ(peers.size(), 1u);
}

TEST(ClientTest, RequestsThatCouldSmuggleAreRefused) {
  TestLoop t;
  int connections = 0;
  const uint16_t port = t.ServeScripts({AnswerAll(kOk)}, &connections);
  Client client(t.executor(), {.origin = Origin(port)});
  const Request kRequests[] = {
      {.target = "/a b"},
      {.target = "/a\r\nX: y"},
      {.target = ""},
      {.target = "http://elsewhere/"},
      {.method = "GET /x HTTP/1.1\r\nA:"},
      {.headers = {{"A", "b\r\nC: d"}}},
      {.headers = {{"A", std::string("b\0c", 3)}}},
      {.headers = {{"A b", "c"}}},
      {.headers = {{"", "c"}}},
  };
  t.Run([&]() -> aio::Task<void> {
    for (const Request& request : kRequests) {
      EXPECT_THAT(co_await client.Do(request, kLong), StatusIs(absl::StatusCode::kInvalidArgument));
    }
  }());
  EXPECT_EQ(connections, 0);
}

TEST(ClientTest, BadOptionsAreReportedByEachCall) {
  TestLoop t;
  Client no_scheme(t.executor(), {.origin = "10.0.0.1:6443"});
  Client socks(t.executor(), {.origin = "socks5://10.0.0.1"});
  Client proxy(t.executor(), {.origin = "https://10.0.0.1", .proxy = "http://u:secret@:0"});
  t.Run([&]() -> aio::Task<void> {
    EXPECT_THAT(co_await no_scheme.Do({}, kLong),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("origin: parse URL")));
    EXPECT_THAT(co_await socks.Do({}, kLong), StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(co_await proxy.Do({}, kLong),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("proxy: parse URL"), Not(HasSubstr("secret")))));
  }());
}

TEST(ClientTest, ConcurrentCallsUseSeveralConnectionsAndShareThemLater) {
  TestLoop t;
  Echo echo;
  Server& server = t.Serve(echo.handler());
  Client client(t.executor(), {.origin = Origin(server.port()), .max_connections = 3});
  std::vector<std::optional<absl::StatusOr<Response>>> results(20);
  t.Run([&]() -> aio::Task<void> {
    aio::TaskGroup group(t.executor());
    for (auto& result : results) group.Spawn(Store(client.Do({}, kLong), result));
    co_await group.Join();
  }());
  for (const auto& result : results) EXPECT_THAT(*result, IsOk());
  EXPECT_EQ(echo.peers.size(), 3u);
}

TEST(ClientTest, MoreConnectionsServeTheWaitingCalls) {
  TestLoop t;
  aio::Notifier go(t.executor());
  int arrived = 0;
  Server& server =
      t.Serve([&](Request, Peer, ResponseWriter&) -> aio::Task<std::optional<Response>> {
        if (++arrived < 3) {
          (void)co_await go.Wait(kLong);
        } else {
          go.Notify();
        }
        co_return Response{.status = 200};
      });
  Client client(t.executor(), {.origin = Origin(server.port()), .max_connections = 1});
  std::vector<std::optional<absl::StatusOr<Response>>> results(3);
  t.Run([&]() -> aio::Task<void> {
    aio::TaskGroup group(t.executor());
    for (auto& result : results) group.Spawn(Store(client.Do({}, kLong), result));
    co_await YieldTimes(20);
    EXPECT_LE(arrived, 1);
    client.SetMaxConnections(3);
    co_await group.Join();
  }());
  for (const auto& result : results) EXPECT_THAT(*result, IsOk());
  EXPECT_EQ(arrived, 3);
}

TEST(ClientTest, CloseIdleMakesTheNextCallConnect) {
  TestLoop t;
  Echo echo;
  Server& server = t.Serve(echo.handler());
  Client client(t.executor(), {.origin = Origin(server.port())});
  t.Run([&]() -> aio::Task<void> {
    EXPECT_THAT(co_await client.Do({}, kLong), IsOk());
    client.CloseIdle();
    EXPECT_THAT(co_await client.Do({}, kLong), IsOk());
  }());
  EXPECT_EQ(echo.peers.size(), 2u);
}

TEST(ClientTest, CloseIdleHoldsForWhatIsInUseToo) {
  TestLoop t;
  Echo echo;
  Server& server = t.Serve(echo.handler());
  Client client(t.executor(), {.origin = Origin(server.port())});
  t.Run([&]() -> aio::Task<void> {
    auto stream = co_await client.Open({}, kLong);
    EXPECT_THAT(stream, IsOk());
    if (!stream.ok()) co_return;
    client.CloseIdle();
    auto piece = co_await (*stream)->Read(kLong);
    while (piece.ok() && !piece->empty()) piece = co_await (*stream)->Read(kLong);
    EXPECT_THAT(piece, IsOk());
    stream->reset();
    EXPECT_THAT(co_await client.Do({}, kLong), IsOk());
  }());
  EXPECT_EQ(echo.peers.size(), 2u);
}

TEST(ClientTest, OldIdleConnectionsAreNotUsed) {
  TestLoop t;
  Echo echo;
  Server& server = t.Serve(echo.handler());
  Client client(t.executor(),
                {.origin = Origin(server.port()), .idle_timeout = absl::Milliseconds(1)});
  t.Run([&]() -> aio::Task<void> {
    EXPECT_THAT(co_await client.Do({}, kLong), IsOk());
    EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(3)), IsOk());
    EXPECT_THAT(co_await client.Do({}, kLong), IsOk());
  }());
  EXPECT_EQ(echo.peers.size(), 2u);
}

// --- Stale connections ---

TEST(ClientTest, ConnectionClosedWhileIdleIsReplaced) {
  TestLoop t;
  int connections = 0;
  const uint16_t port = t.ServeScripts({AnswerAndClose(kOk), AnswerAll(kOk)}, &connections);
  Client client(t.executor(), {.origin = Origin(port)});
  t.Run([&]() -> aio::Task<void> {
    EXPECT_THAT(co_await client.Do({}, kLong), IsOk());
    co_await YieldTimes(20);  // the server's close arrives
    EXPECT_THAT(co_await client.Do({.method = "POST", .body = "x"}, kLong), IsOk());
  }());
  EXPECT_EQ(connections, 2);
}

// Answers one request, reads the next, and closes without a word.
aio::Task<void> CloseOnTheSecond(net::Connection& connection) {
  (void)co_await ReadUntil(connection);
  (void)co_await connection.Write(kOk);
  (void)co_await ReadUntil(connection);
}

struct RepeatCase {
  const char* method;
  std::optional<bool> repeatable;
  bool replaced;
};

TEST(ClientTest, ConnectionClosedUnderTheRequestIsReplacedOnceIfTheRequestMayBeRepeated) {
  const RepeatCase kCases[] = {
      {"GET", std::nullopt, true}, {"HEAD", std::nullopt, true},    {"GET", false, false},
      {"POST", true, true},        {"POST", std::nullopt, false},   {"PUT", std::nullopt, false},
      {"PATCH", true, true},       {"DELETE", std::nullopt, false}, {"DELETE", true, true},
  };
  for (const RepeatCase& c : kCases) {
    SCOPED_TRACE(fmt::format("{} {}", c.method, c.replaced));
    TestLoop t;
    int connections = 0;
    const uint16_t port = t.ServeScripts({CloseOnTheSecond, AnswerAll(kOk)}, &connections);
    Client client(t.executor(), {.origin = Origin(port)});
    t.Run([&]() -> aio::Task<void> {
      EXPECT_THAT(co_await client.Do({}, kLong), IsOk());
      const auto second =
          co_await client.Do({.method = c.method, .repeatable = c.repeatable}, kLong);
      if (c.replaced) {
        EXPECT_THAT(second, IsOk());
      } else {
        EXPECT_THAT(second, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("closed by peer")));
        EXPECT_FALSE(NotSent(second.status()));
      }
    }());
    EXPECT_EQ(connections, c.replaced ? 2 : 1);
  }
}

TEST(ClientTest, ReplacementThatClosesTooIsAnError) {
  TestLoop t;
  int connections = 0;
  const uint16_t port = t.ServeScripts({CloseOnTheSecond, AnswerAndClose("")}, &connections);
  Client client(t.executor(), {.origin = Origin(port)});
  t.Run([&]() -> aio::Task<void> {
    EXPECT_THAT(co_await client.Do({}, kLong), IsOk());
    EXPECT_THAT(co_await client.Do({}, kLong),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("closed by peer")));
  }());
  EXPECT_EQ(connections, 2);
}

TEST(ClientTest, FreshConnectionThatClosesIsNotRetried) {
  TestLoop t;
  int connections = 0;
  const uint16_t port = t.ServeScripts({AnswerAndClose("")}, &connections);
  Client client(t.executor(), {.origin = Origin(port)});
  t.Run([&]() -> aio::Task<void> {
    EXPECT_THAT(co_await client.Do({}, kLong),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("closed by peer")));
  }());
  EXPECT_EQ(connections, 1);
}

TEST(ClientTest, UnaskedBytesMakeAConnectionUnusable) {
  TestLoop t;
  int connections = 0;
  const std::string two = std::string(kOk) + kOk;
  const uint16_t port = t.ServeScripts({AnswerAll(two), AnswerAll(kOk)}, &connections);
  Client client(t.executor(), {.origin = Origin(port)});
  t.Run([&]() -> aio::Task<void> {
    EXPECT_EQ((co_await client.Do({}, kLong))->body, "ok");
    EXPECT_EQ((co_await client.Do({}, kLong))->body, "ok");
  }());
  EXPECT_EQ(connections, 2);
}

// --- Broken and hostile answers ---

struct AnswerCase {
  const char* name;
  std::string bytes;
  absl::StatusCode code;
  const char* message;
};

TEST(ClientTest, BadAnswers) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const AnswerCase kCases[] = {
      {"cut head", "HTTP/1.1 200 OK\r\nA: b\r\n", absl::StatusCode::kUnavailable, "closed by peer"},
      {"cut body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
       absl::StatusCode::kUnavailable, "in the middle"},
      {"cut chunks", chunked + "5\r\nab", absl::StatusCode::kUnavailable, "in the middle"},
      {"no last chunk", chunked + "2\r\nab\r\n", absl::StatusCode::kUnavailable, "in the middle"},
      {"bad chunk", chunked + "zz\r\n", absl::StatusCode::kUnavailable, "malformed HTTP"},
      {"no HTTP", "hello, I am an FTP server\r\n\r\n", absl::StatusCode::kUnavailable,
       "malformed HTTP"},
      {"long head", "HTTP/1.1 200 OK\r\nA: " + std::string(2000, 'x') + "\r\n\r\n",
       absl::StatusCode::kResourceExhausted, "headers are larger"},
      {"long length", "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
       absl::StatusCode::kResourceExhausted, "response body is larger than 1000 bytes"},
      {"long chunks", chunked + "3e9\r\n" + std::string(1001, 'x') + "\r\n0\r\n\r\n",
       absl::StatusCode::kResourceExhausted, "response body is larger than 1000 bytes"},
      {"long until close", "HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, 'x'),
       absl::StatusCode::kResourceExhausted, "response body is larger than 1000 bytes"},
  };
  for (const AnswerCase& c : kCases) {
    SCOPED_TRACE(c.name);
    TestLoop t;
    const uint16_t port = t.ServeScripts({AnswerAndClose(c.bytes)});
    Client client(t.executor(),
                  {.origin = Origin(port), .max_header_bytes = 1000, .max_body_bytes = 1000});
    t.Run([&]() -> aio::Task<void> {
      EXPECT_THAT(co_await client.Do({}, kLong), StatusIs(c.code, HasSubstr(c.message)));
    }());
  }
}

TEST(ClientTest, BodiesUpToTheBoundAndUntilClose) {
  for (const std::string& head :
       {std::string("HTTP/1.1 200 OK\r\n\r\n"),
        std::string(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")}) {
    TestLoop t;
    const uint16_t port = t.ServeScripts({AnswerAndClose(head + std::string(1000, 'x'))});
    Client client(t.executor(), {.origin = Origin(port), .max_body_bytes = 1000});
    t.Run([&]() -> aio::Task<void> {
      const auto response = co_await client.Do({}, kLong);
      EXPECT_THAT(response, IsOk());
      EXPECT_EQ(response->body, std::string(1000, 'x'));
    }());
  }
}

TEST(ClientTest, AnswerBeforeTheRequestWasReadIsUsed) {
  TestLoop t;
  const uint16_t port = t.ServeScripts({[](net::Connection& connection) -> aio::Task<void> {
    (void)co_await connection.Write("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    // Reads a part, so that the client still writes when this side closes.
    (void)co_await ReadUntil(connection);
  }});
  Client client(t.executor(), {.origin = Origin(port)});
  t.Run([&]() -> aio::Task<void> {
    const auto response =
        co_await client.Do({.method = "POST", .body = std::string(64, 'x')}, kLong);
    EXPECT_THAT(response, IsOk());
    EXPECT_EQ(response->status, 413);
  }());
}

// --- Deadlines and cancellation ---

TEST(ClientTest, DeadlineNamesWhatTheCallWaitedFor) {
  TestLoop t;
  int connections = 0;
  const uint16_t port = t.ServeScripts({Silence()}, &connections);
  Client client(t.executor(), {.origin = Origin(port)});
  t.Run([&]() -> aio::Task<void> {
    EXPECT_THAT(co_await client.Do({}, kShort),
                StatusIs(absl::StatusCode::kDeadlineExceeded,
                         fmt::format("127.0.0.1:{}: timed out after 20ms while waiting for the "
                                     "response",
                                     port)));
    EXPECT_THAT(co_await client.Do({}, kShort), StatusIs(absl::StatusCode::kDeadlineExceeded));
  }());
  EXPECT_EQ(connections, 2);  // the connection of a timed out call is not used again
}

aio::Task<void> HeadByBytes(net::Connection& connection) {
  for (const char c : std::string("HTTP/1.1 200 OK\r\nX: ")) {
    if (!(co_await connection.Write(std::string(1, c))).ok()) co_return;
    if (!(co_await aio::Sleep(absl::Milliseconds(1))).ok()) co_return;
  }
  (void)co_await ReadUntil(connection, "never");
}

TEST(ClientTest, SlowHeadAndSlowBodyDoNotMoveTheDeadline) {
  TestLoop t;
  const uint16_t port = t.ServeScripts(
      {HeadByBytes, [](net::Connection& connection) -> aio::Task<void> {
         (void)co_await connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
         while ((co_await connection.Write("x")).ok()) {
           if (!(co_await aio::Sleep(absl::Milliseconds(1))).ok()) co_return;
         }
       }});
  Client client(t.executor(), {.origin = Origin(port)});
  t.Run([&]() -> aio::Task<void> {
    EXPECT_THAT(
        co_await client.Do({}, absl::Milliseconds(50)),
        StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("waiting for the response")));
    EXPECT_THAT(co_await client.Do({}, absl::Milliseconds(50)),
                StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("reading the response")));
  }());
}

TEST(ClientTest, TimeoutOnAKeptConnectionDropsTheOthers) {
  TestLoop t;
  int connections = 0;
  const auto once = [](net::Connection& connection) -> aio::Task<void> {
    (void)co_await ReadUntil(connection);
    (void)co_await connection.Write(kOk);
    (void)co_await ReadUntil(connection, "never");
  };
  const uint16_t port = t.ServeScripts({once, once, AnswerAll(kOk)}, &connections);
  Client client(t.executor(), {.origin = Origin(port)});
  t.Run([&]() -> aio::Task<void> {
    std::optional<absl::StatusOr<Response>> a, b;
    aio::TaskGroup group(t.executor());
    group.Spawn(Store(client.Do({}, kLong), a));
    group.Spawn(Store(client.Do({}, kLong), b));
    co_await group.Join();
    EXPECT_EQ(connections, 2);
    EXPECT_THAT(co_await client.Do({}, kShort), StatusIs(absl::StatusCode::kDeadlineExceeded));
    EXPECT_THAT(co_await client.Do({}, kLong), IsOk());
  }());
  EXPECT_EQ(connections, 3);
}

TEST(ClientTest, CancellationIsReportedAndLeavesNothingBehind) {
  TestLoop t;
  const uint16_t port = t.ServeScripts({Silence()});
  Client client(t.executor(), {.origin = Origin(port), .max_connections = 1});
  std::optional<absl::StatusOr<Response>> waiting, queued;
  t.Run([&]() -> aio::Task<void> {
    aio::TaskGroup group(t.executor());
    group.Spawn(Store(client.Do({}, kLong), waiting));
    group.Spawn(Store(client.Do({}, kLong), queued));
    co_await YieldTimes(20);
    co_await group.Stop();
  }());
  EXPECT_THAT(*waiting, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(*queued, StatusIs(absl::StatusCode::kCancelled));
}

// --- The bound on connections ---

TEST(ClientTest, FurtherCallsWaitForAFreeConnectionInOrder) {
  TestLoop t;
  aio::Notifier go(t.executor());
  std::vector<std::string> served;
  Server& server =
      t.Serve([&](Request r, Peer, ResponseWriter&) -> aio::Task<std::optional<Response>> {
        served.push_back(r.target);
        if (r.target == "/0") (void)co_await go.Wait();
        co_return Response{.status = 200};
      });
  Client client(t.executor(), {.origin = Origin(server.port()), .max_connections = 1});
  std::vector<std::optional<absl::StatusOr<Response>>> results(4);
  t.Run([&]() -> aio::Task<void> {
    aio::TaskGroup group(t.executor());
    for (size_t i = 0; i < results.size(); ++i) {
      group.Spawn(Store(client.Do({.target = fmt::format("/{}", i)}, kLong), results[i]));
    }
    co_await YieldTimes(20);
    EXPECT_THAT(co_await client.Do({}, kShort),
                StatusIs(absl::StatusCode::kDeadlineExceeded,
                         HasSubstr("while waiting for a free connection")));
    go.Notify();
    co_await group.Join();
  }());
  EXPECT_EQ(served, (std::vector<std::string>{"/0", "/1", "/2", "/3"}));
}

// --- Streams ---

aio::Task<std::string> ReadAll(ResponseStream& stream) {
  std::string all;
  while (true) {
    const absl::StatusOr<std::string> piece = co_await stream.Read(kLong);
    EXPECT_THAT(piece, IsOk());
    if (!piece.ok() || piece->empty()) co_return all;
    all += *piece;
  }
}

TEST(ClientStreamTest, PiecesArriveAsTheyAreWrittenAndTheConnectionIsKept) {
  TestLoop t;
  aio::Notifier go(t.executor());
  std::set<std::string> peers;
  Server& server =
      t.Serve([&](Request, Peer peer, ResponseWriter& w) -> aio::Task<std::optional<Response>> {
        peers.insert(peer.address);
        EXPECT_THAT(co_await w.Start(200, {{"Content-Type", "application/json"}}), IsOk());
        EXPECT_THAT(co_await w.Write("first\n"), IsOk());
        EXPECT_THAT(co_await go.Wait(), IsOk());
        EXPECT_THAT(co_await w.Write("second\n"), IsOk());
        co_return std::nullopt;
      });
  Client client(t.executor(), {.origin = Origin(server.port())});
  t.Run([&]() -> aio::Task<void> {
    for (int i = 0; i < 2; ++i) {
      auto stream = co_await client.Open({}, kLong);
      EXPECT_THAT(stream, IsOk());
      EXPECT_EQ((*stream)->head().status, 200);
      EXPECT_EQ(FindHeader((*stream)->head().headers, "content-type"), "application/json");
      EXPECT_THAT(co_await (*stream)->Read(kLong), base::IsOkAndHolds("first\n"));
      go.Notify();
      EXPECT_EQ(co_await ReadAll(**stream), "second\n");
      // Read to its end: a further read says so again, and the connection is free already.
      EXPECT_THAT(co_await (*stream)->Read(kLong), base::IsOkAndHolds(""));
    }
  }());
  EXPECT_EQ(peers.size(), 1u);
}

TEST(ClientStreamTest, IdleLimitEndsTheStream) {
  TestLoop t;
  Server& server =
      t.Serve([&](Request, Peer, ResponseWriter& w) -> aio::Task<std::optional<Response>> {
        (void)co_await w.Start(200, {});
        (void)co_await w.Write("x");
        (void)co_await aio::Sleep(kLong);
        co_return std::nullopt;
      });
  Client client(t.executor(), {.origin = Origin(server.port()), .max_connections = 1});
  t.Run([&]() -> aio::Task<void> {
    auto stream = co_await client.Open({}, kLong);
    EXPECT_THAT(stream, IsOk());
    EXPECT_THAT(co_await (*stream)->Read(kLong), base::IsOkAndHolds("x"));
    EXPECT_THAT(co_await (*stream)->Read(kShort),
                StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("timed out after 20ms")));
    EXPECT_THAT(co_await (*stream)->Read(kLong), StatusIs(absl::StatusCode::kDeadlineExceeded));
    // The connection is gone, so another one may be made while this stream still lives.
    EXPECT_THAT(co_await client.Open({}, kLong), IsOk());
  }());
}

TEST(ClientStreamTest, BrokenStreamIsUnavailable) {
  TestLoop t;
  const uint16_t port = t.ServeScripts(
      {AnswerAndClose("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5\r\nde")});
  Client client(t.executor(), {.origin = Origin(port)});
  t.Run([&]() -> aio::Task<void> {
    auto stream = co_await client.Open({}, kLong);
    EXPECT_THAT(stream, IsOk());
    std::string got;
    absl::Status status;
    while (status.ok()) {
      const auto piece = co_await (*stream)->Read(kLong);
      status = piece.status();
      if (piece.ok()) got += *piece;
    }
    EXPECT_EQ(got, "abcde");
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable,
                                 HasSubstr("connection closed in the middle")));
  }());
}

TEST(ClientStreamTest, DestroyedEarlyClosesTheConnectionAndFreesItsPlace) {
  TestLoop t;
  int cancelled = 0;
  Server& server =
      t.Serve([&](Request, Peer, ResponseWriter& w) -> aio::Task<std::optional<Response>> {
        (void)co_await w.Start(200, {});
        (void)co_await w.Write("x");
        if (!(co_await aio::Sleep(kLong)).ok()) ++cancelled;
        co_return std::nullopt;
      });
  Client client(t.executor(), {.origin = Origin(server.port()), .max_connections = 1});
  t.Run([&]() -> aio::Task<void> {
    for (int i = 0; i < 3; ++i) {
      auto stream = co_await client.Open({}, kLong);
      EXPECT_THAT(stream, IsOk());
      std::optional<absl::StatusOr<std::unique_ptr<ResponseStream>>> next;
      aio::TaskGroup group(t.executor());
      group.Spawn(Store(client.Open({}, kLong), next));
      co_await YieldTimes(20);
      EXPECT_FALSE(next.has_value());  // waits for the only connection
      *stream = nullptr;
      co_await group.Join();
      EXPECT_THAT(*next, IsOk());
    }
    // The server notices, and cancels the handlers.
    for (int i = 0; i < 1000 && cancelled < 6; ++i) co_await aio::Yield();
    EXPECT_EQ(cancelled, 6);
  }());
}

TEST(ClientStreamTest, ReadIsCancellable) {
  TestLoop t;
  Server& server =
      t.Serve([&](Request, Peer, ResponseWriter& w) -> aio::Task<std::optional<Response>> {
        (void)co_await w.Start(200, {});
        (void)co_await aio::Sleep(kLong);
        co_return std::nullopt;
      });
  Client client(t.executor(), {.origin = Origin(server.port())});
  std::optional<absl::StatusOr<std::string>> piece;
  t.Run([&]() -> aio::Task<void> {
    auto stream = co_await client.Open({}, kLong);
    EXPECT_THAT(stream, IsOk());
    aio::TaskGroup group(t.executor());
    group.Spawn(Store((*stream)->Read(kLong), piece));
    co_await YieldTimes(20);
    co_await group.Stop();
  }());
  EXPECT_THAT(*piece, StatusIs(absl::StatusCode::kCancelled));
}

// --- Several addresses ---

// Names an origin that resolves to `addresses`, and counts the lookups.
ClientOptions OptionsFor(std::vector<std::string> addresses, uint16_t port, int& lookups) {
  return {.origin = fmt::format("http://api.test:{}", port),
          .resolve = [addresses, &lookups](
                         std::string host) -> aio::Task<absl::StatusOr<std::vector<std::string>>> {
            EXPECT_EQ(host, "api.test");
            ++lookups;
            co_return addresses;
          }};
}

TEST(ClientAddressTest, DeadAddressIsPassedOverAndTheGoodOneRemembered) {
  TestLoop t;
  Echo echo;
  Server& server = t.Serve(echo.handler());
  int lookups = 0;
  // Nothing listens on the first.
  Client client(t.executor(), OptionsFor({"127.0.0.2", "127.0.0.1"}, server.port(), lookups));
  t.Run([&]() -> aio::Task<void> {
    for (int i = 0; i < 3; ++i) {
      EXPECT_THAT(co_await client.Do({}, kLong), IsOk());
      EXPECT_THAT(co_await client.Do({}, kLong), IsOk());
      client.CloseIdle();
    }
  }());
  EXPECT_EQ(lookups, 3);  // one for each new connection
}

TEST(ClientAddressTest, AddressThatUsedUpACallsTimeIsNotTriedFirstByTheNext) {
  TestLoop t;
  int dead_connections = 0;
  const uint16_t port = t.ServeScripts({AnswerAll(kOk)});
  // The other accepts and is silent; a proxy hop makes the dial wait for its first byte.
  t.ServeScripts({Silence()}, &dead_connections, "127.0.0.2", port);
  int lookups = 0;
  ClientOptions options = OptionsFor({"127.0.0.2", "127.0.0.1"}, port, lookups);
  options.proxy = fmt::format("socks5://api.test:{}", port);
  Client client(t.executor(), options);
  t.Run([&]() -> aio::Task<void> {
    // The addresses share the time of the very first connection; then each may use up a call's.
    EXPECT_FALSE((co_await client.Do({}, kShort)).ok());
    EXPECT_EQ(dead_connections, 1);
    EXPECT_THAT(co_await client.Do({}, kShort),
                StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("while connecting")));
    // The live one does not speak SOCKS, but it was asked first this time.
    EXPECT_THAT(co_await client.Do({}, absl::Milliseconds(200)),
                StatusIs(absl::StatusCode::kDeadlineExceeded));
  }());
  EXPECT_EQ(dead_connections, 2);
}

TEST(ClientAddressTest, SilentAddressIsGivenUpAfterTheConnectTimeout) {
  TestLoop t;
  int silent = 0;
  const uint16_t port = t.ServeScripts({[](net::Connection& connection) -> aio::Task<void> {
    // A SOCKS proxy that is also the server.
    (void)co_await ReadUntil(connection, std::string_view("\x05\x01\x00", 3));
    (void)co_await connection.Write(std::string("\x05\x00", 2));
    (void)co_await ReadUntil(connection, "api.test");
    (void)co_await connection.Write(std::string("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", 10));
    (void)co_await ReadUntil(connection);
    (void)co_await connection.Write(kOk);
  }});
  t.ServeScripts({Silence()}, &silent, "127.0.0.2", port);
  int lookups = 0;
  ClientOptions options = OptionsFor({"127.0.0.2", "127.0.0.1"}, port, lookups);
  options.proxy = fmt::format("socks5://api.test:{}", port);
  options.connect_timeout = kShort;
  Client client(t.executor(), options);
  t.Run([&]() -> aio::Task<void> {
    EXPECT_THAT(co_await client.Do({}, kLong), IsOk());
    client.CloseIdle();
    EXPECT_THAT(co_await client.Do({}, kLong), IsOk());
  }());
  EXPECT_EQ(silent, 1);
}

TEST(ClientAddressTest, AllDeadNamesEach) {
  TestLoop t;
  uint16_t port = 0;
  {
    // A port that was free a moment ago.
    auto listener = net::Listener::Listen(t.executor(), "127.0.0.1", 0);
    ASSERT_THAT(listener, IsOk());
    port = (*listener)->port();
  }
  int lookups = 0;
  Client client(t.executor(), OptionsFor({"127.0.0.2", "127.0.0.3"}, port, lookups));
  t.Run([&]() -> aio::Task<void> {
    const absl::Status status = (co_await client.Do({}, kLong)).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable,
                                 fmt::format("api.test:{0}: connect 127.0.0.2:{0}: connect: "
                                             "connection refused; connect 127.0.0.3:{0}: connect: "
                                             "connection refused",
                                             port)));
    EXPECT_TRUE(NotSent(status));
  }());
}

TEST(ClientAddressTest, LookupFailures) {
  TestLoop t;
  int lookups = 0;
  Client none(t.executor(), OptionsFor({}, 1, lookups));
  ClientOptions options = OptionsFor({}, 1, lookups);
  options.resolve = [](std::string) -> aio::Task<absl::StatusOr<std::vector<std::string>>> {
    (void)co_await aio::Sleep(absl::InfiniteDuration());
    co_return absl::CancelledError("look up: cancelled");
  };
  Client slow(t.executor(), options);
  t.Run([&]() -> aio::Task<void> {
    EXPECT_THAT(co_await none.Do({}, kLong), StatusIs(absl::StatusCode::kUnavailable,
                                                      HasSubstr("look up api.test: no address")));
    EXPECT_THAT(co_await slow.Do({}, kShort),
                StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("while connecting")));
  }());
}

TEST(ClientAddressTest, SystemResolverFindsLocalhost) {
  TestLoop t;
  Echo echo;
  Server& server = t.Serve(echo.handler());
  Client client(t.executor(), {.origin = fmt::format("http://localhost:{}", server.port())});
  t.Run([&]() -> aio::Task<void> { EXPECT_THAT(co_await client.Do({}, kLong), IsOk()); }());
}

}  // namespace
}  // namespace calico::http
