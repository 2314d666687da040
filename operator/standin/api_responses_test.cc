#include "operator/standin/api_responses.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/codec/json.h"

namespace calico::standin {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Body(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

TEST(RespondTest, AnswersWhatTheAggregatorAsks) {
  const std::string answer = Respond("GET /apis/projectcalico.org/v3?timeout=5s HTTP/1.1");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  const auto list = codec::ParseJsonObject(Body(answer));
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(list->at("kind").as_string(), "APIResourceList");
  EXPECT_EQ(list->at("groupVersion").as_string(), "projectcalico.org/v3");
}

TEST(RespondTest, EveryDocumentIsJson) {
  for (const char* path : {"/version", "/apis", "/apis/projectcalico.org", "/openapi/v2",
                           "/openapi/v3", "/apis/projectcalico.org/v3/tiers"}) {
    EXPECT_TRUE(
        codec::ParseJsonObject(Body(Respond("GET " + std::string(path) + " HTTP/1.1"))).ok())
        << path;
  }
}

TEST(RespondTest, IsReadyAndKnowsNothingElse) {
  EXPECT_THAT(Respond("GET /readyz HTTP/1.1"), HasSubstr("\r\n\r\nok"));
  EXPECT_THAT(Respond("GET /secret HTTP/1.1"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Respond("nonsense"), StartsWith("HTTP/1.1 400 "));
}

}  // namespace
}  // namespace calico::standin
