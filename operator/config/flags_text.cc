// What the flags say about themselves: help, man page, completion.
#include <algorithm>
#include <cstddef>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/config/flags.h"

namespace calico::config {
namespace {

// Whether a value that the help names so is a file or folder.
bool IsPath(std::string_view value) { return value == "FILE" || value == "DIR"; }

constexpr size_t kTextWidth = 80;

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

// Quoted for fish.
std::string FishText(std::string_view text) {
  std::string escaped = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped + "'";
}

// For roff: no line becomes a request, and a hyphen can be copied.
std::string RoffText(std::string_view text) {
  std::string escaped;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c == '.' || c == '\'') && (i == 0 || text[i - 1] == '\n')) escaped += "\\&";
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
  }
  return lines;
}

// Fills lines up to `kTextWidth`; those that begin with two spaces, and empty ones, stay.
std::string Filled(std::string_view text) {
  std::string filled;
  size_t column = 0;
  const auto end_line = [&] {
    if (std::exchange(column, 0) > 0) filled += '\n';
  };
  for (std::string_view line : Lines(text)) {
    if (line.empty() || line.starts_with("  ")) {
      end_line();
      filled.append(line).append("\n");
      continue;
    }
    while (!line.empty()) {
      const size_t space = line.find(' ');
      const std::string_view word = line.substr(0, space);
      line = space == std::string_view::npos ? "" : line.substr(space + 1);
      if (column + 1 + word.size() > kTextWidth) end_line();
      if (column > 0) filled += ' ';
      filled += word;
      column += word.size() + (column > 0 ? 1 : 0);
    }
  }
  end_line();
  return filled;
}

// The same text in roff.
std::string RoffParagraphs(std::string_view text) {
  std::string roff;
  bool verbatim = false;
  for (const std::string_view line : Lines(text)) {
    if (line.starts_with("  ") != verbatim) {
      verbatim = !verbatim;
      roff += verbatim ? ".nf\n" : ".fi\n";
    }
    roff += line.empty() ? ".PP\n" : RoffText(line) + "\n";
  }
  if (verbatim) roff += ".fi\n";
  return roff;
}

void AppendLine(std::string& text, const std::string& left, const std::string& right) {
  text += left.size() < 30 ? fmt::format("  {:<30}{}\n", left, right)
                           : fmt::format("  {}\n  {:<30}{}\n", left, "", right);
}

}  // namespace

std::string Flags::LeftOf(const Flag& flag) const {
  const bool has_letter = flag.spec.letter != 0 && style_ == FlagStyle::kGnu;
  const std::string letter = has_letter ? fmt::format("-{}, ", flag.spec.letter) : "";
  return fmt::format("{}{}{}{}{}", letter, Dashes(), flag.spec.name, flag.is_switch ? "" : " ",
                     flag.is_switch ? "" : flag.spec.value);
}

std::string Flags::RightOf(const Flag& flag) {
  std::string right = flag.spec.help;
  if (!flag.spec.choices.empty()) {
    right += fmt::format(": {}", fmt::join(flag.spec.choices, ", "));
  }
  std::vector<std::string> notes;
  if (flag.spec.required) notes.push_back("required");
  if (!flag.default_text.empty()) notes.push_back("default " + flag.default_text);
  if (!flag.spec.environment.empty()) notes.push_back("environment " + flag.spec.environment);
  if (!notes.empty()) right += fmt::format(" ({})", fmt::join(notes, "; "));
  return right;
}

std::string Flags::UsageLine() const {
  std::string line = program_;
  if (!flags_.empty() || !of_command_) line += " [flags]";
  for (const Argument& argument : arguments_) {
    const ArgumentSpec& spec = argument.spec;
    const std::string name = spec.maximum > 1 ? spec.name + "..." : spec.name;
    line += spec.minimum == 0 ? fmt::format(" [{}]", name) : " " + name;
  }
  return line;
}

