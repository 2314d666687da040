#include "operator/calicert/command/echo_off.h"

#include <errno.h>
#include <unistd.h>

#include <cstddef>

namespace calico::calicert {
namespace {

// What the handler works with: it may call nothing but tcsetattr, sigaction and raise.
termios shown_settings{};
termios hidden_settings{};

void HandleWith(void (*handler)(int), int signal, struct sigaction* before) {
  struct sigaction action{};
  action.sa_handler = handler;
  // The handler gives the signal once more, and then it does what it does by default.
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_NODEFER;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, before);
}

void ShowAgain(int signal) {
  const int error = errno;
  tcsetattr(STDIN_FILENO, TCSANOW, &shown_settings);
  raise(signal);
  // Only a program that was stopped comes here, when it goes on.
  tcsetattr(STDIN_FILENO, TCSANOW, &hidden_settings);
  HandleWith(&ShowAgain, signal, nullptr);
  errno = error;
}

}  // namespace

EchoOff::EchoOff() {
  termios settings{};
  if (tcgetattr(STDIN_FILENO, &settings) != 0) return;
  before_ = settings;
  shown_settings = settings;
  settings.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  hidden_settings = settings;
  for (size_t i = 0; i < kSignals.size(); ++i) {
    HandleWith(&ShowAgain, kSignals[i], &actions_[i]);
    // What is ignored, as under nohup, stays so.
    if (actions_[i].sa_handler == SIG_IGN) sigaction(kSignals[i], &actions_[i], nullptr);
  }
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings);
}

EchoOff::~EchoOff() {
  if (!before_.has_value()) return;
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &*before_);
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &actions_[i], nullptr);
}

}  // namespace calico::calicert
