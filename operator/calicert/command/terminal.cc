#include "operator/calicert/command/terminal.h"

#include <fmt/format.h>

#include "operator/calicert/command/exit_codes.h"

namespace calico::calicert {
namespace {

// Files, servers and API objects have a say in messages; none of it may drive a terminal.
std::string Harmless(std::string_view text) {
  std::string harmless(text);
  for (char& c : harmless) {
    const bool is_control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (is_control && c != '\n' && c != '\t') c = ' ';
  }
  return harmless;
}

}  // namespace

void Note(Terminal& terminal, std::string_view line) {
  if (!terminal.quiet) terminal.err << Harmless(line) << '\n' << std::flush;
}

int Fail(Terminal& terminal, std::string_view cause) {
  terminal.err << Coloured(terminal, terminal.err_is_terminal, Colour::kRed, "error:") << ' '
               << Harmless(cause) << '\n';
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
