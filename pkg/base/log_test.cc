#include "pkg/base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <sstream>
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

// stderr goes to `file`, which is taken over, while this lives.
class StderrTo {
 public:
  explicit StderrTo(int file) : saved_(dup(STDERR_FILENO)) {
    dup2(file, STDERR_FILENO);
    close(file);
  }
  ~StderrTo() {
    dup2(saved_, STDERR_FILENO);
    close(saved_);
  }

 private:
  int saved_;
};

// Long lines, each of one letter, of several threads at once.
constexpr size_t kLineBytes = 5000;
void LogFromThreads(int threads, int lines) {
  const Logger logger;
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) {
    running.emplace_back([&logger, i, lines] {
      const std::string text(kLineBytes, static_cast<char>('a' + i));
      for (int line = 0; line < lines; ++line) logger.Info("long", {{"text", text}});
    });
  }
  for (std::thread& thread : running) thread.join();
}

// How many lines there are; each must be whole.
int CountWholeLines(std::istream& input) {
  int count = 0;
  for (std::string line; std::getline(input, line); ++count) {
    EXPECT_THAT(line, StartsWith(R"({"time":"20)"));
    EXPECT_THAT(line, SizeIs(testing::Gt(kLineBytes)));
    if (testing::Test::HasFailure()) break;
    EXPECT_THAT(line, EndsWith(std::string(kLineBytes, line[line.size() - 3]) + "\"}"));
  }
  return count;
}

// What goes through a pipe of one page to a slow reader while `write` runs.
std::string ThroughSmallPipe(int flags, const std::function<void()>& write) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  EXPECT_GT(fcntl(ends[1], F_SETPIPE_SZ, 4096), 0);
  EXPECT_EQ(fcntl(ends[1], F_SETFL, flags), 0);
  std::string content;
  std::thread reader([&content, file = ends[0]] {
    char buffer[1000];
    for (ssize_t got = 1; got > 0;) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
      got = read(file, buffer, sizeof(buffer));
      if (got > 0) content.append(buffer, static_cast<size_t>(got));
    }
    close(file);
  });
  {
    const StderrTo redirected(ends[1]);
    write();
  }
  reader.join();
  return content;
}

TEST(LoggerTest, LinesOfSeveralThreadsDoNotMix) {
  const std::string path = testing::TempDir() + "/log_test";
  constexpr int kThreads = 4, kLines = 200;
  {
    const StderrTo redirected(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    LogFromThreads(kThreads, kLines);
  }
  std::ifstream file(path);
  EXPECT_EQ(CountWholeLines(file), kThreads * kLines);
}

TEST(LoggerTest, LinesOfSeveralThreadsDoNotMixInAPipeThatIsFull) {
  constexpr int kThreads = 4, kLines = 50;
  std::istringstream read(ThroughSmallPipe(0, [] { LogFromThreads(kThreads, kLines); }));
  EXPECT_EQ(CountWholeLines(read), kThreads * kLines);
}

TEST(LoggerTest, ALineThatHasBegunIsEndedWhereStderrDoesNotBlock) {
  std::istringstream read(ThroughSmallPipe(O_NONBLOCK, [] { LogFromThreads(4, 50); }));
  // Those that found the pipe full are lost.
  EXPECT_GE(CountWholeLines(read), 1);
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
