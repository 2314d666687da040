// What a command reads and writes. Programs give the standard streams, tests give string streams.
#ifndef CALICO_OPERATOR_CALICERT_COMMAND_TERMINAL_H_
#define CALICO_OPERATOR_CALICERT_COMMAND_TERMINAL_H_

#include <istream>
#include <ostream>
#include <string>
#include <string_view>

#include <absl/status/status.h>

#include "operator/config/flags.h"
#include "pkg/base/clock.h"

namespace calico::calicert {

// Results go to `out`, everything that is said about them to `err`.
struct Terminal {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool in_is_terminal = false;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool quiet = false;  // --quiet: nothing on `err` but errors
  config::EnvironmentReader environment;
  const base::Clock& clock;
};

// A line on `err` for people, left out by --quiet.
void Note(Terminal& terminal, std::string_view line);

// "error: CAUSE" on `err`, its "error" red on a terminal. Returns kExitFailed.
int Fail(Terminal& terminal, std::string_view cause);
int Fail(Terminal& terminal, const absl::Status& status);

enum class Colour { kRed, kYellow, kGreen };

// `text` in a colour when `is_terminal` and NO_COLOR is not set; else as it is.
std::string Coloured(const Terminal& terminal, bool is_terminal, Colour colour,
                     std::string_view text);

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_COMMAND_TERMINAL_H_
