// Input that does not show on the terminal, such as a passphrase.
#ifndef CALICO_OPERATOR_CALICERT_COMMAND_ECHO_OFF_H_
#define CALICO_OPERATOR_CALICERT_COMMAND_ECHO_OFF_H_

#include <signal.h>
#include <termios.h>

#include <array>
#include <optional>

namespace calico::calicert {

// No echo of standard input while it lives. Where that is no terminal, nothing is done. A signal
// that ends the program (^C) or stops it (^Z) gives the echo back first, or the shell behind it
// would show nothing of what is typed; a program that goes on hides again.
// Threading: one at a time in a program.
class EchoOff {
 public:
  EchoOff();
  ~EchoOff();
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;

 private:
  static constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

  std::optional<termios> before_;
  std::array<struct sigaction, kSignals.size()> actions_{};  // those that were there
};

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_COMMAND_ECHO_OFF_H_
