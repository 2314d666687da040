#include "pkg/http/parser.h"

#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::http {
namespace {

using base::IsOk;
using base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

struct Outcome {
  absl::Status status;
  std::string body;
};

// Feeds `text` in pieces of `step` bytes.
Outcome Feed(MessageParser& parser, std::string_view text, size_t step) {
  Outcome out;
  for (size_t i = 0; i < text.size() && out.status.ok(); i += step) {
    out.status = parser.Feed(text.substr(i, step));
    out.body += parser.TakeBody();
  }
  return out;
}

struct ResponseCase {
  const char* name;
  std::string text;
  int status;
  std::string body;
  std::string rest;
  bool keep_alive;
  bool needs_end = false;
};

const ResponseCase kResponses[] = {
    {"content length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", "", true},
    {"no reason phrase", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 200, "", "", true},
    {"surplus", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc", 200, "a", "bc", true},
    {"connection close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na", 200,
     "a", "", false},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", 200, "a", "", false},
    {"no content", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", "", true},
    {"not modified with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304,
     "", "", true},
    {"chunks",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0A;x=y\r\n0123456789\r\n"
     "0\r\n\r\n",
     200, "abc0123456789", "", true},
    {"chunks in capitals",
     "HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 200, "a", "",
     true},
    {"empty chunked body", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200,
     "", "", true},
    {"trailer",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n", 200,
     "a", "", true},
    {"until close", "HTTP/1.1 200 OK\r\n\r\nall of it", 200, "all of it", "", false, true},
    {"informational",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
     200, "ok", "", true},
};

TEST(ResponseParserTest, WholeMessagesInPiecesOfAnySize) {
  for (const ResponseCase& c : kResponses) {
    for (size_t step = 1; step <= c.text.size(); ++step) {
      SCOPED_TRACE(fmt::format("{} by {}", c.name, step));
      const auto parser = NewResponseParser({}, false);
      std::string_view text = c.text;
      text.remove_suffix(c.rest.size());
      const Outcome outcome = Feed(*parser, text, step);
      ASSERT_THAT(outcome.status, IsOk());
      EXPECT_EQ(parser->done(), !c.needs_end);
      if (c.needs_end) {
        ASSERT_THAT(parser->FeedEnd(), IsOk());
      }
      EXPECT_TRUE(parser->done());
      EXPECT_EQ(parser->status, c.status);
      EXPECT_EQ(outcome.body, c.body);
      EXPECT_EQ(parser->keep_alive(), c.keep_alive);
      ASSERT_THAT(parser->Feed(c.rest), IsOk());
      EXPECT_EQ(parser->TakeRest(), c.rest);
    }
  }
}

TEST(ResponseParserTest, HeadersOfTheFinalResponseOnly) {
  const auto parser = NewResponseParser({}, false);
  const Outcome outcome = Feed(*parser,
                               "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                               "HTTP/1.1 200 OK\r\nA: 1\r\na:  2 \r\nTransfer-Encoding: chunked\r\n"
                               "\r\n0\r\nB: 3\r\n\r\n",
                               7);
  ASSERT_THAT(outcome.status, IsOk());
  EXPECT_THAT(parser->headers,
              ElementsAre(Pair("A", "1"), Pair("a", "2"), Pair("Transfer-Encoding", "chunked")));
}

TEST(ResponseParserTest, AnswerToHeadHasNoBody) {
  const auto parser = NewResponseParser({}, /*to_head=*/true);
  EXPECT_THAT(parser->Feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), IsOk());
  EXPECT_TRUE(parser->done());
  EXPECT_TRUE(parser->keep_alive());
}

struct BadCase {
  const char* name;
  std::string text;
  absl::StatusCode code;
  const char* message;
};

const BadCase kBadResponses[] = {
    {"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n", absl::StatusCode::kInvalidArgument,
     "malformed HTTP"},
    {"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", absl::StatusCode::kInvalidArgument, "version"},
    {"status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", absl::StatusCode::kInvalidArgument, ""},
    {"bad length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
     absl::StatusCode::kInvalidArgument, "Content-Length"},
    {"huge length", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
     absl::StatusCode::kInvalidArgument, "Content-Length"},
    {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
     absl::StatusCode::kInvalidArgument, "Content-Length"},
    {"length and chunks",
     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     absl::StatusCode::kInvalidArgument, "Transfer-Encoding"},
    {"gzip", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
     absl::StatusCode::kInvalidArgument, "unsupported Transfer-Encoding"},
    {"bad chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
     absl::StatusCode::kInvalidArgument, "chunk"},
    {"chunk size over 64 bits",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
     absl::StatusCode::kInvalidArgument, "chunk"},
    {"chunk without its end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
     absl::StatusCode::kInvalidArgument, "chunk"},
    {"protocol switch", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
     absl::StatusCode::kInvalidArgument, "protocol switch"},
    {"header without a name", "HTTP/1.1 200 OK\r\n: x\r\n\r\n", absl::StatusCode::kInvalidArgument,
     ""},
    {"line feeds only", "HTTP/1.1 200 OK\n\n\r\n\r\n", absl::StatusCode::kInvalidArgument, ""},
    {"one huge header", "HTTP/1.1 200 OK\r\nA: " + std::string(2000, 'x'),
     absl::StatusCode::kResourceExhausted, "headers are larger than 1000 bytes"},
    {"endless chunk extension",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(2000, 'x'),
     absl::StatusCode::kResourceExhausted, "headers are larger than 1000 bytes"},
    {"endless trailer",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: " + std::string(2000, 'x'),
     absl::StatusCode::kResourceExhausted, "headers are larger than 1000 bytes"},
    {"length over the bound", "HTTP/1.1 200 OK\r\nContent-Length: 5001\r\n\r\n",
     absl::StatusCode::kResourceExhausted, "body is larger than 5000 bytes"},
    {"chunks over the bound",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1389\r\n" + std::string(5001, 'x'),
     absl::StatusCode::kResourceExhausted, "body is larger than 5000 bytes"},
    {"endless body", "HTTP/1.1 200 OK\r\n\r\n" + std::string(5001, 'x'),
     absl::StatusCode::kResourceExhausted, "body is larger than 5000 bytes"},
};

TEST(ResponseParserTest, BadMessages) {
  for (const BadCase& c : kBadResponses) {
    for (const size_t step : {size_t{1}, size_t{37}, c.text.size()}) {
      SCOPED_TRACE(fmt::format("{} by {}", c.name, step));
      const auto parser = NewResponseParser({.header_bytes = 1000, .body_bytes = 5000}, false);
      EXPECT_THAT(Feed(*parser, c.text, step).status, StatusIs(c.code, HasSubstr(c.message)));
    }
  }
}

TEST(ResponseParserTest, ManySmallHeadersAreBounded) {
  const auto parser = NewResponseParser({.header_bytes = 1000}, false);
  std::string text = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 500; ++i) text += "a: b\r\n";
  EXPECT_THAT(Feed(*parser, text, 10).status, StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(ResponseParserTest, EndlessInformationalResponsesAreBounded) {
  const auto parser = NewResponseParser({.header_bytes = 1000}, false);
  std::string text;
  for (int i = 0; i < 500; ++i) text += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_THAT(Feed(*parser, text, 10).status, StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(ResponseParserTest, LargeBodyAfterASmallHeadLimit) {
  const auto parser = NewResponseParser({.header_bytes = 200}, false);
  const std::string body(10'000, 'x');
  const std::string text = fmt::format(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n", body.size(), body);
  const Outcome outcome = Feed(*parser, text + text.substr(text.find("\r\n\r\n") + 4), text.size());
  ASSERT_THAT(outcome.status, IsOk());
  EXPECT_EQ(outcome.body.size(), 20'000u);
}

TEST(ResponseParserTest, CutMessages) {
  for (const char* text :
       {"HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab"}) {
    SCOPED_TRACE(text);
    const auto parser = NewResponseParser({}, false);
    ASSERT_THAT(parser->Feed(text), IsOk());
    EXPECT_THAT(parser->FeedEnd(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("connection closed")));
  }
}

TEST(RequestParserTest, ReadsLineHeadersAndBody) {
  const std::string_view text =
      "PATCH /api/v1?x=%20y HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n{}\nGET / HTTP/1.1\r\n";
  for (size_t step = 1; step <= text.size(); ++step) {
    SCOPED_TRACE(step);
    const auto parser = NewRequestParser({});
    std::string body;
    size_t i = 0;
    for (; !parser->done(); i += step) {
      ASSERT_THAT(parser->Feed(text.substr(i, step)), IsOk());
      body += parser->TakeBody();
    }
    EXPECT_EQ(parser->method, "PATCH");
    EXPECT_EQ(parser->target, "/api/v1?x=%20y");
    EXPECT_EQ(FindHeader(parser->headers, "HOST"), "a");
    EXPECT_EQ(body, "{}\n");
    EXPECT_EQ(parser->TakeRest(),
              std::string_view("GET / HTTP/1.1\r\n")
                  .substr(0, std::min<size_t>(i, text.size()) - text.find("GET")));
  }
}

TEST(RequestParserTest, BadMessages) {
  const BadCase kCases[] = {
      {"no version", "GET /\r\n\r\n", absl::StatusCode::kInvalidArgument, ""},
      {"space in the target", "GET /a b HTTP/1.1\r\n\r\n", absl::StatusCode::kInvalidArgument, ""},
      {"bad method", "G@T / HTTP/1.1\r\n\r\n", absl::StatusCode::kInvalidArgument, "method"},
      {"space before the colon", "GET / HTTP/1.1\r\nA : b\r\n\r\n",
       absl::StatusCode::kInvalidArgument, ""},
      {"unknown coding", "POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n",
       absl::StatusCode::kInvalidArgument, "unsupported Transfer-Encoding"},
      {"chunked twice",
       "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
       absl::StatusCode::kInvalidArgument, "Transfer-Encoding"},
      {"chunks and length",
       "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
       absl::StatusCode::kInvalidArgument, "Content-Length"},
  };
  for (const BadCase& c : kCases) {
    SCOPED_TRACE(c.name);
    const auto parser = NewRequestParser({});
    EXPECT_THAT(Feed(*parser, c.text, 1).status, StatusIs(c.code, HasSubstr(c.message)));
  }
}

}  // namespace
}  // namespace calico::http
