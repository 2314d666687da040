#include "pkg/base/log.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calico::base {
namespace {

using ::testing::EndsWith;
using ::testing::SizeIs;
using ::testing::StartsWith;

TEST(LoggerTest, WritesOneJsonObjectPerLineAboveTheThreshold) {
  std::vector<std::string> lines;
  const Logger logger(LogLevel::kInfo,
                      [&lines](LogLevel, std::string_view line) { lines.emplace_back(line); });
  logger.Debug("dropped");
  logger.Info("reconciled", {{"name", "default"}, {"attempt", 3}, {"changed", true}});
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_THAT(lines[0], StartsWith(R"({"time":"20)"));
  EXPECT_THAT(lines[0], EndsWith(R"(Z","level":"info","message":"reconciled",)"
                                 R"("name":"default","attempt":3,"changed":true})"));
}

TEST(JsonQuoteTest, EscapesControlBytesAndBrokenUtf8) {
  EXPECT_EQ(JsonQuote("a\"b\\c\n\x01"), R"("a\"b\\c\n\u0001")");
  EXPECT_EQ(JsonQuote("caf\xC3\xA9"), "\"caf\xC3\xA9\"");
  EXPECT_EQ(JsonQuote("\xFFx\xC3"), "\"\xEF\xBF\xBDx\xEF\xBF\xBD\"");
  EXPECT_EQ(JsonQuote("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace calico::base
