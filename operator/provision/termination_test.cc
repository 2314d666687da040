#include "operator/provision/termination.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/provision/exit_code.h"

namespace calico::provision {
namespace {

// A process that computes, as it does for an RSA key, and calls nothing that a signal could end.
pid_t StartComputing(const char* termination_log) {
  int ends[2] = {-1, -1};
  if (pipe(ends) != 0) return -1;
  const pid_t pid = fork();
  if (pid == 0) {
    ExitOnTermination(termination_log);
    if (write(ends[1], "x", 1) != 1) _exit(1);
    for (volatile unsigned number = 0;; number = number + 1) {
    }
  }
  char ready = 0;
  const bool began = read(ends[0], &ready, 1) == 1;
  close(ends[0]);
  close(ends[1]);
  return began ? pid : -1;
}

TEST(ExitOnTerminationTest, EndsAComputationAndSaysSo) {
#if __has_feature(thread_sanitizer)
  GTEST_SKIP() << "ThreadSanitizer holds signals back until the program calls something";
#endif
  static const std::string log = testing::TempDir() + "/termination-log";
  for (const int number : {SIGTERM, SIGINT}) {
    SCOPED_TRACE(number);
    std::ofstream(log) << "";
    const pid_t pid = StartComputing(log.c_str());
    ASSERT_GT(pid, 0);
    ASSERT_EQ(kill(pid, number), 0);
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(ExitCode::kTerminated));
    std::ifstream file(log);
    EXPECT_THAT(std::string(std::istreambuf_iterator<char>(file), {}),
                testing::HasSubstr("stopped by a signal"));
  }
}

}  // namespace
}  // namespace calico::provision
