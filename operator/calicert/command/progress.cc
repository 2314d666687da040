#include "operator/calicert/command/progress.h"

#include <utility>

namespace calico::calicert {

SlowNotice::SlowNotice(Terminal& terminal, std::string text, absl::Duration after) {
  if (terminal.quiet) return;
  thread_ = std::thread([this, &terminal, text = std::move(text), after] {
    if (done_.WaitForNotificationWithTimeout(after)) return;
    terminal.err << text << std::flush;
    while (terminal.err_is_terminal && !done_.WaitForNotificationWithTimeout(absl::Seconds(1))) {
      terminal.err << '.' << std::flush;
    }
    terminal.err << '\n' << std::flush;
  });
}

SlowNotice::~SlowNotice() {
  done_.Notify();
  if (thread_.joinable()) thread_.join();
}

}  // namespace calico::calicert
