#include "operator/provision/termination.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <initializer_list>
#include <string_view>

#include "operator/provision/exit_code.h"

namespace calico::provision {
namespace {

constexpr std::string_view kMessage = "stopped by a signal before the pair was in place";
constexpr std::string_view kLogLine =
    "{\"level\":\"error\",\"message\":\"stopped by a signal before the pair was in place\","
    "\"exitCode\":143}\n";
static_assert(static_cast<int>(ExitCode::kTerminated) == 143);

const char* log_path = nullptr;

// Only what is allowed in a signal handler.
void WriteAndExit(int) {
  [[maybe_unused]] ssize_t written = write(STDERR_FILENO, kLogLine.data(), kLogLine.size());
  if (const int fd = open(log_path, O_WRONLY | O_APPEND | O_CLOEXEC); fd >= 0) {
    written = write(fd, kMessage.data(), kMessage.size());
  }
  _exit(static_cast<int>(ExitCode::kTerminated));
}

}  // namespace

void ExitOnTermination(const char* termination_log) {
  log_path = termination_log;
  for (const int number : {SIGTERM, SIGINT}) std::signal(number, WriteAndExit);
}

}  // namespace calico::provision
