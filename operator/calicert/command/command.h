// The frame of calicert: a table of commands from which parsing, help, man pages and completion
// come.
//
//   std::vector<Command> KeyCommands() {
//     return {{.path = "key inspect",
//              .summary = "show what a key is",
//              .declare = [](config::Flags& flags) -> Run {
//                auto files = std::make_shared<std::vector<std::string>>();
//                flags.Arguments({.name = "FILE", .help = "the keys", .minimum = 1}, files.get());
//                flags.Example("Show a key", "calicert key inspect tls.key");
//                return [files](Terminal& terminal) { return InspectKeys(*files, terminal); };
//              }}};
//   }
//
// A table is cheap to make: a command is declared when it is run, or asked about.
#ifndef CALICO_OPERATOR_CALICERT_COMMAND_COMMAND_H_
#define CALICO_OPERATOR_CALICERT_COMMAND_COMMAND_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "operator/calicert/command/terminal.h"
#include "operator/config/flags.h"

namespace calico::calicert {

// Returns the exit code (exit_codes.h).
using Run = std::function<int(Terminal&)>;

struct Command {
  std::string path;     // what is typed after the program: "csr create"; empty: the program itself
  std::string summary;  // one sentence, lower case
  std::string details;  // paragraphs for --help and the man page; may be empty
  // Adds flags, positional arguments and examples with targets of its own; what it returns is run
  // once they are set. --quiet and -h are added by the frame (of Go style only -h), and the exit
  // codes 0, 1 and 2 unless the command names codes of its own.
  std::function<Run(config::Flags&)> declare;
};

// Runs the command of `table` that argv names, or help, completion or man, which every program has.
// What is written to `out` and does not arrive is a failure.
// Requires: argv[0] is there and not looked at; paths are unique.
int RunProgram(std::string_view program, const std::vector<Command>& table, int argc,
               const char* const* argv, Terminal& terminal);

// The command with this path; null if there is none.
const Command* FindCommand(const std::vector<Command>& table, std::string_view path);

// The flags of `command` as it is parsed, and what then runs.
struct DeclaredCommand {
  DeclaredCommand(std::string_view program, const Command& command, bool* quiet);
  config::Flags flags;
  Run run;
};

// "calicert: ..." for a whole program: its commands, each with its summary. With `group`, such as
// "csr", only those that begin with this word.
std::string ProgramHelp(std::string_view program, const std::vector<Command>& table,
                        std::string_view group = {});

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_COMMAND_COMMAND_H_
