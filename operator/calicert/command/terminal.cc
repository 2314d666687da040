#include "operator/calicert/command/terminal.h"

#include <fmt/format.h>

#include "operator/calicert/command/exit_codes.h"

namespace calico::calicert {

void Note(Terminal& terminal, std::string_view line) {
  if (!terminal.quiet) terminal.err << line << '\n' << std::flush;
}

int Fail(Terminal& terminal, std::string_view cause) {
  terminal.err << Coloured(terminal, terminal.err_is_terminal, Colour::kRed, "error:") << ' '
               << cause << '\n';
  return kExitFailed;
}

int Fail(Terminal& terminal, const absl::Status& status) {
  return Fail(terminal, std::string_view(status.message().data(), status.message().size()));
}

std::string Coloured(const Terminal& terminal, bool is_terminal, Colour colour,
                     std::string_view text) {
  if (!is_terminal || (terminal.environment && !terminal.environment("NO_COLOR").empty())) {
    return std::string(text);
  }
  const int number = colour == Colour::kRed ? 31 : colour == Colour::kYellow ? 33 : 32;
  return fmt::format("\x1b[{}m{}\x1b[0m", number, text);
}

}  // namespace calico::calicert