std::string Flags::Help() const {
  std::string text = fmt::format("{}\n\nUsage: {}\n", summary_, UsageLine());
  for (const CommandSpec& command : commands_) {
    text += fmt::format("       {} {} [flags]\n", program_, command.name);
  }
  if (!details_.empty()) text += "\n" + Filled(details_);
  if (!commands_.empty()) text += "\nCommands:\n";
  for (const CommandSpec& command : commands_) AppendLine(text, command.name, command.help);
  if (!arguments_.empty()) text += "\nArguments:\n";
  for (const Argument& argument : arguments_) {
    const ArgumentSpec& spec = argument.spec;
    AppendLine(text, spec.name,
               spec.choices.empty()
                   ? spec.help
                   : fmt::format("{}: {}", spec.help, fmt::join(spec.choices, ", ")));
  }
  text += "\nFlags:\n";
  for (const Flag& flag : flags_) {
    if (!flag.spec.help.empty()) AppendLine(text, LeftOf(flag), RightOf(flag));
  }
  if (!of_command_) {
    AppendLine(text, "--completion SHELL", "print a completion script: bash, fish, zsh");
    AppendLine(text, "--version", "print the version");
  }
  AppendLine(text, style_ == FlagStyle::kGo ? "-h, -help" : "-h, --help", "print this text");
  if (!exit_codes_.empty()) text += "\nExit codes:\n";
  for (const auto& [code, meaning] : exit_codes_) {
    AppendLine(text, fmt::format("{}", code), meaning);
  }
  if (!examples_.empty()) text += "\nExamples:\n";
  for (const auto& [comment, command] : examples_) {
    text += fmt::format("  # {}\n  {}\n", comment, command);
  }
  return text;
}

std::string Flags::ManPage(std::string_view version,
                           const std::vector<std::string>& see_also) const {
  std::string page_name = program_;
  std::replace(page_name.begin(), page_name.end(), ' ', '-');
  std::string upper = page_name;
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  std::string page = fmt::format(".TH {} 1 \"\" \"{}\" \"User Commands\"\n.SH NAME\n{} \\- {}\n",
                                 upper, RoffText(version), RoffText(page_name), RoffText(summary_));
  page += fmt::format(".SH SYNOPSIS\n.B {}\n", RoffText(UsageLine()));
  if (!details_.empty()) page += ".SH DESCRIPTION\n" + RoffParagraphs(details_);
  const auto item = [&page](const std::string& left, const std::string& right) {
    page += fmt::format(".TP\n.B {}\n{}\n", RoffText(left), RoffText(right));
  };
  if (!commands_.empty()) page += ".SH COMMANDS\n";
  for (const CommandSpec& command : commands_) item(command.name, command.help);
  if (!arguments_.empty()) page += ".SH ARGUMENTS\n";
  for (const Argument& argument : arguments_) item(argument.spec.name, argument.spec.help);
  if (!flags_.empty()) page += ".SH OPTIONS\n";
  for (const Flag& flag : flags_) {
    if (!flag.spec.help.empty()) item(LeftOf(flag), RightOf(flag));
  }
  if (!exit_codes_.empty()) page += ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : exit_codes_) item(fmt::format("{}", code), meaning);
  if (!examples_.empty()) page += ".SH EXAMPLES\n";
  for (const auto& [comment, command] : examples_) {
    page += fmt::format(".PP\n{}\n.PP\n.nf\n    {}\n.fi\n", RoffText(comment), RoffText(command));
  }
  if (!see_also.empty()) {
    page +=
        fmt::format(".SH SEE ALSO\n{}\n", RoffText(fmt::format("{}", fmt::join(see_also, ", "))));
  }
  return page;
}

const Flags::Flag* Flags::FlagOfWord(std::string_view word) const {
  if (word.size() < 2 || word[0] != '-' || word.find('=') != std::string_view::npos) return nullptr;
  if (style_ == FlagStyle::kGo) return Find(word.substr(word[1] == '-' ? 2 : 1));
  const std::string name = LongForm(word);
  return name.starts_with("--") ? Find(std::string_view(name).substr(2)) : nullptr;
}

