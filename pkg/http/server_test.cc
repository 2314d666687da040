#include "pkg/http/server.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/testing/eventually.h"
#include "pkg/aio/timer.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/http/client.h"
#include "pkg/http/testing/test_loop.h"

namespace calico::http {
namespace {

using base::IsOk;
using base::IsOkAndHolds;
using base::StatusIs;
using net::ReadUntil;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr absl::Duration kLong = absl::Seconds(20);

Handler Echo() {
  return [](Request request, Peer, ResponseWriter&) -> aio::Task<std::optional<Response>> {
    co_return Response{
        .status = 200,
        .body = fmt::format("{} {} {}", request.method, request.target, request.body)};
  };
}

aio::Task<std::unique_ptr<net::Connection>> Dial(Server& server) {
  auto connection = co_await net::Connection::Connect("127.0.0.1", server.port(), nullptr);
  EXPECT_THAT(connection, IsOk());
  co_return *std::move(connection);
}

// What the server answers to `bytes` until it closes.
aio::Task<std::string> Talk(Server& server, std::string bytes) {
  const std::unique_ptr<net::Connection> connection = co_await Dial(server);
  EXPECT_THAT(co_await connection->Write(std::move(bytes)), IsOk());
  co_return co_await ReadUntil(*connection, "never sent");
}

struct TalkCase {
  const char* name;
  std::string bytes;
  std::string answer;
};

TEST(ServerTest, AnswersOnTheWire) {
  const TalkCase kCases[] = {
      {"one request", "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
       "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nGET /a "},
      {"two at once",
       "POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"
       "GET /b HTTP/1.1\r\nConnection: close\r\n\r\n",
       "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nPOST /a hi"
       "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nGET /b "},
      {"chunked request",
       "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
       "2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n",
       "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nPUT / hi!"},
      {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n",
       "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nGET / "},
      {"HEAD", "HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n",
       "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\n"},
      {"expectation",
       "PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi",
       "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nPUT / hi"},
  };
  for (const TalkCase& c : kCases) {
    SCOPED_TRACE(c.name);
    TestLoop t;
    Server& server = t.Serve(Echo());
    t.Run([&]() -> aio::Task<void> { EXPECT_EQ(co_await Talk(server, c.bytes), c.answer); }());
  }
}

TEST(ServerTest, RefusesWhatItCannotRead) {
  const TalkCase kCases[] = {
      {"no HTTP", "hello\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
      {"two lengths", "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
       "HTTP/1.1 400 Bad Request\r\n"},
      {"long head", "GET / HTTP/1.1\r\nA: " + std::string(70'000, 'x') + "\r\n\r\n",
       "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
      {"long body", "PUT / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x'),
       "HTTP/1.1 413 Content Too Large\r\n"},
      {"long chunks",
       "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x'),
       "HTTP/1.1 413 Content Too Large\r\n"},
  };
  for (const TalkCase& c : kCases) {
    SCOPED_TRACE(c.name);
    TestLoop t;
    Server& server = t.Serve(Echo(), {.max_body_bytes = 1000});
    t.Run([&]() -> aio::Task<void> {
      const std::unique_ptr<net::Connection> connection = co_await Dial(server);
      EXPECT_THAT(co_await connection->Write(c.bytes), IsOk());
      EXPECT_THAT(co_await ReadUntil(*connection),
                  AllOf(StartsWith(c.answer), HasSubstr("Connection: close")));
    }());
  }
}

TEST(ServerTest, ExpectationIsMetBeforeTheBodyComes) {
  TestLoop t;
  Server& server = t.Serve(Echo());
  t.Run([&]() -> aio::Task<void> {
    const std::unique_ptr<net::Connection> connection = co_await Dial(server);
    EXPECT_THAT(co_await connection->Write(
                    "PUT / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n"),
                IsOk());
    EXPECT_EQ(co_await ReadUntil(*connection), "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_THAT(co_await connection->Write("hi"), IsOk());
    EXPECT_THAT(co_await ReadUntil(*connection, "PUT / hi"), HasSubstr("200 OK"));
  }());
}

TEST(ServerTest, SilentAndSlowClientsAreCutOff) {
  TestLoop t;
  Server& server = t.Serve(Echo(), {.idle_timeout = absl::Milliseconds(20)});
  t.Run([&]() -> aio::Task<void> {
    EXPECT_EQ(co_await Talk(server, ""), "");
    EXPECT_THAT(co_await Talk(server, "GET / HT"), StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
    EXPECT_THAT(co_await Talk(server, "PUT / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc"),
                StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
  }());
}

TEST(ServerTest, ClientThatDoesNotReadIsCutOff) {
  TestLoop t;
  std::optional<absl::Status> status;
  Server& server = t.Serve(
      [&](Request, Peer, ResponseWriter& w) -> aio::Task<std::optional<Response>> {
        absl::Status last = co_await w.Start(200, {});
        while (last.ok()) last = co_await w.Write(std::string(1 << 20, 'x'));
        status = last;
        co_return std::nullopt;
      },
      {.idle_timeout = absl::Milliseconds(50)});
  t.Run([&]() -> aio::Task<void> {
    const std::unique_ptr<net::Connection> connection = co_await Dial(server);
    EXPECT_THAT(co_await connection->Write("GET / HTTP/1.1\r\n\r\n"), IsOk());
    while (!status.has_value()) EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(5)), IsOk());
  }());
  EXPECT_THAT(*status, StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST(ServerTest, FurtherConnectionsAreClosedAtOnce) {
  TestLoop t;
  Server& server = t.Serve(Echo(), {.max_connections = 2});
  t.Run([&]() -> aio::Task<void> {
    const std::string request = "GET / HTTP/1.1\r\n\r\n";
    const auto a = co_await Dial(server);
    const auto b = co_await Dial(server);
    for (const auto* connection : {&a, &b}) {
      EXPECT_THAT(co_await (*connection)->Write(request), IsOk());
      EXPECT_THAT(co_await ReadUntil(**connection, "GET / "), StartsWith("HTTP/1.1 200"));
    }
    const auto c = co_await Dial(server);
    EXPECT_EQ(co_await ReadUntil(*c), "");
    a->Close();
    // The place is free once the server has noticed.
    std::string answer;
    for (int i = 0; i < 200 && answer.empty(); ++i) {
      const auto d = co_await Dial(server);
      (void)co_await d->Write(request);
      answer = co_await ReadUntil(*d, "GET / ");
    }
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  }());
}

TEST(ServerTest, HandlerWithoutAResponseIsAServerError) {
  TestLoop t;
  Server& server =
      t.Serve([](Request, Peer, ResponseWriter&) -> aio::Task<std::optional<Response>> {
        co_return std::nullopt;
      });
  t.Run([&]() -> aio::Task<void> {
    EXPECT_THAT(co_await Talk(server, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"),
                StartsWith("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n"));
  }());
}

// `printf ... | nc -N`: the request, then the end of what the client sends.
TEST(ServerTest, ClientThatHalfClosesGetsItsAnswer) {
  TestLoop t;
  Server& server =
      t.Serve([](Request request, Peer, ResponseWriter&) -> aio::Task<std::optional<Response>> {
        EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(50)), IsOk());
        co_return Response{.status = 200, .body = request.target};
      });
  t.Run([&]() -> aio::Task<void> {
    const auto connection = co_await Dial(server);
    EXPECT_THAT(co_await connection->Write("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"),
                IsOk());
    connection->FinishWriting();
    EXPECT_EQ(co_await ReadUntil(*connection, "never sent"),
              "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n/a"
              "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n/b");
  }());
}

TEST(ServerTest, HandlerWithoutAClientIsCancelledAfterAWhile) {
  TestLoop t;
  std::optional<absl::Status> status;
  Server& server = t.Serve(
      [&](Request, Peer, ResponseWriter&) -> aio::Task<std::optional<Response>> {
        status = co_await aio::Sleep(kLong);
        co_return std::nullopt;
      },
      // The request has to arrive within that time too.
      {.idle_timeout = absl::Milliseconds(500)});
  t.Run([&]() -> aio::Task<void> {
    auto connection = co_await Dial(server);
    EXPECT_THAT(co_await connection->Write("GET / HTTP/1.1\r\n\r\n"), IsOk());
    connection = nullptr;
    EXPECT_TRUE(co_await aio::Eventually([&] { return status.has_value(); }));
  }());
  ASSERT_TRUE(status.has_value());
  EXPECT_THAT(*status, StatusIs(absl::StatusCode::kCancelled));
}

TEST(ServerTest, PeerAddress) {
  TestLoop t;
  Server& server =
      t.Serve([](Request, Peer peer, ResponseWriter&) -> aio::Task<std::optional<Response>> {
        EXPECT_EQ(peer.certificate_pem, "");
        co_return Response{.status = 200, .body = peer.address};
      });
  t.Run([&]() -> aio::Task<void> {
    EXPECT_THAT(co_await Talk(server, "GET / HTTP/1.0\r\n\r\n"), HasSubstr("\r\n\r\n127.0.0.1:"));
  }());
}

// --- Streaming ---

Handler Stream(std::vector<std::string> chunks, bool abort) {
  return [=](Request, Peer, ResponseWriter& w) -> aio::Task<std::optional<Response>> {
    EXPECT_THAT(co_await w.Write("x"), StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(co_await w.Start(200, {{"A", "b"}, {"Content-Length", "9"}}), IsOk());
    EXPECT_THAT(co_await w.Start(200, {}), StatusIs(absl::StatusCode::kFailedPrecondition));
    for (const std::string& chunk : chunks) EXPECT_THAT(co_await w.Write(chunk), IsOk());
    if (abort) w.Abort();
    co_return std::nullopt;
  };
}

TEST(ServerStreamTest, OnTheWire) {
  struct Case {
    const char* name;
    const char* request;
    bool abort;
    const char* answer;
  };
  const Case kCases[] = {
      {"chunks", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", false,
       "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
       "5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"},
      {"aborted", "GET / HTTP/1.1\r\n\r\n", true,
       "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n"
       "5\r\nhello\r\n10\r\n0123456789abcdef\r\n"},
      {"to HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", false,
       "HTTP/1.1 200 OK\r\nA: b\r\nConnection: close\r\n\r\nhello0123456789abcdef"},
      {"to HEAD", "HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n", false,
       "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    TestLoop t;
    // The empty chunk must not end the body.
    Server& server = t.Serve(Stream({"hello", "", "0123456789abcdef"}, c.abort));
    t.Run([&]() -> aio::Task<void> { EXPECT_EQ(co_await Talk(server, c.request), c.answer); }());
  }
}

TEST(ServerStreamTest, HandlerIsCancelledWhenTheClientLeaves) {
  TestLoop t;
  std::optional<absl::Status> status;
  Server& server =
      t.Serve([&](Request, Peer, ResponseWriter& writer) -> aio::Task<std::optional<Response>> {
        EXPECT_THAT(co_await writer.Start(200, {}), IsOk());
        status = co_await aio::Sleep(kLong);
        co_return std::nullopt;
      });
  t.Run([&]() -> aio::Task<void> {
    auto connection = co_await Dial(server);
    EXPECT_THAT(co_await connection->Write("GET / HTTP/1.1\r\n\r\n"), IsOk());
    for (int i = 0; i < 20; ++i) co_await aio::Yield();
    EXPECT_FALSE(status.has_value());
    connection = nullptr;
    for (int i = 0; i < 1000 && !status.has_value(); ++i) co_await aio::Yield();
  }());
  ASSERT_TRUE(status.has_value());
  EXPECT_THAT(*status, StatusIs(absl::StatusCode::kCancelled));
}

aio::Task<void> Watch(Client& client, std::string& got) {
  auto stream = co_await client.Open({.target = "/watch"}, kLong);
  EXPECT_THAT(stream, IsOk());
  if (!stream.ok()) co_return;
  while (true) {
    const auto piece = co_await (*stream)->Read(kLong);
    EXPECT_THAT(piece, IsOk());
    if (!piece.ok() || piece->empty()) co_return;
    got += *piece;
  }
}

TEST(ServerStreamTest, ManyWatchesAtOnce) {
  constexpr int kWatches = 300;
  TestLoop t;
  aio::Notifier event(t.executor());
  int waiting = 0;
  Server& server =
      t.Serve([&](Request, Peer, ResponseWriter& w) -> aio::Task<std::optional<Response>> {
        EXPECT_THAT(co_await w.Start(200, {}), IsOk());
        for (int i = 0; i < 2; ++i) {
          ++waiting;
          EXPECT_THAT(co_await event.Wait(), IsOk());
          EXPECT_THAT(co_await w.Write(fmt::format("event {}\n", i)), IsOk());
        }
        co_return std::nullopt;
      });
  Client client(t.executor(), {.origin = fmt::format("http://127.0.0.1:{}", server.port()),
                               .max_connections = kWatches});
  std::vector<std::string> got(kWatches);
  t.Run([&]() -> aio::Task<void> {
    aio::TaskGroup group(t.executor());
    for (std::string& text : got) group.Spawn(Watch(client, text));
    for (int i = 1; i <= 2; ++i) {
      while (waiting < i * kWatches) co_await aio::Yield();
      event.Notify();
    }
    co_await group.Join();
  }());
  for (const std::string& text : got) EXPECT_EQ(text, "event 0\nevent 1\n");
}

// --- Start and stop ---

TEST(ServerTest, StopClosesConnectionsAndCancelsHandlers) {
  TestLoop t;
  std::optional<absl::Status> status;
  auto server = Server::Listen(
      t.executor(), {}, [&](Request, Peer, ResponseWriter&) -> aio::Task<std::optional<Response>> {
        status = co_await aio::Sleep(kLong);
        co_return Response{.status = 200};
      });
  ASSERT_THAT(server, IsOk());
  t.Run([&]() -> aio::Task<void> {
    aio::TaskGroup group(t.executor());
    group.Spawn((*server)->Run());
    const auto busy = co_await Dial(**server);
    const auto idle = co_await Dial(**server);
    EXPECT_THAT(co_await busy->Write("GET / HTTP/1.1\r\n\r\n"), IsOk());
    for (int i = 0; i < 20; ++i) co_await aio::Yield();
    (*server)->Stop();
    co_await group.Join();
    EXPECT_EQ(co_await ReadUntil(*busy), "");
    EXPECT_EQ(co_await ReadUntil(*idle), "");
    EXPECT_THAT(co_await net::Connection::Connect("127.0.0.1", (*server)->port(), nullptr),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("refused")));
  }());
  ASSERT_TRUE(status.has_value());
  EXPECT_THAT(*status, StatusIs(absl::StatusCode::kCancelled));
}

TEST(ServerTest, StopBeforeRun) {
  TestLoop t;
  auto server = Server::Listen(t.executor(), {}, Echo());
  ASSERT_THAT(server, IsOk());
  (*server)->Stop();
  t.Run((*server)->Run());
}

TEST(ServerTest, ListenErrorsNameTheAddress) {
  TestLoop t;
  Server& server = t.Serve(Echo());
  EXPECT_THAT(
      Server::Listen(t.executor(), {.port = server.port()}, Echo()),
      StatusIs(absl::StatusCode::kUnavailable,
               fmt::format("listen on 127.0.0.1:{}: address already in use", server.port())));
  EXPECT_THAT(Server::Listen(t.executor(), {.address = "nonsense", .port = 1}, Echo()),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("listen on nonsense:1: ")));
  EXPECT_THAT(Server::Listen(t.executor(), {.tls = net::TlsServerOptions{}}, Echo()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("server certificate")));
  t.Run([]() -> aio::Task<void> { co_return; }());
}

}  // namespace
}  // namespace calico::http
