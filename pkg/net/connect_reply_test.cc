#include "pkg/net/connect_reply.h"

#include <string>

#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::net {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;

TEST(ConnectReplyTest, StatusHoweverItIsCut) {
  struct Case {
    const char* bytes;
    int status;
    bool has_rest;
  };
  const Case kCases[] = {
      {"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n", 200, false},
      {"HTTP/1.0 200\r\n\r\n", 200, false},
      {"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno", 407, true},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 204 \r\n\r\n", 204,
       false},
      {"HTTP/1.1 200 OK\r\n\r\n\x16", 200, true},
  };
  for (const Case& c : kCases) {
    const std::string bytes = c.bytes;
    for (size_t step = 1; step <= bytes.size(); ++step) {
      SCOPED_TRACE(bytes + " by " + std::to_string(step));
      ConnectReply reply;
      for (size_t i = 0; i < bytes.size(); i += step) {
        ASSERT_THAT(reply.Feed(bytes.substr(i, step)), IsOk());
      }
      ASSERT_TRUE(reply.done());
      EXPECT_EQ(reply.status(), c.status);
      EXPECT_EQ(reply.has_rest(), c.has_rest);
    }
  }
}

TEST(ConnectReplyTest, Unfinished) {
  ConnectReply reply;
  EXPECT_THAT(reply.Feed(""), IsOk());
  EXPECT_THAT(reply.Feed("HTTP/1.1 200 OK\r\nA: b\r\n"), IsOk());
  EXPECT_FALSE(reply.done());
  EXPECT_THAT(reply.Feed("\r\n"), IsOk());
  EXPECT_TRUE(reply.done());
}

TEST(ConnectReplyTest, NoHttp) {
  for (const char* bytes :
       {"S", "SSH-2.0\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 2x0 OK", "HTTP/1.1 20\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 099 No\r\n\r\n", "\x15\x03\x01",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP 200\r\n"}) {
    ConnectReply reply;
    EXPECT_THAT(reply.Feed(bytes), StatusIs(absl::StatusCode::kInvalidArgument)) << bytes;
  }
}

TEST(ConnectReplyTest, HeadsAreBounded) {
  ConnectReply endless;
  EXPECT_THAT(endless.Feed("HTTP/1.1 200 OK\r\nA: " + std::string(ConnectReply::kMaxBytes, 'x')),
              StatusIs(absl::StatusCode::kResourceExhausted));
  ConnectReply patient;
  absl::Status status;
  for (int i = 0; i < 10'000 && status.ok(); ++i) {
    status = patient.Feed("HTTP/1.1 100 Continue\r\n\r\n");
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace calico::net
