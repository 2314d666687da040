#include "operator/config/flags.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calico::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// A program's configuration and its flags, as a main() has them.
struct Program {
  Program() : flags("csr-signer", "Signs.") {
    flags.Text({.name = "ca-cert", .value = "FILE", .help = "certificate", .required = true},
               &ca_cert);
    flags.List({.name = "signer-name", .value = "NAME", .help = "names"}, &names);
    flags.Switch({.name = "leader-elect", .help = "lead"}, &lead);
    flags.Number({.name = "concurrency", .value = "N", .help = "work", .environment = "CONC"}, 1,
                 64, &concurrency);
    flags.Period({.name = "duration", .value = "TIME", .help = "how long"}, &duration);
    flags.Text({.name = "log-level",
                .value = "LEVEL",
                .help = "threshold",
                .environment = "LOG_LEVEL",
                .choices = {"debug", "info"}},
               &level);
    flags.Example("Sign", "csr-signer --ca-cert ca.crt");
    flags.Version("csr-signer v1");
  }

  ParsedFlags Parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "csr-signer");
    return flags.Parse(static_cast<int>(arguments.size()), arguments.data(),
                       [this](const std::string& name) { return environment[name]; });
  }

  std::string ca_cert;
  std::vector<std::string> names = {"default/name"};
  bool lead = false;
  int concurrency = 8;
  absl::Duration duration = absl::Hours(8760);
  std::string level = "info";
  std::map<std::string, std::string> environment;
  Flags flags;
};

TEST(FlagsTest, TakesBothFormsAndKeepsDefaults) {
  Program program;
  const ParsedFlags parsed =
      program.Parse({"--ca-cert", "a.crt", "--duration=1h30m", "--leader-elect",
                     "--signer-name=a.b/c,d.e/f", "--signer-name", "g.h/i"});
  EXPECT_FALSE(parsed.exit_code.has_value()) << parsed.text;
  EXPECT_EQ(program.ca_cert, "a.crt");
  EXPECT_EQ(program.duration, absl::Minutes(90));
  EXPECT_TRUE(program.lead);
  EXPECT_EQ(program.concurrency, 8);
  EXPECT_THAT(program.names, ElementsAre("a.b/c", "d.e/f", "g.h/i"));
}

TEST(FlagsTest, SwitchTakesAValueOnlyWithEquals) {
  Program program;
  EXPECT_FALSE(program.Parse({"--ca-cert=x", "--leader-elect=false"}).exit_code.has_value());
  EXPECT_FALSE(program.lead);
  Program separate;
  EXPECT_THAT(separate.Parse({"--ca-cert=x", "--leader-elect", "false"}).text,
              HasSubstr("\"false\": unexpected argument"));
}

TEST(FlagsTest, AValueMayBeEmptyOrLookLikeAFlag) {
  Program program;
  EXPECT_FALSE(program.Parse({"--ca-cert", "--odd", "--log-level=info"}).exit_code.has_value());
  EXPECT_EQ(program.ca_cert, "--odd");
  Program empty;
  EXPECT_FALSE(empty.Parse({"--ca-cert="}).exit_code.has_value());
  EXPECT_EQ(empty.ca_cert, "");
}

TEST(FlagsTest, EnvironmentIsTheFallback) {
  Program program;
  program.environment = {{"CONC", "5"}, {"LOG_LEVEL", "debug"}};
  EXPECT_FALSE(program.Parse({"--ca-cert=x", "--concurrency=7"}).exit_code.has_value());
  EXPECT_EQ(program.concurrency, 7);
  EXPECT_EQ(program.level, "debug");
  Program bad;
  bad.environment = {{"CONC", "many"}};
  EXPECT_THAT(bad.Parse({"--ca-cert=x"}).text,
              HasSubstr("environment CONC: \"many\": expected a number from 1 to 64"));
}

