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

#include "operator/calicert/testing/run_calicert.h"

namespace calico::calicert {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<std::string> Words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

// The commands of the help: their paths, each as its words.
std::vector<std::vector<std::string>> AllCommands() {
  std::vector<std::vector<std::string>> commands;
  std::istringstream help(RunCalicertWords({"calicert", "--help"}).out);
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
    const RunResult ran = RunCalicertWords(words);
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
  ASSERT_EQ(RunCalicertWords({"calicert", "man", folder}).code, 0);
  for (const std::vector<std::string>& words : AllCommands()) {
    std::string file = folder + "/calicert";
    for (const std::string& word : words) file += "-" + word;
    std::ifstream in(file + ".1");
    const std::string page(std::istreambuf_iterator<char>(in), {});
    EXPECT_THAT(page, AllOf(StartsWith(".TH CALICERT-"), HasSubstr(".SH SYNOPSIS"))) << file;
  }
}

// "0, 1, 3" of the help's exit codes.
std::string ExitCodesOf(std::vector<std::string> words) {
  words.insert(words.begin(), "calicert");
  words.emplace_back("--help");
  std::istringstream help(RunCalicertWords(words).out);
  std::string codes;
  bool in_codes = false;
  for (std::string line; std::getline(help, line);) {
    if (in_codes && line.empty()) break;
    if (in_codes && line.size() > 2 && line[2] != ' ') {
      codes += (codes.empty() ? "" : ", ") + line.substr(2, line.find(' ', 2) - 2);
    }
    in_codes |= line == "Exit codes:";
  }
  return codes;
}

TEST(ReferenceTest, ExitCodesOfEveryCommandAreThoseOfTheDocument) {
  std::ifstream in("docs/CALICERT.md");
  const std::string document(std::istreambuf_iterator<char>(in), {});
  for (const std::vector<std::string>& words : AllCommands()) {
    std::string path;
    for (const std::string& word : words) path += (path.empty() ? "" : " ") + word;
    const std::string codes = ExitCodesOf(words);
    // What has no row of its own has those of the first.
    const bool has_row = document.find("\n| `" + path + "` | ") != std::string::npos;
    EXPECT_THAT(document, HasSubstr("\n| " + (has_row ? "`" + path + "`" : "every other") + " | " +
                                    codes + " | "))
        << path;
  }
}

TEST(ReferenceTest, TheOtherNamesAreOtherPrograms) {
  EXPECT_THAT(RunCalicertWords({"/usr/bin/kubectl-calicert", "--help"}).out,
              StartsWith("Usage: kubectl calicert COMMAND"));
  EXPECT_THAT(RunCalicertWords({"kubectl_complete-calicert", "needs-r"}).out,
              AllOf(StartsWith("needs-renewal\t"), HasSubstr("\n:4\n")));
  EXPECT_EQ(RunCalicertWords({"cfssl", "inspect", "x"}).code, 1) << "no command of cfssl's";
}

}  // namespace
}  // namespace calico::calicert