Flags::Candidates Flags::Complete(const std::vector<std::string>& words) const {
  Candidates found;
  if (words.empty()) return found;
  const std::string& typed = words.back();
  const auto offer = [&](const std::string& word, const std::string& help) {
    if (word.starts_with(typed)) found.words.push_back({word, help});
  };
  const auto offer_values = [&](const std::vector<std::string>& choices, const std::string& name) {
    for (const std::string& choice : choices) offer(choice, "");
    found.files = choices.empty() && IsPath(name);
  };
  size_t plain = 0;  // words that are no flags
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    const Flag* flag = FlagOfWord(words[i]);
    const bool takes_value = flag != nullptr && !flag->is_switch;
    if (takes_value && i + 2 == words.size()) {
      offer_values(flag->spec.choices, flag->spec.value);
      return found;
    }
    if (takes_value) ++i;
    if (flag == nullptr && !words[i].starts_with("-")) ++plain;
  }
  if (typed.starts_with("-") && typed != "-") {
    for (const Flag& flag : flags_) {
      if (flag.spec.help.empty()) continue;
      offer(fmt::format("{}{}", Dashes(), flag.spec.name), flag.spec.help);
    }
    offer(fmt::format("{}help", Dashes()), "print help");
    return found;
  }
  for (const Argument& argument : arguments_) {
    if (plain < argument.spec.maximum) {
      offer_values(argument.spec.choices, argument.spec.name);
      return found;
    }
    plain -= argument.spec.maximum;
  }
  for (const Flag& flag : flags_) {
    if (flag.spec.help.empty()) continue;
    offer(fmt::format("{}{}", Dashes(), flag.spec.name), flag.spec.help);
  }
  return found;
}

std::string Flags::Completion(std::string_view shell) const {
  if (shell == "fish") return FishCompletion();
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
      value = fmt::format(":{}:{}", flag.spec.value, IsPath(flag.spec.value) ? "_files" : "");
    }
    text += fmt::format("  '--{}{}[{}]{}' \\\n", flag.spec.name, flag.is_switch ? "" : "=",
                        ZshText(flag.spec.help), value);
  }
  return text +
         "  '--completion=[print a completion script]:SHELL:(bash fish zsh)' \\\n"
         "  '--version[print the version]' '(-h --help)'{-h,--help}'[print help]'\n";
}

std::string Flags::FishCompletion() const {
  const size_t space = program_.find(' ');
  const std::string name = program_.substr(0, space);
  // A command's flags are offered once its word has been typed.
  const std::string condition =
      space == std::string::npos
          ? ""
          : fmt::format(" -n '__fish_seen_subcommand_from {}'", program_.substr(space + 1));
  std::string text = space == std::string::npos ? fmt::format("complete -c {} -f\n", name) : "";
  for (const CommandSpec& command : commands_) {
    text += fmt::format("complete -c {} -n __fish_use_subcommand -a {} -d {}\n", name, command.name,
                        FishText(command.help));
    text += command.completion("fish");
  }
  for (const Flag& flag : flags_) {
    const std::string letter = flag.spec.letter == 0 ? "" : fmt::format(" -s {}", flag.spec.letter);
    std::string value = flag.is_switch ? "" : " -x";
    if (!flag.spec.choices.empty()) {
      value += fmt::format(" -a '{}'", fmt::join(flag.spec.choices, " "));
    } else if (IsPath(flag.spec.value)) {
      value = " -r -F";
    }
    text += fmt::format("complete -c {}{} -l {}{}{} -d {}\n", name, condition, flag.spec.name,
                        letter, value, FishText(flag.spec.help));
  }
  return text;
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
                           IsPath(flag.spec.value) ? "$(compgen -f -- \"$cur\")" : "");
    }
  }
  return fmt::format(
      "{5}{0}() {{\n  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}\n{3}"
      "  case $prev in\n{1}"
      "    --completion) COMPREPLY=($(compgen -W 'bash fish zsh' -- \"$cur\")); return ;;\n"
      "  esac\n  COMPREPLY=($(compgen -W '{2}--completion --version --help' -- \"$cur\"))\n}}\n{4}",
      function, cases, words, dispatch,
      is_command ? "" : fmt::format("complete -F {} {}\n", function, program_), scripts);
}

}  // namespace calico::config
