#include "operator/calicert/command/command.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/reference.h"
#include "operator/config/near_name.h"
#include "pkg/base/check.h"

namespace calico::calicert {
namespace {

// Longer paths there are none.
constexpr size_t kMaxPathWords = 3;

// "show a key" as a sentence.
std::string Sentence(std::string_view summary) {
  std::string text(summary);
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  }
  return text + ".";
}

std::string ProgramName(std::string_view program, std::string_view path) {
  return path.empty() ? std::string(program) : fmt::format("{} {}", program, path);
}

// `path` is in the group: "csr create" in "csr".
bool IsInGroup(std::string_view path, std::string_view group) {
  return group.empty() ||
         (path.size() > group.size() && path.starts_with(group) && path[group.size()] == ' ');
}

bool IsGroup(const std::vector<Command>& table, std::string_view name) {
  return std::any_of(table.begin(), table.end(),
                     [&](const Command& command) { return IsInGroup(command.path, name); });
}

struct Found {
  const Command* command = nullptr;
  size_t words = 0;  // that its path takes
};

// The command with the longest path at the start of `words`.
Found FindLongest(const std::vector<Command>& table, const std::vector<std::string>& words) {
  Found found{.command = FindCommand(table, "")};
  std::string path;
  for (size_t i = 0; i < std::min(words.size(), kMaxPathWords); ++i) {
    path += (i == 0 ? "" : " ") + words[i];
    if (const Command* command = FindCommand(table, path)) found = {command, i + 1};
  }
  return found;
}

int UnknownCommand(std::string_view program, const std::vector<Command>& table,
                   const std::vector<std::string>& words, Terminal& terminal) {
  const bool in_group = words.size() > 1 && IsGroup(table, words[0]) && words[1][0] != '-';
  const std::string typed = in_group ? words[0] + " " + words[1] : words[0];
  std::vector<std::string_view> names;
  for (const Command& command : table) {
    const std::string_view path = command.path;
    names.push_back(in_group ? path : path.substr(0, path.find(' ')));
  }
  const std::string_view nearest = config::NearestName(typed, names);
  const bool is_flag = typed.starts_with("-");
  terminal.err << fmt::format("{}: {:?}: unknown command", program, typed);
  if (is_flag) {
    terminal.err << "; flags stand behind the command";
  } else if (!nearest.empty()) {
    terminal.err << fmt::format(", did you mean {:?}?", nearest);
  }
  terminal.err << fmt::format("\nTry '{} --help'.\n",
                              ProgramName(program, in_group ? words[0] : ""));
  return kExitUsage;
}

int RunCommand(std::string_view program, const Command& command, int argc, const char* const* argv,
               Terminal& terminal) {
  bool quiet = false;
  DeclaredCommand declared(program, command, &quiet);
  const config::ParsedFlags parsed = declared.flags.Parse(argc, argv, terminal.environment);
  if (parsed.exit_code.has_value()) {
    (*parsed.exit_code == kExitOk ? terminal.out : terminal.err) << parsed.text;
    return *parsed.exit_code;
  }
  terminal.quiet |= quiet;
  return declared.run(terminal);
}

bool AsksForHelp(const std::string& word) {
  return word == "-h" || word == "--help" || word == "-help";
}

int Dispatch(std::string_view program, const std::vector<Command>& table, int argc,
             const char* const* argv, Terminal& terminal) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const Found found = FindLongest(table, words);
  if (found.command != nullptr) {
    const int skipped = static_cast<int>(found.words);
    return RunCommand(program, *found.command, argc - skipped, argv + skipped, terminal);
  }
  if (words.empty() || AsksForHelp(words[0])) {
    terminal.out << ProgramHelp(program, table);
    return kExitOk;
  }
  if (words[0] == "--version" && FindCommand(table, "version") != nullptr) {
    return RunCommand(program, *FindCommand(table, "version"), 1, argv, terminal);
  }
  if (IsGroup(table, words[0]) && (words.size() == 1 || AsksForHelp(words[1]))) {
    // Asked for, or a command that is not finished.
    const bool asked = words.size() > 1;
    (asked ? terminal.out : terminal.err) << ProgramHelp(program, table, words[0]);
    return asked ? kExitOk : kExitUsage;
  }
  return UnknownCommand(program, table, words, terminal);
}

}  // namespace

DeclaredCommand::DeclaredCommand(std::string_view program, const Command& command, bool* quiet)
    : flags(ProgramName(program, command.path), Sentence(command.summary)) {
  flags.OfCommand();
  flags.Details(command.details);
  run = command.declare(flags);
  if (flags.style() == config::FlagStyle::kGnu) {
    flags.Switch({.name = "quiet", .help = "say nothing but errors", .letter = 'q'}, quiet);
  }
  if (!flags.has_exit_codes()) {
    flags.ExitCode(kExitOk, "done");
    flags.ExitCode(kExitFailed, "failed; the cause is on standard error");
    flags.ExitCode(kExitUsage, "unknown flag or argument; nothing was done");
  }
}

const Command* FindCommand(const std::vector<Command>& table, std::string_view path) {
  for (const Command& command : table) {
    if (command.path == path) return &command;
  }
  return nullptr;
}

std::string ProgramHelp(std::string_view program, const std::vector<Command>& table,
                        std::string_view group) {
  std::string text = fmt::format("Usage: {} COMMAND [flags] [arguments]\n\nCommands:\n",
                                 ProgramName(program, group));
  size_t width = 0;
  for (const Command& command : table) {
    if (IsInGroup(command.path, group)) width = std::max(width, command.path.size());
  }
  for (const Command& command : table) {
    if (!IsInGroup(command.path, group) || command.summary.empty()) continue;
    text += fmt::format("  {:<{}}  {}\n", command.path, width, command.summary);
  }
  return text + fmt::format("\nHelp with examples for each: {} COMMAND --help\n",
                            ProgramName(program, group));
}

int RunProgram(std::string_view program, const std::vector<Command>& table, int argc,
               const char* const* argv, Terminal& terminal) {
  CALICO_CHECK(argc > 0);
  std::vector<Command> commands = table;
  for (Command& command : ReferenceCommands(std::string(program), table)) {
    if (FindCommand(table, command.path) == nullptr) commands.push_back(std::move(command));
  }
  const int code = Dispatch(program, commands, argc, argv, terminal);
  terminal.out.flush();
  if (terminal.out.good() || code != kExitOk) return code;
  terminal.err << fmt::format("{}: standard output cannot be written\n", program);
  return kExitFailed;
}

}  // namespace calico::calicert
