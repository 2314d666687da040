// What the whole program says about itself: every command has a sentence, an example, documented
// exit codes and a man page.

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/command/terminal.h"
#include "operator/cmd/calicert/program.h"
#include "pkg/base/clock.h"

namespace calico::calicert {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Ran {
  int code = 0;
  std::string out;
  std::string err;
};

Ran RunLine(const std::vector<std::string>& words) {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  Terminal terminal{.in = in,
                    .out = out,
                    .err = err,
                    .environment = [](const std::string&) { return std::string(); },
                    .clock = base::SystemClock()};
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  const int code = RunCalicert(static_cast<int>(argv.size()), argv.data(), terminal);
  return {code, out.str(), err.str()};
}

std::vector<std::string> Words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

// The commands of the help: their paths, each as its words.
std::vector<std::vector<std::string>> AllCommands() {
  std::vector<std::vector<std::string>> commands;
  std::istringstream help(RunLine({"calicert", "--help"}).out);
  for (std::string line; std::getline(help, line);) {
    if (!line.starts_with("  ")) continue;
    // Two spaces or more stand behind the path.
    commands.push_back(Words(line.substr(2, line.find("  ", 2) - 2)));
  }
  return commands;
}

TEST(ReferenceTest, EveryCommandHasASentenceAnExampleAndExitCodes) {
  const auto commands = AllCommands();
  EXPECT_GE(commands.size(), 15U);
  for (std::vector<std::string> words : commands) {
    const std::string path = testing::PrintToString(words);
    words.insert(words.begin(), "calicert");
    words.emplace_back("--help");
    const Ran ran = RunLine(words);
    EXPECT_EQ(ran.code, 0) << path << ran.err;
    EXPECT_THAT(ran.out, AllOf(HasSubstr("\nUsage: calicert "), HasSubstr("\nExit codes:\n")))
        << path;
    const bool is_plain = words[1] == "version" || words[1] == "help";
    EXPECT_TRUE(is_plain || ran.out.find("\nExamples:\n") != std::string::npos) << path;
  }
}

TEST(ReferenceTest, EveryCommandHasAManPage) {
  std::string folder = testing::TempDir() + "/man.XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  ASSERT_EQ(RunLine({"calicert", "man", folder}).code, 0);
  for (const std::vector<std::string>& words : AllCommands()) {
    std::string file = folder + "/calicert";
    for (const std::string& word : words) file += "-" + word;
    std::ifstream in(file + ".1");
    const std::string page(std::istreambuf_iterator<char>(in), {});
    EXPECT_THAT(page, AllOf(StartsWith(".TH CALICERT-"), HasSubstr(".SH SYNOPSIS"))) << file;
  }
}

TEST(ReferenceTest, TheOtherNamesAreOtherPrograms) {
  EXPECT_THAT(RunLine({"/usr/bin/kubectl-calicert", "--help"}).out,
              StartsWith("Usage: kubectl calicert COMMAND"));
  EXPECT_THAT(RunLine({"kubectl_complete-calicert", "needs-r"}).out,
              AllOf(StartsWith("needs-renewal\t"), HasSubstr("\n:4\n")));
  EXPECT_EQ(RunLine({"cfssl", "inspect", "x"}).code, 1) << "no command of cfssl's";
}

}  // namespace
}  // namespace calico::calicert
