#include "operator/calicert/command/command.h"

#include <stdlib.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/reference.h"
#include "operator/calicert/command/testing/run.h"

namespace calico::calicert {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct PrintOptions {
  std::vector<std::string> files;
  std::string output = "table";
};

Command Print(const std::string& path, config::FlagStyle style = config::FlagStyle::kGnu) {
  return {.path = path,
          .summary = "print " + path,
          .details = "One paragraph.\n\n  verbatim - line",
          .declare = [path, style](config::Flags& flags) -> Run {
            auto options = std::make_shared<PrintOptions>();
            flags.Style(style);
            flags.Arguments({.name = "FILE", .help = "what to read"}, &options->files);
            flags.Text({.name = "output",
                        .value = "FORMAT",
                        .help = "how",
                        .choices = {"table", "json"},
                        .letter = 'o'},
                       &options->output);
            flags.Example("Print one", "calicert " + path + " a");
            return [path, options](Terminal& terminal) {
              terminal.out << path << ' ' << options->output << (terminal.quiet ? " quiet" : "");
              for (const std::string& file : options->files) terminal.out << ' ' << file;
              return kExitOk;
            };
          }};
}

std::vector<Command> Sample() {
  return {Print("inspect"),          Print("csr"),         Print("csr create"),
          Print("csr list"),         Print("key inspect"), Print("genkey", config::FlagStyle::kGo),
          VersionCommand("calicert")};
}

TEST(CommandTest, TheLongestPathIsRunWithItsFlags) {
  EXPECT_EQ(RunWords(Sample(), {"csr", "create", "-o", "json", "a", "-q", "-"}).out,
            "csr create json quiet a -");
  EXPECT_EQ(RunWords(Sample(), {"csr", "other", "-ojson"}).out, "csr json other");
  EXPECT_EQ(RunWords(Sample(), {"key", "inspect", "--", "-q"}).out, "key inspect table -q");
}

TEST(CommandTest, GoStyleStopsAtTheFirstWord) {
  EXPECT_EQ(RunWords(Sample(), {"genkey", "-output=json", "a", "-output", "table"}).out,
            "genkey json a -output table");
  EXPECT_EQ(RunWords(Sample(), {"genkey", "--output", "json"}).out, "genkey json");
  const RunResult unknown = RunWords(Sample(), {"genkey", "-outptu", "x"});
  EXPECT_EQ(unknown.code, kExitUsage);
  EXPECT_THAT(unknown.err, HasSubstr("-outptu: unknown flag, did you mean -output?"));
}

TEST(CommandTest, AnUnknownCommandGetsTheNearestOne) {
  struct Case {
    std::vector<std::string> words;
    const char* want;
  };
  const Case cases[] = {
      {{"inpsect"},
       "calicert: \"inpsect\": unknown command, did you mean \"inspect\"?\n"
       "Try 'calicert --help'.\n"},
      {{"key", "inspcet"},
       "calicert: \"key inspcet\": unknown command, did you mean "
       "\"key inspect\"?\nTry 'calicert key --help'.\n"},
      {{"frobnicate"}, "calicert: \"frobnicate\": unknown command\nTry 'calicert --help'.\n"},
      {{"--output", "x"},
       "calicert: \"--output\": unknown command; flags stand behind the command\n"
       "Try 'calicert --help'.\n"},
  };
  for (const Case& c : cases) {
    const RunResult result = RunWords(Sample(), c.words);
    EXPECT_EQ(result.code, kExitUsage);
    EXPECT_EQ(result.err, c.want);
    EXPECT_EQ(result.out, "");
  }
}

TEST(CommandTest, HelpTellsCommandsAndOneCommand) {
  const RunResult all = RunWords(Sample(), {"--help"});
  EXPECT_EQ(all.code, 0);
  EXPECT_THAT(all.out, AllOf(HasSubstr("  csr create   print csr create\n"),
                             HasSubstr("  completion   "), Not(HasSubstr("__complete"))));
  EXPECT_EQ(RunWords(Sample(), {}).out, all.out);
  EXPECT_EQ(RunWords(Sample(), {"help"}).out, all.out);

  const RunResult one = RunWords(Sample(), {"csr", "create", "--help"});
  EXPECT_EQ(one.code, 0);
  EXPECT_THAT(
      one.out,
      AllOf(StartsWith("Print csr create.\n\nUsage: calicert csr create [flags] "
                       "[FILE...]\n\nOne paragraph.\n\n  verbatim - line\n"),
            HasSubstr("  -o, --output FORMAT           how: table, json (default table)"),
            HasSubstr("  2                             unknown flag"),
            HasSubstr("  # Print one\n  calicert csr create a\n"), Not(HasSubstr("--completion"))));
  EXPECT_EQ(RunWords(Sample(), {"help", "csr", "create"}).out, one.out);
  EXPECT_EQ(RunWords(Sample(), {"help", "csr", "create"}).code, 0);
  EXPECT_THAT(RunWords(Sample(), {"help", "genkey"}).out, HasSubstr("  -output FORMAT"));
}

TEST(CommandTest, AGroupIsToldByItsWordAlone) {
  const RunResult bare = RunWords(Sample(), {"key"});
  EXPECT_EQ(bare.code, kExitUsage);
  EXPECT_EQ(bare.out, "");
  EXPECT_THAT(bare.err, AllOf(HasSubstr("key inspect"), Not(HasSubstr("csr"))));
  EXPECT_EQ(RunWords(Sample(), {"key", "-h"}).out, bare.err);
  EXPECT_EQ(RunWords(Sample(), {"key", "-h"}).code, 0);
}

TEST(CommandTest, AProgramOfOneCommandTakesAllWords) {
  const std::vector<Command> table = {Print("", config::FlagStyle::kGo)};
  EXPECT_EQ(RunWords(table, {"-output", "json", "inspect"}, {.program = "cfssljson"}).out,
            " json inspect");
}

TEST(CommandTest, TheVersionIsAFlagToo) {
  EXPECT_THAT(RunWords(Sample(), {"version"}).out, StartsWith("calicert "));
  EXPECT_EQ(RunWords(Sample(), {"--version"}).out, RunWords(Sample(), {"version"}).out);
}

std::vector<std::string> Completed(const std::vector<std::string>& words) {
  std::vector<std::string> found;
  const auto candidates = CompleteWords("calicert", Sample(), words);
  for (const auto& candidate : candidates.words) found.push_back(candidate.word);
  if (candidates.files) found.emplace_back(":files");
  return found;
}

TEST(CommandTest, CompletesCommandsFlagsValuesAndFiles) {
  EXPECT_THAT(Completed({""}), ElementsAre("inspect", "csr", "key", "genkey", "version"));
  EXPECT_THAT(Completed({"cs"}), ElementsAre("csr"));
  EXPECT_THAT(Completed({"key", ""}), ElementsAre("inspect"));
  EXPECT_THAT(Completed({"key", "inspect", "--o"}), ElementsAre("--output"));
  EXPECT_THAT(Completed({"key", "inspect", "-o", "j"}), ElementsAre("json"));
  EXPECT_THAT(Completed({"key", "inspect", "-o", "json", ""}), ElementsAre(":files"));
  EXPECT_THAT(Completed({"genkey", "-"}), ElementsAre(":files"));
  EXPECT_THAT(Completed({"genkey", "-ou"}), ElementsAre("-output"));
  EXPECT_THAT(Completed({"version", ""}), ElementsAre("--quiet"));
  // As bash cuts --output=j.
  EXPECT_THAT(Completed({"key", "inspect", "--output", "=", "j"}), ElementsAre("json"));
  EXPECT_THAT(Completed({"key", "inspect", "--output", "="}), ElementsAre("table", "json"));
  EXPECT_THAT(Completed({"help", "cs"}), ElementsAre("csr"));
  EXPECT_THAT(Completed({"help", "key", ""}), ElementsAre("inspect"));
  EXPECT_THAT(Completed({"help", "key", "inspect", ""}), ElementsAre());
}

TEST(CommandTest, KubectlCompletesAPlugIn) {
  EXPECT_EQ(KubectlCompletion("kubectl calicert", Sample(), {"key", ""}),
            "inspect\tprint key inspect\n:4\n");
  EXPECT_EQ(KubectlCompletion("kubectl calicert", Sample(), {"key", "inspect", ""}), ":0\n");
}

// What bash offers for `words`, a bash array, where a program of the script's name answers each
// line of `answer`, and then the words it was asked with.
std::string OfferedByBash(const std::string& answer, const std::string& words) {
  const std::string folder = ::testing::TempDir();
  std::ofstream(folder + "/calicert")
      << "#!/bin/sh\nshift\nprintf '" << answer << "%s\\t\\n' \"$*\"\n";
  std::ofstream(folder + "/script")
      << CompletionScript("calicert", "bash") << "cd " << folder << "; COMP_WORDS=" << words
      << "; COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
      << "_calicert\nprintf '[%s]' \"${COMPREPLY[@]}\"\n";
  EXPECT_EQ(system(("chmod +x " + folder + "/calicert").c_str()), 0);
  std::FILE* pipe = popen(("PATH=" + folder + ":$PATH bash " + folder + "/script").c_str(), "r");
  std::array<char, 4096> buffer{};
  const size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe);
  EXPECT_EQ(pclose(pipe), 0);
  return std::string(buffer.data(), size);
}

