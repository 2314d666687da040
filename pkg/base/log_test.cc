#include "pkg/base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>
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

// stderr goes to a file while this lives.
class StderrInFile {
 public:
  explicit StderrInFile(const std::string& path) : saved_(dup(STDERR_FILENO)) {
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    dup2(file, STDERR_FILENO);
    close(file);
  }
  ~StderrInFile() {
    dup2(saved_, STDERR_FILENO);
    close(saved_);
  }

 private:
  int saved_;
};

TEST(LoggerTest, LinesOfSeveralThreadsDoNotMix) {
  const std::string path = testing::TempDir() + "/log_test";
  constexpr int kThreads = 4, kLines = 200;
  {
    const StderrInFile redirected(path);
    const Logger logger;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&logger, i] {
        const std::string text(5000, static_cast<char>('a' + i));
        for (int line = 0; line < kLines; ++line) logger.Info("long", {{"text", text}});
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  std::ifstream file(path);
  int count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    ASSERT_THAT(line, StartsWith(R"({"time":"20)"));
    ASSERT_THAT(line, EndsWith(std::string(5000, line[line.size() - 3]) + "\"}"));
  }
  EXPECT_EQ(count, kThreads * kLines);
}

TEST(LogLevelTest, NamesAreReadAsTheyAreWritten) {
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    EXPECT_EQ(ParseLogLevel(kLogLevelNames[static_cast<size_t>(level)]), level);
  }
  for (const char* name : {"", "Info", "warn", "trace"}) {
    EXPECT_EQ(ParseLogLevel(name), std::nullopt) << name;
  }
}

TEST(JsonQuoteTest, EscapesControlBytesAndBrokenUtf8) {
  EXPECT_EQ(JsonQuote("a\"b\\c\n\x01"), R"("a\"b\\c\n\u0001")");
  EXPECT_EQ(JsonQuote("caf\xC3\xA9"), "\"caf\xC3\xA9\"");
  EXPECT_EQ(JsonQuote("\xFFx\xC3"), "\"\xEF\xBF\xBDx\xEF\xBF\xBD\"");
  EXPECT_EQ(JsonQuote("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace calico::base
