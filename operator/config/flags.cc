#include "operator/config/flags.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/config/near_name.h"
#include "pkg/base/check.h"

namespace calico::config {
namespace {

// absl::FormatDuration writes 8760h as "8760h", 90 min as "1h30m": what Period reads.
std::string PeriodText(absl::Duration duration) { return absl::FormatDuration(duration); }

// What Go's package flag takes for a boolean; anything else stays as it is.
std::string_view GoBoolean(std::string_view value) {
  for (const std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (value == yes) return "true";
  }
  for (const std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (value == no) return "false";
  }
  return value;
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
      [this, target, first = true](std::string_view value) mutable {
        // "$HOST" that is not set: what it should limit would be left out in silence.
        if (of_command_ && value.empty()) return absl::InvalidArgumentError("expected a value");
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

void Flags::Arguments(ArgumentSpec spec, std::vector<std::string>* target) {
  arguments_.push_back({std::move(spec), target});
}

void Flags::ExitCode(int code, std::string meaning) {
  exit_codes_.emplace_back(code, std::move(meaning));
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

const Flags::Flag* Flags::Find(std::string_view name) const {
  return const_cast<Flags*>(this)->Find(name);
}

std::string Flags::LongForm(std::string_view argument) const {
  if (argument.size() < 2 || argument[0] != '-' || argument[1] == '-') return std::string(argument);
  for (const Flag& flag : flags_) {
    if (flag.spec.letter == 0 || argument[1] != flag.spec.letter) continue;
    std::string_view value = argument.substr(2);
    if (value.empty()) return "--" + flag.spec.name;
    if (flag.is_switch) continue;
    if (value.front() == '=') value.remove_prefix(1);
    return fmt::format("--{}={}", flag.spec.name, value);
  }
  return std::string(argument);
}

const Flags::Flag* Flags::NearestFlag(std::string_view name) const {
  std::vector<std::string_view> names;
  names.reserve(flags_.size());
  for (const Flag& flag : flags_) names.push_back(flag.spec.name);
  return Find(NearestName(name, names));
}

std::string Flags::UnknownFlag(std::string_view name, const Flag* nearest) const {
  const std::string_view dashes = Dashes();
  if (nearest == nullptr) return fmt::format("{}{}: unknown flag", dashes, name);
  return fmt::format("{0}{1}: unknown flag, did you mean {0}{2}?", dashes, name,
                     nearest->spec.name);
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
  const std::string_view word = argv[i];
  const bool is_go = style_ == FlagStyle::kGo;
  if (flags_end_ || word.size() < 2 || word[0] != '-') {
    flags_end_ |= is_go;
    words_.emplace_back(word);
    return;
  }
  if (word == "--") {
    flags_end_ = true;
    return;
  }
  if (is_go) {
    const std::string argument =
        word[1] == '-' ? std::string(word) : fmt::format("-{}", word);  // "--" for "-"
    help_ |= argument == "--h" || argument == "--help";
    if (!help_) ParseFlag(argument, argc, argv, i);
    return;
  }
  const std::string argument = LongForm(word);
  if (argument == "-h" || argument == "--help") {
    help_ = true;
  } else if (argument == "--version" && !of_command_) {
    print_version_ = true;
  } else if (!argument.starts_with("--")) {
    problems_.push_back(fmt::format("{}: unknown flag", argument));
  } else {
    ParseFlag(argument, argc, argv, i);
  }
}

void Flags::ParseFlag(std::string_view argument, int argc, const char* const* argv, int& i) {
  const size_t equals = argument.find('=');
  const std::string_view name = argument.substr(0, equals).substr(2);
  const std::string origin = fmt::format("{}{}", Dashes(), name);
  std::optional<std::string_view> value;
  if (equals != std::string_view::npos) value = argument.substr(equals + 1);

  Flag* flag = Find(name);
  const bool is_completion = flag == nullptr && name == "completion" && !of_command_;
  if (flag == nullptr && !is_completion) {
    const Flag* nearest = NearestFlag(name);
    problems_.push_back(UnknownFlag(name, nearest));
    // What follows is most likely its value: one problem is enough.
    const bool is_switch = nearest != nullptr && nearest->is_switch;
    if (!is_switch && !value.has_value() && i + 1 < argc && argv[i + 1][0] != '-') ++i;
    return;
  }
  asks_for_answer_ |= flag == nullptr || flag->is_answer;
  if (flag != nullptr && flag->is_switch) {
    const std::string_view given = value.value_or("true");
    Set(*flag, style_ == FlagStyle::kGo ? GoBoolean(given) : given, origin);
    return;
  }
  if (!value.has_value() && i + 1 < argc) value = argv[++i];
  if (!value.has_value()) {
    problems_.push_back(fmt::format("{}: needs a value", origin));
  } else if (flag != nullptr) {
    Set(*flag, *value, origin);
  } else if (*value == "bash" || *value == "fish" || *value == "zsh") {
    completion_ = *value;
  } else {
    problems_.push_back(fmt::format("--completion: {:?} is not one of bash, fish, zsh", *value));
  }
}

void Flags::DistributeWords() {
  size_t needed = 0;
  for (const Argument& argument : arguments_) needed += argument.spec.minimum;
  size_t next = 0;
  for (const Argument& argument : arguments_) {
    const ArgumentSpec& spec = argument.spec;
    needed -= spec.minimum;
    const size_t left = words_.size() - next;
    const size_t free = left > needed ? left - needed : 0;
    const size_t count = std::min(left, std::min(spec.maximum, std::max(spec.minimum, free)));
    if (count < spec.minimum) {
      problems_.push_back(fmt::format("{}: missing ({})", spec.name, spec.help));
    }
    for (size_t n = 0; n < count; ++n, ++next) {
      const std::string& word = words_[next];
      if (!spec.choices.empty() &&
          std::find(spec.choices.begin(), spec.choices.end(), word) == spec.choices.end()) {
        problems_.push_back(fmt::format("{}: {:?} is not one of {}", spec.name, word,
                                        fmt::join(spec.choices, ", ")));
      }
      argument.target->push_back(word);
    }
  }
  for (; next < words_.size(); ++next) {
    problems_.push_back(fmt::format("{:?}: unexpected argument", words_[next]));
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
  DistributeWords();
  ReadEnvironment(environment);
  for (const Flag& flag : flags_) {
    if (!flag.spec.required || flag.seen) continue;
    const std::string& variable = flag.spec.environment;
    problems_.push_back(fmt::format("{}{}: required{}", Dashes(), flag.spec.name,
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
  return {usage_exit_, std::move(text)};
}

}  // namespace calico::config
