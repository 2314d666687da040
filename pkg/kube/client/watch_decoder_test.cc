#include "pkg/kube/client/watch_decoder.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"

namespace calico::kube {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class WatchDecoderTest : public testing::Test {
 protected:
  EventSink Collect() {
    return [this](WatchEvent event) {
      events_.push_back(
          fmt::format("{} {}", static_cast<int>(event.type), codec::Serialize(event.object)));
      return absl::OkStatus();
    };
  }
  WatchDecoder decoder_{4096};
  std::vector<std::string> events_;
};

constexpr char kStream[] =
    "{\"type\":\"ADDED\",\"object\":{\"a\":1}}\n"
    "{\"type\":\"MODIFIED\",\"object\":{\"a\":2}}\r\n"
    "\n"
    "{\"object\":{\"a\":3},\"type\":\"DELETED\"}\n"
    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"9\"}}}\n";

TEST_F(WatchDecoderTest, DecodesEveryType) {
  EXPECT_THAT(decoder_.Feed(kStream, Collect()), IsOk());
  EXPECT_THAT(events_, ElementsAre("0 {\"a\":1}", "1 {\"a\":2}", "2 {\"a\":3}",
                                   "3 {\"metadata\":{\"resourceVersion\":\"9\"}}"));
  EXPECT_THAT(decoder_.Finish(), IsOk());
}

TEST_F(WatchDecoderTest, BytesMayComeOneByOne) {
  for (const char c : std::string_view(kStream)) {
    ASSERT_THAT(decoder_.Feed({&c, 1}, Collect()), IsOk());
  }
  EXPECT_EQ(events_.size(), 4u);
}

TEST_F(WatchDecoderTest, CutEventIsUnavailable) {
  EXPECT_THAT(decoder_.Feed("{\"type\":\"ADDED\",", Collect()), IsOk());
  EXPECT_THAT(decoder_.Finish(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(events_, IsEmpty());
}

TEST_F(WatchDecoderTest, RefusesWhatIsNoEvent) {
  const struct {
    std::string line;
    absl::StatusCode want;
  } kCases[] = {
      {"{", absl::StatusCode::kDataLoss},
      {"[]", absl::StatusCode::kDataLoss},
      {"{}", absl::StatusCode::kDataLoss},
      {"{\"type\":\"ADDED\"}", absl::StatusCode::kDataLoss},
      {"{\"type\":\"ADDED\",\"object\":[]}", absl::StatusCode::kDataLoss},
      {"{\"type\":1,\"object\":{}}", absl::StatusCode::kDataLoss},
      {"{\"type\":\"OTHER\",\"object\":{}}", absl::StatusCode::kDataLoss},
      {"{\"type\":\"ERROR\",\"object\":{}}", absl::StatusCode::kDataLoss},
      {"{\"type\":\"ADDED\",\"object\":{\"a\":" + std::string(100, '[') + std::string(100, ']') +
           "}}",
       absl::StatusCode::kResourceExhausted},
      {std::string(5000, 'x'), absl::StatusCode::kResourceExhausted},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.line.substr(0, 60));
    WatchDecoder decoder(4096);
    EXPECT_THAT(decoder.Feed(c.line + "\n", Collect()), StatusIs(c.want));
    EXPECT_THAT(decoder.Feed("\n", Collect()), StatusIs(c.want)) << "errors last";
  }
  EXPECT_THAT(events_, IsEmpty());
}

// The envelope is no part of the object: what a list takes (64) is no deeper in a watch.
TEST_F(WatchDecoderTest, ObjectMayBeNestedAsInAList) {
  const auto feed = [this](size_t depth) {
    const std::string inner = std::string(depth - 1, '[') + std::string(depth - 1, ']');
    WatchDecoder decoder(4096);
    return decoder.Feed("{\"type\":\"ADDED\",\"object\":{\"a\":" + inner + "}}\n", Collect());
  };
  EXPECT_THAT(feed(64), IsOk());
  EXPECT_THAT(feed(65), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(WatchDecoderTest, ErrorEventEndsTheWatch) {
  EXPECT_THAT(
      decoder_.Feed("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\","
                    "\"reason\":\"Expired\",\"code\":410,\"message\":\"too old\"}}\n"
                    "{\"type\":\"ADDED\",\"object\":{}}\n",
                    Collect()),
      StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("too old")));
  EXPECT_THAT(events_, IsEmpty());
}

TEST_F(WatchDecoderTest, SinkErrorStops) {
  int calls = 0;
  EXPECT_THAT(decoder_.Feed(kStream,
                            [&calls](WatchEvent) {
                              ++calls;
                              return absl::AbortedError("enough");
                            }),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace calico::kube
