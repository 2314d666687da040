#include "operator/config/flags.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pkg/base/check.h"

namespace calico::config {
namespace {

// How many single-character edits make `a` into `b`, for "did you mean".
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

// absl::FormatDuration writes 8760h as "8760h", 90 min as "1h30m": what Period reads.
std::string PeriodText(absl::Duration duration) { return absl::FormatDuration(duration); }

std::string ShellName(std::string_view program) {
  std::string name = "_";
  for (const char c : program) name += c == '-' || c == ' ' ? '_' : c;
  return name;
}

// For a single-quoted string of zsh's _arguments.
std::string ZshText(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\'') {
      escaped += "'\\''";
    } else if (c == '[' || c == ']' || c == ':') {
      escaped += '\\';
      escaped += c;
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace

int ParsedFlags::Print() const {
  CALICO_CHECK(exit_code.has_value());
  std::FILE* out = *exit_code == 0 ? stdout : stderr;
  std::fwrite(text.data(), 1, text.size(), out);
  std::fflush(out);
  return *exit_code;
}

Flags::Flags(std::string program, std::string summary)
    : program_(std::move(program)), summary_(std::move(summary)) {}

void Flags::Add(FlagSpec spec, bool is_switch, std::string default_text,
                std::function<absl::Status(std::string_view)> set) {
  CALICO_CHECK(Find(spec.name) == nullptr);
  flags_.push_back({.spec = std::move(spec),
                    .is_switch = is_switch,
                    .default_text = std::move(default_text),
                    .set = std::move(set)});
}

void Flags::Text(FlagSpec spec, std::string* target) {
  Add(std::move(spec), false, *target, [target](std::string_view value) {
    *target = value;
    return absl::OkStatus();
  });
}

void Flags::List(FlagSpec spec, std::vector<std::string>* target) {
  Add(std::move(spec), false, fmt::format("{}", fmt::join(*target, ",")),
      [target, first = true](std::string_view value) mutable {
        if (std::exchange(first, false)) target->clear();
        while (!value.empty()) {
          const size_t comma = value.find(',');
          const std::string_view item = value.substr(0, comma);
          if (!item.empty()) target->emplace_back(item);
          value = comma == std::string_view::npos ? "" : value.substr(comma + 1);
        }
        return absl::OkStatus();
      });
}

void Flags::Switch(FlagSpec spec, bool* target) {
  Add(std::move(spec), true, *target ? "true" : "", [target](std::string_view value) {
    if (value != "true" && value != "false") {
      return absl::InvalidArgumentError("expected true or false");
    }
    *target = value == "true";
    return absl::OkStatus();
  });
}

void Flags::LogLevel(base::LogLevel* target) {
  Add({.name = "log-level",
       .value = "LEVEL",
       .help = "least important lines to log",
       .choices = {base::kLogLevelNames.begin(), base::kLogLevelNames.end()}},
      false, std::string(base::kLogLevelNames[static_cast<size_t>(*target)]),
      [target](std::string_view value) {
        *target = base::ParseLogLevel(value).value_or(*target);  // one of the choices
        return absl::OkStatus();
      });
}

void Flags::Number(FlagSpec spec, int minimum, int maximum, int* target) {
  Add(std::move(spec), false, fmt::format("{}", *target), [=](std::string_view value) {
    int number = 0;
    const char* end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, number);
    if (error != std::errc() || stop != end || number < minimum || number > maximum) {
      return absl::InvalidArgumentError(
          fmt::format("expected a number from {} to {}", minimum, maximum));
    }
    *target = number;
    return absl::OkStatus();
  });
}

void Flags::Period(FlagSpec spec, absl::Duration* target) {
  Add(std::move(spec), false, PeriodText(*target), [target](std::string_view value) {
    absl::Duration duration;
    if (!absl::ParseDuration(absl::string_view(value.data(), value.size()), &duration) ||
        duration < absl::ZeroDuration() || duration == absl::InfiniteDuration()) {
      return absl::InvalidArgumentError("expected a duration such as 90s, 1h30m or 8760h");
    }
    *target = duration;
    return absl::OkStatus();
  });
}

void Flags::Answer(FlagSpec spec, std::function<std::string(std::string_view)> answer) {
  Add(std::move(spec), false, "", [this, answer = std::move(answer)](std::string_view value) {
    answer_ = answer(value);
    return absl::OkStatus();
  });
  flags_.back().is_answer = true;
}

void Flags::Command(CommandSpec command) { commands_.push_back(std::move(command)); }

void Flags::Example(std::string comment, std::string command) {
  examples_.emplace_back(std::move(comment), std::move(command));
}

void Flags::Check(std::function<void(std::vector<std::string>&)> check) {
  checks_.push_back(std::move(check));
}

Flags::Flag* Flags::Find(std::string_view name) {
  for (Flag& flag : flags_) {
    if (flag.spec.name == name) return &flag;
  }
  return nullptr;
}

std::string Flags::LongForm(std::string_view argument) const {
  for (const Flag& flag : flags_) {
    if (flag.spec.letter != 0 && argument == std::string{'-', flag.spec.letter}) {
      return "--" + flag.spec.name;
    }
  }
  return std::string(argument);
}

std::string Flags::UnknownFlag(std::string_view name) const {
  std::string_view nearest;
  size_t distance = 1 + name.size() / 3;  // further away is a guess, not a hint
  for (const Flag& flag : flags_) {
    const size_t edits = EditDistance(name, flag.spec.name);
    if (edits <= distance && edits > 0) {
      distance = edits;
      nearest = flag.spec.name;
    }
  }
  if (nearest.empty()) return fmt::format("--{}: unknown flag", name);
  return fmt::format("--{}: unknown flag, did you mean --{}?", name, nearest);
}

void Flags::Set(Flag& flag, std::string_view value, std::string_view origin) {
  flag.seen = true;
  const std::vector<std::string>& choices = flag.spec.choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end()) {
    problems_.push_back(
        fmt::format("{}: {:?} is not one of {}", origin, value, fmt::join(choices, ", ")));
    return;
  }
  const absl::Status status = flag.set(value);
  if (status.ok()) return;
  problems_.push_back(fmt::format("{}: {:?}: {}", origin, value, std::string(status.message())));
}

void Flags::ParseOne(int argc, const char* const* argv, int& i) {
  const std::string argument_text = LongForm(argv[i]);
  const std::string_view argument = argument_text;
  if (argument == "-h" || argument == "--help") {
    help_ = true;
    return;
  }
  if (argument == "--version") {
    print_version_ = true;
    return;
  }
  if (!argument.starts_with("--")) {
    problems_.push_back(fmt::format("{:?}: unexpected argument", argument));
    return;
  }
  const size_t equals = argument.find('=');
  const std::string_view name = argument.substr(0, equals).substr(2);
  std::optional<std::string_view> value;
  if (equals != std::string_view::npos) value = argument.substr(equals + 1);

  Flag* flag = Find(name);
  if (flag == nullptr && name != "completion") {
    problems_.push_back(UnknownFlag(name));
    // What follows is most likely its value: one problem is enough.
    if (!value.has_value() && i + 1 < argc && argv[i + 1][0] != '-') ++i;
    return;
  }
  asks_for_answer_ |= flag == nullptr || flag->is_answer;
  if (flag != nullptr && flag->is_switch) {
    Set(*flag, value.value_or("true"), argument.substr(0, equals));
    return;
  }
  if (!value.has_value() && i + 1 < argc) value = argv[++i];
  if (!value.has_value()) {
    problems_.push_back(fmt::format("--{}: needs a value", name));
  } else if (flag != nullptr) {
    Set(*flag, *value, argument.substr(0, equals));
  } else if (*value == "bash" || *value == "zsh") {
    completion_ = *value;
  } else {
    problems_.push_back(fmt::format("--completion: {:?} is not one of bash, zsh", *value));
  }
}

void Flags::ReadEnvironment(const EnvironmentReader& environment) {
  for (Flag& flag : flags_) {
    if (flag.seen || flag.spec.environment.empty()) continue;
    const std::string value = environment(flag.spec.environment);
    if (!value.empty()) Set(flag, value, "environment " + flag.spec.environment);
  }
}

ParsedFlags Flags::Answers() const {
  if (help_) return {0, Help()};
  if (print_version_) return {0, version_ + "\n"};
  if (!completion_.empty()) return {0, Completion(completion_)};
  if (answer_.has_value()) return {0, *answer_};
  return {};
}

ParsedFlags Flags::Parse(int argc, const char* const* argv, const EnvironmentReader& environment) {
  for (int i = 1; i < argc; ++i) ParseOne(argc, argv, i);
  if (ParsedFlags answer = Answers(); answer.exit_code.has_value()) return answer;
  if (asks_for_answer_) return Problems();
  ReadEnvironment(environment);
  for (const Flag& flag : flags_) {
    if (!flag.spec.required || flag.seen) continue;
    const std::string& variable = flag.spec.environment;
    problems_.push_back(fmt::format("--{}: required{}", flag.spec.name,
                                    variable.empty() ? "" : fmt::format(" (or {})", variable)));
  }
  if (problems_.empty()) {
    for (const auto& check : checks_) check(problems_);
  }
  return problems_.empty() ? ParsedFlags{} : Problems();
}

ParsedFlags Flags::Problems() const {
  std::string text;
  for (const std::string& problem : problems_) text += fmt::format("{}: {}\n", program_, problem);
  text += fmt::format("Try '{} --help'.\n", program_);
  return {kExitUsage, std::move(text)};
}

std::string Flags::Help() const {
  std::string text = fmt::format("{}\n\nUsage: {} [flags]\n", summary_, program_);
  for (const CommandSpec& command : commands_) {
    text += fmt::format("       {} {} [flags]\n", program_, command.name);
  }
  const auto line = [&text](const std::string& left, const std::string& right) {
    text += left.size() < 30 ? fmt::format("  {:<30}{}\n", left, right)
                             : fmt::format("  {}\n  {:<30}{}\n", left, "", right);
  };
  if (!commands_.empty()) text += "\nCommands:\n";
  for (const CommandSpec& command : commands_) line(command.name, command.help);
  text += "\nFlags:\n";
  for (const Flag& flag : flags_) {
    std::string right = flag.spec.help;
    if (!flag.spec.choices.empty()) {
      right += fmt::format(": {}", fmt::join(flag.spec.choices, ", "));
    }
    std::vector<std::string> notes;
    if (flag.spec.required) notes.push_back("required");
    if (!flag.default_text.empty()) notes.push_back("default " + flag.default_text);
    if (!flag.spec.environment.empty()) notes.push_back("environment " + flag.spec.environment);
    if (!notes.empty()) right += fmt::format(" ({})", fmt::join(notes, "; "));
    const std::string letter = flag.spec.letter == 0 ? "" : fmt::format("-{}, ", flag.spec.letter);
    line(flag.is_switch ? fmt::format("{}--{}", letter, flag.spec.name)
                        : fmt::format("{}--{} {}", letter, flag.spec.name, flag.spec.value),
         right);
  }
  line("--completion SHELL", "print a completion script: bash, zsh");
  line("--version", "print the version");
  line("-h, --help", "print this text");
  if (!examples_.empty()) text += "\nExamples:\n";
  for (const auto& [comment, command] : examples_) {
    text += fmt::format("  # {}\n  {}\n", comment, command);
  }
  return text;
}

std::string Flags::Completion(std::string_view shell) const {
  return shell == "zsh" ? ZshCompletion() : BashCompletion();
}

// A command's part begins where the program has seen the command's word.
std::string Flags::ZshCompletion() const {
  const bool is_command = program_.find(' ') != std::string::npos;
  std::string text = is_command ? "" : fmt::format("#compdef {}\n", program_);
  for (const CommandSpec& command : commands_) {
    text +=
        fmt::format("if [[ $words[2] == {} ]]; then\nshift words; (( CURRENT-- ))\n{}return\nfi\n",
                    command.name, command.completion("zsh"));
  }
  text += "_arguments \\\n";
  std::string names;
  for (const CommandSpec& command : commands_) names += (names.empty() ? "" : " ") + command.name;
  if (!names.empty()) text += fmt::format("  '1:command:({})' \\\n", names);
  for (const Flag& flag : flags_) {
    std::string value;
    if (!flag.spec.choices.empty()) {
      value = fmt::format(":{}:({})", flag.spec.value, fmt::join(flag.spec.choices, " "));
    } else if (!flag.is_switch) {
      value = fmt::format(":{}:{}", flag.spec.value, flag.spec.value == "FILE" ? "_files" : "");
    }
    text += fmt::format("  '--{}{}[{}]{}' \\\n", flag.spec.name, flag.is_switch ? "" : "=",
                        ZshText(flag.spec.help), value);
  }
  return text +
         "  '--completion=[print a completion script]:SHELL:(bash zsh)' \\\n"
         "  '--version[print the version]' '(-h --help)'{-h,--help}'[print help]'\n";
}

std::string Flags::BashCompletion() const {
  const bool is_command = program_.find(' ') != std::string::npos;
  const std::string function = ShellName(program_);
  std::string scripts;
  std::string dispatch;
  std::string words;
  for (const CommandSpec& command : commands_) {
    scripts += command.completion("bash");
    dispatch += fmt::format("    {}) {}; return ;;\n", command.name,
                            ShellName(fmt::format("{} {}", program_, command.name)));
    words += command.name + " ";
  }
  if (!dispatch.empty())
    dispatch = fmt::format("  case ${{COMP_WORDS[1]}} in\n{}  esac\n", dispatch);
  std::string cases;
  for (const Flag& flag : flags_) {
    words += fmt::format("--{} ", flag.spec.name);
    const std::string pattern = flag.spec.letter == 0
                                    ? fmt::format("--{}", flag.spec.name)
                                    : fmt::format("-{}|--{}", flag.spec.letter, flag.spec.name);
    if (!flag.spec.choices.empty()) {
      cases += fmt::format("    {}) COMPREPLY=($(compgen -W '{}' -- \"$cur\")); return ;;\n",
                           pattern, fmt::join(flag.spec.choices, " "));
    } else if (!flag.is_switch) {
      cases += fmt::format("    {}) COMPREPLY=({}); return ;;\n", pattern,
                           flag.spec.value == "FILE" ? "$(compgen -f -- \"$cur\")" : "");
    }
  }
  return fmt::format(
      "{5}{0}() {{\n  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}\n{3}"
      "  case $prev in\n{1}"
      "    --completion) COMPREPLY=($(compgen -W 'bash zsh' -- \"$cur\")); return ;;\n"
      "  esac\n  COMPREPLY=($(compgen -W '{2}--completion --version --help' -- \"$cur\"))\n}}\n{4}",
      function, cases, words, dispatch,
      is_command ? "" : fmt::format("complete -F {} {}\n", function, program_), scripts);
}

}  // namespace calico::config