TEST(FlagsTest, TellsEveryProblemAtOnce) {
  Program program;
  bool checked = false;
  program.flags.Check([&](std::vector<std::string>&) { checked = true; });
  const ParsedFlags parsed =
      program.Parse({"--polcy", "file", "--concurency=3", "--concurrency", "65", "stray",
                     "--duration=-1s", "--log-level=loud", "--signer-name"});
  EXPECT_EQ(parsed.exit_code, kExitUsage);
  EXPECT_EQ(parsed.text,
            "csr-signer: --polcy: unknown flag\n"
            "csr-signer: --concurency: unknown flag, did you mean --concurrency?\n"
            "csr-signer: --concurrency: \"65\": expected a number from 1 to 64\n"
            "csr-signer: --duration: \"-1s\": expected a duration such as 90s, 1h30m or 8760h\n"
            "csr-signer: --log-level: \"loud\" is not one of debug, info\n"
            "csr-signer: --signer-name: needs a value\n"
            "csr-signer: \"stray\": unexpected argument\n"
            "csr-signer: --ca-cert: required\n"
            "Try 'csr-signer --help'.\n");
  EXPECT_FALSE(checked) << "values are incomplete";
}

TEST(FlagsTest, RefusesHalfNumbersAndEndlessDurations) {
  for (const char* bad : {"--concurrency=5x", "--concurrency=", "--concurrency=99999999999",
                          "--duration=inf", "--duration=5", "--duration=", "--leader-elect=yes"}) {
    SCOPED_TRACE(bad);
    Program program;
    EXPECT_EQ(program.Parse({"--ca-cert=x", bad}).exit_code, kExitUsage);
  }
}

TEST(FlagsTest, ChecksAddProblems) {
  Program program;
  program.flags.Check([&](std::vector<std::string>& problems) {
    if (program.ca_cert == "none") problems.push_back("--ca-cert: no such file");
  });
  const ParsedFlags parsed = program.Parse({"--ca-cert=none"});
  EXPECT_EQ(parsed.exit_code, kExitUsage);
  EXPECT_THAT(parsed.text, HasSubstr("csr-signer: --ca-cert: no such file\n"));
}

TEST(FlagsTest, HelpAndVersionWinOverProblems) {
  for (const char* help : {"-h", "--help"}) {
    Program program;
    const ParsedFlags parsed = program.Parse({help, "--nonsense"});
    EXPECT_EQ(parsed.exit_code, 0);
    EXPECT_THAT(parsed.text,
                AllOf(HasSubstr("  --concurrency N               work (default 8; environment "
                                "CONC)\n"),
                      HasSubstr("  --leader-elect                lead\n"),
                      HasSubstr("threshold: debug, info (default info; environment LOG_LEVEL)\n"),
                      HasSubstr("  # Sign\n  csr-signer --ca-cert ca.crt\n")));
  }
  Program version;
  EXPECT_EQ(version.Parse({"--version"}).text, "csr-signer v1\n");
}

// What bash offers after `csr-signer <words...>`, by running the script.
std::string Complete(const Program& program, const std::string& words) {
  const std::string file = testing::TempDir() + "/completion.bash";
  std::ofstream(file) << program.flags.Completion("bash") << "COMP_WORDS=(csr-signer " << words
                      << ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_csr_signer\n"
                      << "echo \"${COMPREPLY[*]}\"\n";
  std::FILE* pipe = popen(("bash " + file).c_str(), "r");
  std::array<char, 4096> buffer{};
  const size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe);
  EXPECT_EQ(pclose(pipe), 0);
  return {buffer.data(), size};
}

TEST(FlagsTest, AnAnswerEndsTheProgramWithItsText) {
  Program program;
  program.flags.Answer({.name = "print-policy", .value = "NAME", .choices = {"calico"}},
                       [](std::string_view name) { return "policy " + std::string(name); });
  const ParsedFlags parsed = program.Parse({"--print-policy", "calico"});
  EXPECT_EQ(parsed.exit_code, 0) << "required flags do not matter then";
  EXPECT_EQ(parsed.text, "policy calico");
  Program other;
  other.flags.Answer({.name = "print-policy", .value = "NAME", .choices = {"calico"}},
                     [](std::string_view) { return std::string("x"); });
  const ParsedFlags unknown = other.Parse({"--print-policy=none"});
  EXPECT_EQ(unknown.exit_code, kExitUsage);
  // Told alone: what is required for a run is not missed.
  EXPECT_EQ(unknown.text,
            "csr-signer: --print-policy: \"none\" is not one of calico\n"
            "Try 'csr-signer --help'.\n");
}

