// Flags: the command line of our programs, GNU style, with the environment as fallback.
//
//   config::Flags flags("csr-signer", "Approves and signs CertificateSigningRequests.");
//   flags.Text({.name = "policy", .value = "FILE", .help = "who may have what"}, &policy_file);
//   const config::ParsedFlags parsed = flags.Parse(argc, argv, kube::ProcessEnvironment());
//   if (parsed.exit_code.has_value()) return parsed.Print();
//
// Takes `--flag value`, `--flag=value`, `--switch`, `--switch=false`, `-o value` and `-ovalue`, and
// words between them where Arguments() takes any; `--` ends the flags. Answers -h, --help,
// --version and --completion bash|fish|zsh by itself. What is wrong is told all at once, with exit
// code 2.
#ifndef CALICO_OPERATOR_CONFIG_FLAGS_H_
#define CALICO_OPERATOR_CONFIG_FLAGS_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "pkg/base/log.h"

namespace calico::config {

inline constexpr int kExitUsage = 2;

struct FlagSpec {
  std::string name;   // without dashes
  std::string value;  // how the help names the value; FILE and DIR complete to files
  // One sentence, lower case; the default is added by itself. Empty: taken, and not told about by
  // the help, the man page and Complete.
  std::string help;
  std::string environment;  // variable read when the flag is not given; empty = none
  bool required = false;
  std::vector<std::string> choices;  // the only allowed values, if any; also for completion
  char letter = 0;                   // `-o` is the same as `--output`; 0 = none
};

inline constexpr size_t kAnyNumber = static_cast<size_t>(-1);

// Words that are no flags, in their order.
struct ArgumentSpec {
  std::string name;  // how the help names each; FILE and DIR complete to files
  std::string help;  // one sentence, lower case
  size_t minimum = 0;
  size_t maximum = kAnyNumber;
  std::vector<std::string> choices;  // the only allowed values, if any
};

enum class FlagStyle {
  kGnu,
  // As Go's package flag reads them: `-flag value`, `-flag=value`, `--flag`, `-switch=false`, and
  // no flag after the first word that is none.
  kGo,
};

// A word after the program's name that makes it another program, with flags of its own. Whoever
// parses looks for it first; here it is for --help and completion.
struct CommandSpec {
  std::string name;
  std::string help;  // one sentence, lower case
  // What Flags::Completion of the command's own flags gives.
  std::function<std::string(std::string_view shell)> completion;
};

struct ParsedFlags {
  // Set: the program prints `text` and ends with this code. 0: help or the like was asked for.
  std::optional<int> exit_code;
  std::string text;

  // Prints `text` to stdout (exit code 0) or stderr. Returns the exit code. Requires: exit_code.
  int Print() const;
};

// The same shape as kube::Environment; an empty value counts as unset.
using EnvironmentReader = std::function<std::string(const std::string& name)>;

// Targets hold the default when they are added and must outlive the Flags.
class Flags {
 public:
  Flags(std::string program, std::string summary);

  void Text(FlagSpec spec, std::string* target);
  // May be given several times, or once with commas; the first use replaces the default. An empty
  // value is none; of a command it is refused.
  void List(FlagSpec spec, std::vector<std::string>* target);
  void Switch(FlagSpec spec, bool* target);
  void Number(FlagSpec spec, int minimum, int maximum, int* target);
  // As Go writes it: 90s, 1h30m, 8760h. Negative and unbounded ones are refused.
  void Period(FlagSpec spec, absl::Duration* target);

  // --log-level LEVEL.
  void LogLevel(base::LogLevel* target);

  // A flag that makes the program print something and end, as --help does: `--print-policy NAME`.
  // What is wrong with it is told alone: flags that are required otherwise are not missed.
  void Answer(FlagSpec spec, std::function<std::string(std::string_view value)> answer);

  void Command(CommandSpec command);

  // Takes words that are no flags. Of several specs each takes as many as it may, and leaves those
  // that the later ones need.
  void Arguments(ArgumentSpec spec, std::vector<std::string>* target);
  void Style(FlagStyle style) { style_ = style; }
  FlagStyle style() const { return style_; }
  // These are the flags of one command of several: --version and --completion are the program's.
  void OfCommand() { of_command_ = true; }

