// calicert: the command line for certificates. See --help.

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/terminal.h"
#include "operator/cmd/calicert/program.h"
#include "pkg/base/clock.h"
#include "pkg/openssl/init.h"

namespace calico::calicert {
namespace {

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
  return RunCalicert(argc, argv, terminal);
}

}  // namespace
}  // namespace calico::calicert

int main(int argc, char** argv) {
  if (argc == 0) return calico::calicert::kExitUsage;
  calico::openssl::Initialize();
  return calico::calicert::Main(argc, argv);
}
