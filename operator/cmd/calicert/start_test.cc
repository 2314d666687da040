// The program as it is started: by its names, with its exit codes.

#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calico {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Ended {
  int code;
  std::string output;
};

// Runs a line of shell in which `calicert` and its other names are programs.
Ended Shell(const std::string& line) {
  std::string folder = testing::TempDir() + "/names.XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return {-1, "no folder"};
  std::array<char, 4096> here{};
  const std::string program =
      std::string(getcwd(here.data(), here.size())) + "/operator/cmd/calicert/calicert";
  for (const char* name : {"calicert", "kubectl-calicert"}) {
    if (symlink(program.c_str(), (folder + "/" + name).c_str()) != 0) return {-1, "no link"};
  }
  std::FILE* pipe = popen(("PATH=" + folder + ":$PATH; (" + line + ") 2>&1").c_str(), "r");
  std::string output;
  std::array<char, 4096> buffer{};
  for (size_t size = 0; (size = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    output.append(buffer.data(), size);
  }
  return {WEXITSTATUS(pclose(pipe)), output};
}

TEST(StartTest, HelpAndUsageEndAsDocumented) {
  EXPECT_EQ(Shell("calicert --help").code, 0);
  EXPECT_EQ(Shell("calicert frobnicate").code, 2);
  EXPECT_THAT(Shell("calicert version").output, StartsWith("calicert "));
}

TEST(StartTest, AsAPlugInItNamesKubectl) {
  EXPECT_THAT(Shell("kubectl-calicert --help").output, StartsWith("Usage: kubectl calicert "));
}

TEST(StartTest, OutputThatDoesNotArriveIsAFailure) {
  const Ended ended = Shell("calicert --help > /dev/full");
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.output, HasSubstr("standard output cannot be written"));
}

// Everything that a terminal shows until `end`, or until the program has ended.
std::string ReadTerminal(int terminal, const std::string& end) {
  std::string shown;
  std::array<char, 4096> buffer{};
  while (end.empty() || shown.find(end) == std::string::npos) {
    const ssize_t size = read(terminal, buffer.data(), buffer.size());
    if (size <= 0) break;
    shown.append(buffer.data(), static_cast<size_t>(size));
  }
  return shown;
}

// Becomes calicert with a question for a passphrase on the terminal.
[[noreturn]] void AskForThePassphrase() {
  execl("operator/cmd/calicert/calicert", "calicert", "inspect", "--short",
        "testdata/calicert/good.p12", nullptr);
  _exit(127);
}

TEST(StartTest, APassphraseIsAskedForWithoutEcho) {
  int terminal = -1;
  const pid_t pid = forkpty(&terminal, nullptr, nullptr, nullptr);
  ASSERT_GE(pid, 0);
  if (pid == 0) AskForThePassphrase();
  const std::string asked = ReadTerminal(terminal, "good.p12: ");
  EXPECT_THAT(asked, HasSubstr("Passphrase of testdata/calicert/good.p12: "));
  ASSERT_EQ(write(terminal, "passphrase\n", 11), 11);
  const std::string shown = ReadTerminal(terminal, "");
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  close(terminal);
  EXPECT_EQ(WEXITSTATUS(status), 0) << shown;
  EXPECT_THAT(shown, HasSubstr("typha"));
  EXPECT_THAT(shown, Not(HasSubstr("passphrase")));
}

// Whether the terminal shows what is typed.
bool Echoes(int terminal) {
  termios settings{};
  return tcgetattr(terminal, &settings) == 0 && (settings.c_lflag & ECHO) != 0;
}

TEST(StartTest, AQuestionThatIsLeftGivesTheEchoBack) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    int terminal = -1;
    const pid_t pid = forkpty(&terminal, nullptr, nullptr, nullptr);
    ASSERT_GE(pid, 0);
    if (pid == 0) AskForThePassphrase();
    ReadTerminal(terminal, "good.p12: ");
    EXPECT_FALSE(Echoes(terminal));
    ASSERT_EQ(kill(pid, signal), 0);
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal) << status;
    EXPECT_TRUE(Echoes(terminal)) << signal;
    close(terminal);
  }
}

TEST(StartTest, AQuestionThatIsStoppedHidesAgainWhenItGoesOn) {
  int terminal = -1;
  const pid_t pid = forkpty(&terminal, nullptr, nullptr, nullptr);
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    // As a shell does it: the terminal's group is one of its own, or the kernel stops nobody.
    signal(SIGTTOU, SIG_IGN);
    const pid_t asking = fork();
    if (asking == 0) {
      setpgid(0, 0);
      tcsetpgrp(STDIN_FILENO, getpid());
      AskForThePassphrase();
    }
    int status = 0;
    waitpid(asking, &status, WUNTRACED);
    const bool shown = WIFSTOPPED(status) && Echoes(STDIN_FILENO);
    kill(asking, SIGCONT);
    while (Echoes(STDIN_FILENO)) sched_yield();
    kill(asking, SIGTERM);
    waitpid(asking, &status, 0);
    _exit(shown && Echoes(STDIN_FILENO) ? 0 : 1);
  }
  ReadTerminal(terminal, "good.p12: ");
  ASSERT_EQ(write(terminal, "\x1a", 1), 1);
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  close(terminal);
}

}  // namespace
}  // namespace calico