TEST(CommandTest, BashAsksTheProgram) {
  EXPECT_EQ(OfferedByBash("json\\tas JSON\\n", "(calicert inspect -o '')"), "[json][inspect -o ]");
}

TEST(CommandTest, BashOffersFilesWithSpacesInTheirNames) {
  std::ofstream(::testing::TempDir() + "/a b.pem") << "x";
  EXPECT_EQ(OfferedByBash(":files\\n", "(calicert inspect 'a ')"), "[a b.pem][inspect a ]");
  EXPECT_EQ(OfferedByBash(":files\\n", "(calicert verify --ca = 'a ')"),
            "[a b.pem][verify --ca = a ]");
  EXPECT_THAT(OfferedByBash(":files\\n", "(calicert verify --ca =)"), HasSubstr("[a b.pem]"));
}

TEST(CommandTest, APlugInCompletesByItsOwnNameAndLeavesKubectlAlone) {
  const std::string script = CompletionScript("kubectl calicert", "bash");
  EXPECT_THAT(script, HasSubstr("\ncomplete -F _kubectl_calicert kubectl-calicert\n"));
}

TEST(CommandTest, EachShellHasAScript) {
  EXPECT_THAT(RunWords(Sample(), {"completion", "zsh"}).out, StartsWith("#compdef calicert\n"));
  EXPECT_THAT(RunWords(Sample(), {"completion", "fish"}).out, HasSubstr("complete -c calicert -f"));
  EXPECT_EQ(RunWords(Sample(), {"completion", "csh"}).code, kExitUsage);
  EXPECT_THAT(RunWords(Sample(), {"completion"}).err, HasSubstr("SHELL: missing"));
}

