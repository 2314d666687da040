#include "pkg/kube/auth/process.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <string>

#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::kube {
namespace {

using ::calico::base::IsOkAndHolds;
using ::calico::base::StatusIs;
using ::testing::HasSubstr;
using ::testing::Not;

ProcessOptions Shell(const std::string& script) {
  return {.program = "/bin/sh", .args = {"-c", script}};
}

TEST(ProcessTest, CollectsOutputAndExitCode) {
  const auto result = RunProcess(Shell("printf hello; exit 3"));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->output.view(), "hello");
  EXPECT_EQ(result->exit_code, 3);
  EXPECT_EQ(RunProcess(Shell("kill -9 $$"))->exit_code, 128 + 9);
}

TEST(ProcessTest, ArgumentsAreNotTakenForShellCode) {
  const auto result = RunProcess({.program = "/bin/echo", .args = {"-n", "$HOME; `id` 'x'"}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->output.view(), "$HOME; `id` 'x'");
}

TEST(ProcessTest, EnvironmentIsPutOverTheOwn) {
  setenv("PROCESS_TEST_A", "old", 1);
  setenv("PROCESS_TEST_B", "kept", 1);
  ProcessOptions options =
      Shell("printf '%s %s %s' $PROCESS_TEST_A $PROCESS_TEST_B $PROCESS_TEST_C");
  options.env = {{"PROCESS_TEST_A", "new"}, {"PROCESS_TEST_C", "added"}};
  EXPECT_EQ(RunProcess(options)->output.view(), "new kept added");
}

TEST(ProcessTest, StandardInputIsEmpty) { EXPECT_EQ(RunProcess(Shell("cat"))->output.view(), ""); }

TEST(ProcessTest, FilesOfOursStayOurs) {
  const int fd = open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  ASSERT_GE(fd, 3);
  EXPECT_EQ(RunProcess(Shell("ls /proc/self/fd | wc -l"))->output.view(),
            "4\n");  // 0, 1, 2 and ls's own
  close(fd);
}

TEST(ProcessTest, SilentProgramIsEndedInTime) {
  ProcessOptions options = Shell("sleep 60 & sleep 60");
  options.timeout = absl::Milliseconds(200);
  const absl::Time start = absl::Now();
  EXPECT_THAT(RunProcess(options), StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_LT(absl::Now() - start, absl::Seconds(30));
}

TEST(ProcessTest, ProgramThatClosesItsOutputButRunsOnIsEndedInTime) {
  ProcessOptions options = Shell("exec >&-; sleep 60");
  options.timeout = absl::Milliseconds(200);
  EXPECT_THAT(RunProcess(options), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST(ProcessTest, OutputIsBounded) {
  ProcessOptions options = Shell("yes");
  options.max_output_bytes = 10'000;
  EXPECT_THAT(RunProcess(options), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(ProcessTest, MissingAndForbiddenPrograms) {
  EXPECT_THAT(RunProcess({.program = "/no/such/program"}), StatusIs(absl::StatusCode::kNotFound));
  const std::string text = std::string(std::getenv("TEST_TMPDIR")) + "/text";
  std::ofstream(text) << "not a program\n";
  EXPECT_THAT(RunProcess({.program = text}), StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST(ProcessTest, FindsProgramsAsAShellDoes) {
  const std::string folder = std::string(std::getenv("TEST_TMPDIR")) + "/bin";
  mkdir(folder.c_str(), 0755);
  std::ofstream(folder + "/plugin") << "#!/bin/sh\n";
  chmod((folder + "/plugin").c_str(), 0755);
  std::ofstream(folder + "/text") << "not a program\n";
  chmod((folder + "/text").c_str(), 0644);
  EXPECT_THAT(FindProgram("plugin", "/nowhere::.:" + folder + ":/bin"),
              IsOkAndHolds(folder + "/plugin"));
  EXPECT_THAT(FindProgram("./plugin", ""), IsOkAndHolds("./plugin"));
  EXPECT_THAT(FindProgram("text", folder), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(FindProgram("plugin", "bin:."), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(FindProgram("plugin", ""),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("not in PATH")));
}

TEST(ProcessTest, IsKilledWhenItIsStopped) {
  const std::atomic<bool> stop = true;
  ProcessOptions options = Shell("sleep 1000");
  options.stop = &stop;
  EXPECT_THAT(RunProcess(options), StatusIs(absl::StatusCode::kCancelled));
  options = Shell("exec >&-; sleep 1000");  // lives on without an output
  options.stop = &stop;
  EXPECT_THAT(RunProcess(options), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace calico::kube