TEST(FlagsTest, BashCompletesFlagsAndChoices) {
  Program program;
  EXPECT_EQ(program.Parse({"--completion", "bash"}).exit_code, 0);
  EXPECT_EQ(Complete(program, "--le"), "--leader-elect\n");
  EXPECT_EQ(Complete(program, "--log-level d"), "debug\n");
  EXPECT_EQ(Complete(program, "--duration ''"), "\n");
  EXPECT_THAT(Complete(program, "''"), AllOf(HasSubstr("--ca-cert"), HasSubstr("--completion")));
}

TEST(FlagsTest, ZshCompletionNamesEveryFlag) {
  Program program;
  const ParsedFlags parsed = program.Parse({"--completion=zsh"});
  EXPECT_EQ(parsed.exit_code, 0);
  EXPECT_THAT(parsed.text, AllOf(HasSubstr("#compdef csr-signer"),
                                 HasSubstr("'--ca-cert=[certificate]:FILE:_files'"),
                                 HasSubstr("'--log-level=[threshold]:LEVEL:(debug info)'"),
                                 HasSubstr("'--leader-elect[lead]'")));
  EXPECT_EQ(Program().Parse({"--completion=csh"}).exit_code, kExitUsage);
}

TEST(FlagsTest, FishCompletionNamesEveryFlag) {
  Program program;
  const ParsedFlags parsed = program.Parse({"--completion=fish"});
  EXPECT_EQ(parsed.exit_code, 0);
  EXPECT_THAT(parsed.text,
              AllOf(HasSubstr("complete -c csr-signer -l ca-cert -r -F -d 'certificate'\n"),
                    HasSubstr("-l log-level -x -a 'debug info' -d 'threshold'\n"),
                    HasSubstr("-l leader-elect -d 'lead'\n")));
}

TEST(FlagsTest, WordsGoToTheirTargetsInOrder) {
  struct Case {
    std::vector<std::string> words;
    std::vector<std::string> first, rest, last;
    std::string problem;
  };
  const Case cases[] = {
      {{"a", "b", "c", "d"}, {"a"}, {"b", "c"}, {"d"}, ""},
      {{"a", "d"}, {"a"}, {}, {"d"}, ""},
      {{"a"}, {"a"}, {}, {}, "TO: missing (where)"},
      {{}, {}, {}, {}, "KIND: missing (what)"},
      {{"x", "d"}, {"x"}, {}, {"d"}, "KIND: \"x\" is not one of a, b"},
  };
  for (const Case& c : cases) {
    std::vector<std::string> first, rest, last;
    Flags flags("copy", "Copies.");
    flags.Arguments(
        {.name = "KIND", .help = "what", .minimum = 1, .maximum = 1, .choices = {"a", "b"}},
        &first);
    flags.Arguments({.name = "FROM", .help = "which"}, &rest);
    flags.Arguments({.name = "TO", .help = "where", .minimum = 1, .maximum = 1}, &last);
    std::vector<const char*> argv = {"copy"};
    for (const std::string& word : c.words) argv.push_back(word.c_str());
    const ParsedFlags parsed = flags.Parse(static_cast<int>(argv.size()), argv.data(),
                                           [](const std::string&) { return ""; });
    EXPECT_EQ(first, c.first);
    EXPECT_EQ(rest, c.rest);
    EXPECT_EQ(last, c.last);
    EXPECT_THAT(parsed.text, HasSubstr(c.problem));
    EXPECT_EQ(parsed.exit_code.has_value(), !c.problem.empty());
    EXPECT_THAT(flags.Help(), HasSubstr("Usage: copy [flags] KIND [FROM...] TO\n"));
  }
}

TEST(FlagsTest, WhatFollowsAMisspeltSwitchIsNotItsValue) {
  bool brief = false;
  std::vector<std::string> files;
  Flags flags("show", "Shows.");
  flags.Switch({.name = "short", .help = "less"}, &brief);
  flags.Arguments({.name = "FILE", .help = "what", .minimum = 1}, &files);
  const char* const argv[] = {"show", "--shrot", "a"};
  EXPECT_EQ(flags.Parse(3, argv, [](const std::string&) { return ""; }).text,
            "show: --shrot: unknown flag, did you mean --short?\nTry 'show --help'.\n");
}

