#include "operator/calicert/command/reference.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/file_output.h"
#include "pkg/base/version.h"

namespace calico::calicert {
namespace {

// What shells call; as with other programs that complete themselves, not in any help.
constexpr std::string_view kCompleteWord = "__complete";

// A line "word<TAB>help" each, and ":files" at the end where names of files may stand too.
constexpr std::string_view kBashScript =
    R"(# bash completion of PROGRAM; source it, or put it into /etc/bash_completion.d
_FUNCTION() {
  local cur=${COMP_WORDS[COMP_CWORD]} line file
  if [[ $cur == = ]]; then cur=; fi
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$cur")
    else
      COMPREPLY+=("${line%%$'\t'*}")
    fi
  done < <("${COMP_WORDS[0]/#\~\//$HOME/}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _FUNCTION PROGRAM
)";

constexpr std::string_view kZshScript = R"(#compdef PROGRAM
_FUNCTION() {
  local -a found
  local line files=0
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      files=1
    else
      found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    fi
  done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  (( $#found )) && _describe 'PROGRAM' found
  (( files )) && _files
}
compdef _FUNCTION PROGRAM
)";

constexpr std::string_view kFishScript = R"(function __FUNCTION
  set -l words (commandline -opc)
  set -l typed (commandline -ct)
  for line in ($words[1] __complete $words[2..-1] "$typed" 2>/dev/null)
    if test "$line" = :files
      __fish_complete_path "$typed"
    else
      echo $line
    end
  end
end
complete -c PROGRAM -f -a '(__FUNCTION)'
)";

std::string Replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  size_t next = 0;
  while ((next = text.find(from)) != std::string_view::npos) {
    result.append(text.substr(0, next)).append(to);
    text.remove_prefix(next + from.size());
  }
  return result.append(text);
}

std::string PageName(std::string_view program, std::string_view path) {
  std::string name = fmt::format("{}{}{}", program, path.empty() ? "" : "-", path);
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

Command HelpCommand(const std::string& program, std::shared_ptr<const std::vector<Command>> table) {
  return {.path = "help",
          .summary = "show what a command does, with examples",
          .declare = [program, table](config::Flags& flags) -> Run {
            auto words = std::make_shared<std::vector<std::string>>();
            flags.Arguments({.name = "COMMAND", .help = "the command, all of them without"},
                            words.get());
            return [program, table, words](Terminal& terminal) {
              if (words->empty()) {
                terminal.out << ProgramHelp(program, *table);
                return kExitOk;
              }
              // As `COMMAND --help`, with its messages for what does not exist.
              std::vector<const char*> argv = {"help"};
              for (const std::string& word : *words) argv.push_back(word.c_str());
              argv.push_back("--help");
              return RunProgram(program, *table, static_cast<int>(argv.size()), argv.data(),
                                terminal);
            };
          }};
}

Command CompletionCommand(const std::string& program) {
  return {.path = "completion",
          .summary = "print a script that completes commands, flags and values",
          .details = "",
          .declare = [program](config::Flags& flags) -> Run {
            auto shells = std::make_shared<std::vector<std::string>>();
            flags.Arguments({.name = "SHELL",
                             .help = "for which shell",
                             .minimum = 1,
                             .maximum = 1,
                             .choices = {"bash", "fish", "zsh"}},
                            shells.get());
            flags.Example("In this shell", fmt::format("source <({} completion bash)", program));
            return [program, shells](Terminal& terminal) {
              terminal.out << CompletionScript(program, shells->front());
              return kExitOk;
            };
          }};
}

Command ManCommand(const std::string& program, std::shared_ptr<const std::vector<Command>> table) {
  return {.path = "man",
          .summary = "write a man page of each command into a folder",
          .declare = [program, table](config::Flags& flags) -> Run {
            auto folders = std::make_shared<std::vector<std::string>>();
            flags.Arguments(
                {.name = "DIR", .help = "an existing folder", .minimum = 1, .maximum = 1},
                folders.get());
            flags.Example("For this user's man",
                          fmt::format("{} man ~/.local/share/man/man1", program));
            return [program, table, folders](Terminal& terminal) {
              for (const ManPage& page : ManPages(program, *table)) {
                const absl::Status written =
                    WriteFile(fmt::format("{}/{}", folders->front(), page.file), page.text, 0644);
                if (!written.ok()) return Fail(terminal, written);
              }
              return kExitOk;
            };
          }};
}

// bash makes three words of "--output=json".
std::vector<std::string> WithoutEqualSigns(const std::vector<std::string>& line) {
  std::vector<std::string> words;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool is_sign = line[i] == "=" && i > 0 && line[i - 1].starts_with("-");
    if (!is_sign) words.push_back(line[i]);
    if (is_sign && i + 1 == line.size()) words.emplace_back();
  }
  return words;
}

Command ShellCommand(const std::string& program,
                     std::shared_ptr<const std::vector<Command>> table) {
  return {.path = std::string(kCompleteWord),
          .summary = "",
          .declare = [program, table](config::Flags& flags) -> Run {
            flags.Style(config::FlagStyle::kGo);  // what follows is not for this command
            auto words = std::make_shared<std::vector<std::string>>();
            flags.Arguments({.name = "WORD", .help = "the command line so far"}, words.get());
            return [program, table, words](Terminal& terminal) {
              const config::Flags::Candidates found = CompleteWords(program, *table, *words);
              for (const config::Flags::Candidate& candidate : found.words) {
                terminal.out << candidate.word << '\t' << candidate.help << '\n';
              }
              if (found.files) terminal.out << ":files\n";
              return kExitOk;
            };
          }};
}

}  // namespace

std::vector<Command> ReferenceCommands(const std::string& program,
                                       const std::vector<Command>& table) {
  auto commands = std::make_shared<std::vector<Command>>(table);
  std::vector<Command> reference = {CompletionCommand(program), ManCommand(program, commands),
                                    HelpCommand(program, commands),
                                    ShellCommand(program, commands)};
  // They know each other too, by copies that know only `table`.
  auto all = std::make_shared<std::vector<Command>>(table);
  all->insert(all->end(), reference.begin(), reference.end());
  return {CompletionCommand(program), ManCommand(program, all), HelpCommand(program, all),
          ShellCommand(program, all)};
}

config::Flags::Candidates CompleteWords(std::string_view program, const std::vector<Command>& table,
                                        const std::vector<std::string>& line) {
  std::vector<std::string> words = WithoutEqualSigns(line);
  if (words.empty()) return {};
  // `help` takes the words of a command, and nothing behind them.
  const bool is_help = words.front() == "help" && words.size() > 1;
  if (is_help) words.erase(words.begin());
  const std::string& typed = words.back();
  std::string before;  // the words that are complete, if they are the beginning of a path
  const Command* command = FindCommand(table, "");
  size_t taken = 0;
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    before += (i == 0 ? "" : " ") + words[i];
    if (const Command* found = FindCommand(table, before)) {
      command = found;
      taken = i + 1;
    }
  }
  if (command != nullptr && is_help) return {};
  if (command != nullptr) {
    bool quiet = false;
    const DeclaredCommand declared(program, *command, &quiet);
    return declared.flags.Complete({words.begin() + static_cast<ptrdiff_t>(taken), words.end()});
  }
  config::Flags::Candidates found;
  std::set<std::string> seen;
  const std::string prefix = before.empty() ? "" : before + " ";
  for (const Command& other : table) {
    if (other.summary.empty() || !other.path.starts_with(prefix)) continue;
    const std::string rest = other.path.substr(prefix.size());
    const std::string word = rest.substr(0, rest.find(' '));
    if (!word.starts_with(typed) || !seen.insert(word).second) continue;
    found.words.push_back({word, rest == word ? other.summary : "more commands"});
  }
  return found;
}