  // Paragraphs for --help and the man page, with empty lines between them. Lines that begin with
  // two spaces stay as they are, others are filled.
  void Details(std::string text) { details_ = std::move(text); }
  // What an exit code means; for help and man page.
  void ExitCode(int code, std::string meaning);
  // The exit code for wrong flags and arguments where kExitUsage means something else.
  void UsageExit(int code) { usage_exit_ = code; }
  bool has_exit_codes() const { return !exit_codes_.empty(); }
  // An example at the end of the help: a comment and a command line.
  void Example(std::string comment, std::string command);
  // What --version prints.
  void Version(std::string text) { version_ = std::move(text); }
  // Called after all values are set; adds what is wrong, such as `--policy: no such file`. Not
  // called when a flag is malformed.
  void Check(std::function<void(std::vector<std::string>& problems)> check);

  ParsedFlags Parse(int argc, const char* const* argv, const EnvironmentReader& environment);

  std::string Help() const;
  // A script for bash or zsh. Of a command ("calico-operator render") it is a part of the
  // program's.
  std::string Completion(std::string_view shell) const;
  // A page of section 1 in roff. `see_also` names other pages: "calicert-inspect(1)".
  std::string ManPage(std::string_view version, const std::vector<std::string>& see_also) const;

  // A word that may stand at the end of a command line, for completion while it is typed.
  struct Candidate {
    std::string word;
    std::string help;
  };
  struct Candidates {
    std::vector<Candidate> words;
    bool files = false;  // names of files too
  };
  // What may take the place of `words.back()`, which may be empty; those before it are complete.
  Candidates Complete(const std::vector<std::string>& words) const;

 private:
  struct Flag {
    FlagSpec spec;
    bool is_switch = false;
    bool is_answer = false;
    std::string default_text;
    std::function<absl::Status(std::string_view value)> set;
    bool seen = false;
  };

  void Add(FlagSpec spec, bool is_switch, std::string default_text,
           std::function<absl::Status(std::string_view)> set);
  Flag* Find(std::string_view name);
  const Flag* Find(std::string_view name) const;
  // The flag that `word` sets without "=": by name or letter, with the dashes of the style.
  const Flag* FlagOfWord(std::string_view word) const;
  std::string_view Dashes() const { return style_ == FlagStyle::kGo ? "-" : "--"; }
  // "--output" for "-o", "--output=json" for "-ojson" and "-o=json", anything else as it is.
  std::string LongForm(std::string_view argument) const;
  std::string ZshCompletion() const;
  std::string BashCompletion() const;
  std::string FishCompletion() const;
  // "calicert inspect [flags] FILE...".
  std::string UsageLine() const;
  // Flag and value on the left of a line of the help, and what it says about them.
  std::string LeftOf(const Flag& flag) const;
  static std::string RightOf(const Flag& flag);
  // Consumes argv[i] and perhaps its value; moves `i` to the last one consumed.
  void ParseOne(int argc, const char* const* argv, int& i);
  // `argument` is a flag in its long form.
  void ParseFlag(std::string_view argument, int argc, const char* const* argv, int& i);
  // Gives the collected words to their targets.
  void DistributeWords();
  void Set(Flag& flag, std::string_view value, std::string_view origin);
  void ReadEnvironment(const EnvironmentReader& environment);
  // Null unless one is near enough.
  const Flag* NearestFlag(std::string_view name) const;
  std::string UnknownFlag(std::string_view name, const Flag* nearest) const;
  // The problems as text.
  ParsedFlags Problems() const;
  // What --help and its like ask for; no exit code if nothing of the kind was given.
  ParsedFlags Answers() const;

  std::string program_;
  std::string summary_;
  std::string version_;
  std::vector<Flag> flags_;
  std::vector<CommandSpec> commands_;
  std::vector<std::pair<std::string, std::string>> examples_;
  std::vector<std::function<void(std::vector<std::string>&)>> checks_;
  struct Argument {
    ArgumentSpec spec;
    std::vector<std::string>* target;
  };
  std::vector<Argument> arguments_;
  std::vector<std::pair<int, std::string>> exit_codes_;
  std::string details_;
  FlagStyle style_ = FlagStyle::kGnu;
  bool of_command_ = false;
  int usage_exit_ = kExitUsage;
  std::vector<std::string> words_;  // that are no flags
  bool flags_end_ = false;
  std::vector<std::string> problems_;
  bool asks_for_answer_ = false;
  bool help_ = false;
  bool print_version_ = false;
  std::string completion_;
  std::optional<std::string> answer_;
};

}  // namespace calico::config

#endif  // CALICO_OPERATOR_CONFIG_FLAGS_H_