TEST(FlagsTest, GoStyleTakesOneDashAndGosBooleans) {
  const auto parse = [](std::vector<const char*> argv, bool* lead) {
    Flags flags("x", "X.");
    flags.Style(FlagStyle::kGo);
    flags.Switch({.name = "lead", .help = "lead"}, lead);
    std::vector<std::string> words;
    flags.Arguments({.name = "WORD", .help = "words"}, &words);
    argv.insert(argv.begin(), "x");
    return flags.Parse(static_cast<int>(argv.size()), argv.data(),
                       [](const std::string&) { return ""; });
  };
  bool lead = false;
  EXPECT_FALSE(parse({"-lead"}, &lead).exit_code.has_value());
  EXPECT_TRUE(lead);
  EXPECT_FALSE(parse({"--lead=F"}, &lead).exit_code.has_value());
  EXPECT_FALSE(lead);
  EXPECT_FALSE(parse({"-lead=1", "--", "-lead=0"}, &lead).exit_code.has_value());
  EXPECT_TRUE(lead);
  EXPECT_FALSE(parse({"a", "-lead=false"}, &lead).exit_code.has_value());
  EXPECT_TRUE(lead) << "no flag after the first word";
  EXPECT_EQ(parse({"-lead=maybe"}, &lead).exit_code, kExitUsage);
  EXPECT_EQ(parse({"-help"}, &lead).exit_code, 0);
}

TEST(FlagsTest, ALetterIsAnotherNameOfItsFlag) {
  std::string output = "yaml";
  Flags flags("render", "Prints.");
  flags.Text({.name = "output",
              .value = "FORMAT",
              .help = "how",
              .choices = {"yaml", "json"},
              .letter = 'o'},
             &output);
  const char* const good[] = {"render", "-o", "json"};
  EXPECT_FALSE(flags.Parse(3, good, [](const std::string&) { return ""; }).exit_code.has_value());
  EXPECT_EQ(output, "json");
  EXPECT_THAT(flags.Help(), HasSubstr("-o, --output FORMAT"));
  EXPECT_THAT(flags.Completion("bash"), HasSubstr("-o|--output)"));
}

TEST(FlagsTest, AFlagWithoutHelpIsTakenAndNotTold) {
  std::string label;
  Flags flags("genkey", "Makes a key.");
  flags.Text({.name = "label", .value = "NAME"}, &label);
  const char* const words[] = {"genkey", "--label", "x"};
  EXPECT_FALSE(flags.Parse(3, words, [](const std::string&) { return ""; }).exit_code.has_value());
  EXPECT_EQ(label, "x");
  EXPECT_THAT(flags.Help(), Not(HasSubstr("label")));
  EXPECT_THAT(flags.ManPage("1", {}), Not(HasSubstr("label")));
  EXPECT_TRUE(flags.Complete({"--l"}).words.empty());
}

TEST(FlagsTest, ACommandIsInTheHelpAndCompletesItsOwnFlags) {
  std::string file;
  Flags render("prog render", "Prints.");
  render.Text({.name = "installation", .value = "FILE", .help = "what"}, &file);
  Flags program("prog", "Runs.");
  program.Command({.name = "render", .help = "print it", .completion = [&](std::string_view shell) {
                     return render.Completion(shell);
                   }});
  EXPECT_THAT(program.Help(), AllOf(HasSubstr("prog render [flags]"), HasSubstr("print it")));
  EXPECT_THAT(program.Completion("bash"),
              AllOf(HasSubstr("render) _prog_render; return"), HasSubstr("--installation"),
                    HasSubstr("complete -F _prog prog\n")));
  EXPECT_THAT(render.Completion("bash"), Not(HasSubstr("complete -F")));
  EXPECT_THAT(program.Completion("zsh"),
              AllOf(HasSubstr("#compdef prog\n"), HasSubstr("$words[2] == render"),
                    HasSubstr("--installation=")));
}

}  // namespace
}  // namespace calico::config