std::string CompletionScript(std::string_view program, std::string_view shell) {
  const std::string_view script = shell == "zsh"    ? kZshScript
                                  : shell == "fish" ? kFishScript
                                                    : kBashScript;
  // A plug-in's words behind `kubectl` are kubectl's to complete; this is for its own name.
  const std::string typed = PageName(program, "");
  std::string function = typed;
  for (char& c : function) c = c == '-' ? '_' : c;
  return Replaced(Replaced(script, "FUNCTION", function), "PROGRAM", typed);
}

std::vector<ManPage> ManPages(std::string_view program, const std::vector<Command>& table) {
  const std::string version = fmt::format("{} {}", program, base::Version());
  const std::string own = PageName(program, "");
  std::vector<ManPage> pages;
  config::Flags overview{std::string(program), "commands for certificates and keys"};
  overview.OfCommand();
  std::vector<std::string> see_also;
  for (const Command& command : table) {
    if (command.summary.empty()) continue;
    overview.Command({.name = command.path, .help = command.summary, .completion = nullptr});
    const std::string name = PageName(program, command.path);
    see_also.push_back(name + "(1)");
    bool quiet = false;
    const DeclaredCommand declared(program, command, &quiet);
    pages.push_back({name + ".1", declared.flags.ManPage(version, {own + "(1)"})});
  }
  pages.insert(pages.begin(), {own + ".1", overview.ManPage(version, see_also)});
  return pages;
}

std::string KubectlCompletion(std::string_view program, const std::vector<Command>& table,
                              const std::vector<std::string>& words) {
  constexpr std::string_view kNoFiles = ":4\n";
  constexpr std::string_view kFiles = ":0\n";
  const config::Flags::Candidates found = CompleteWords(program, table, words);
  std::string text;
  for (const config::Flags::Candidate& candidate : found.words) {
    text += fmt::format("{}\t{}\n", candidate.word, candidate.help);
  }
  return text.append(found.files ? kFiles : kNoFiles);
}

Command VersionCommand(std::string_view program) {
  return {.path = "version",
          .summary = "print the version",
          .declare = [program = std::string(program)](config::Flags&) -> Run {
            return [program](Terminal& terminal) {
              terminal.out << program << ' ' << base::Version() << '\n';
              return kExitOk;
            };
          }};
}

}  // namespace calico::calicert
