// calicert: the command line for certificates. See --help.
//
// Called by another name it is another program: cfssl and cfssljson take what those take, and as
// kubectl-calicert it is a plug-in of kubectl.

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/calicert/cfssl/commands/commands.h"
#include "operator/calicert/command/command.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/reference.h"
#include "operator/calicert/command/terminal.h"
#include "pkg/base/clock.h"
#include "pkg/openssl/init.h"

namespace calico::calicert {
namespace {

// The commands of calicert, in the order of its help.
std::vector<Command> Commands() {
  std::vector<Command> table;
  const auto add = [&table](std::vector<Command> commands) {
    for (Command& command : commands) {
      if (FindCommand(table, command.path) == nullptr) table.push_back(std::move(command));
    }
  };
  add({VersionCommand("calicert")});
  add(cfssl::CfsslCommands());
  add({cfssl::CfssljsonCommand()});
  return table;
}

std::string_view LastPart(std::string_view path) { return path.substr(path.rfind('/') + 1); }

int Main(int argc, const char* const* argv) {
  std::ios::sync_with_stdio(false);
  std::cin.tie(nullptr);
  Terminal terminal{.in = std::cin,
                    .out = std::cout,
                    .err = std::cerr,
                    .in_is_terminal = isatty(STDIN_FILENO) != 0,
                    .out_is_terminal = isatty(STDOUT_FILENO) != 0,
                    .err_is_terminal = isatty(STDERR_FILENO) != 0,
                    .environment = [](const std::string& name) -> std::string {
                      const char* value = std::getenv(name.c_str());
                      return value == nullptr ? "" : value;
                    },
                    .clock = base::SystemClock()};
  const std::string_view name = LastPart(argv[0]);
  if (name == "cfssl") return cfssl::RunCfssl(argc, argv, terminal);
  if (name == "cfssljson") {
    return RunProgram(name, cfssl::CfssljsonProgram(), argc, argv, terminal);
  }
  const std::string_view program = name == "kubectl-calicert" ? "kubectl calicert" : "calicert";
  return RunProgram(program, Commands(), argc, argv, terminal);
}

}  // namespace
}  // namespace calico::calicert

int main(int argc, char** argv) {
  if (argc == 0) return calico::calicert::kExitUsage;
  calico::openssl::Initialize();
  return calico::calicert::Main(argc, argv);
}