TEST(CommandTest, ManPagesComeFromTheSameTable) {
  const std::string folder = ::testing::TempDir() + "/man";
  ASSERT_EQ(system(("mkdir -p " + folder).c_str()), 0);
  const RunResult result = RunWords(Sample(), {"man", folder});
  EXPECT_EQ(result.code, 0) << result.err;
  std::ifstream file(folder + "/calicert-csr-create.1");
  const std::string page(std::istreambuf_iterator<char>(file), {});
  EXPECT_THAT(page,
              AllOf(StartsWith(".TH CALICERT-CSR-CREATE 1"),
                    HasSubstr(".B \\-o, \\-\\-output FORMAT\n"), HasSubstr(".SH EXIT STATUS"),
                    HasSubstr("    calicert csr create a\n"), HasSubstr("  verbatim \\- line\n")));
  const std::vector<ManPage> pages = ManPages("calicert", Sample());
  EXPECT_EQ(pages.front().file, "calicert.1");
  EXPECT_THAT(pages.front().text, HasSubstr("calicert\\-csr\\-create(1)"));
  EXPECT_THAT(RunWords(Sample(), {"man", folder + "/none"}).err,
              HasSubstr("No such file or directory; make its folder first"));
}

}  // namespace
}  // namespace calico::calicert
