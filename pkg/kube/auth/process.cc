#include "pkg/kube/auth/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <absl/cleanup/cleanup.h>
#include <absl/status/status.h>
#include <absl/time/clock.h>
#include <fmt/format.h>

#include "pkg/base/clock.h"
#include "pkg/base/status_macros.h"

namespace calico::kube {
namespace {

constexpr absl::Duration kExitPoll = absl::Milliseconds(5);
constexpr absl::Duration kStopPoll = absl::Milliseconds(100);

// Until when a program may run, and whether it still may.
struct Limit {
  absl::Time deadline;
  const std::atomic<bool>* stop = nullptr;

  absl::Duration left() const { return deadline - base::SystemClock().SteadyNow(); }
  absl::Status Check() const {
    if (stop != nullptr && *stop) return absl::CancelledError("the program was stopped");
    if (left() > absl::ZeroDuration()) return absl::OkStatus();
    return absl::DeadlineExceededError("the program did not end in time");
  }
};

std::vector<std::string> MakeEnvironment(const ProcessOptions& options) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    const bool replaced = std::any_of(options.env.begin(), options.env.end(),
                                      [name](const auto& pair) { return pair.first == name; });
    if (!replaced) result.emplace_back(text);
  }
  for (const auto& [name, value] : options.env) {
    result.push_back(fmt::format("{}={}", name, value));
  }
  return result;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// The started program. Ends it, and waits for it, when it is still running at destruction.
class Child {
 public:
  Child(pid_t pid, bool own_group) : pid_(pid), own_group_(own_group) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    kill(own_group_ ? -pid_ : pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  // Waits for its end. Errors: those of the limit.
  absl::StatusOr<int> Wait(const Limit& limit) {
    for (;;) {
      int status = 0;
      const pid_t ended = waitpid(pid_, &status, WNOHANG);
      if (ended == pid_) {
        pid_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
      if (ended < 0 && errno != EINTR) {
        pid_ = 0;
        return absl::ErrnoToStatus(errno, "wait for program");
      }
      CALICO_RETURN_IF_ERROR(limit.Check());
      absl::SleepFor(kExitPoll);
    }
  }

 private:
  pid_t pid_;
  bool own_group_;
};

absl::Status SpawnError(int error, const std::string& program) {
  return absl::ErrnoToStatus(error, "start " + program);
}

absl::StatusOr<pid_t> Spawn(const ProcessOptions& options, int output_fd) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const absl::Cleanup free_actions = [&actions] { posix_spawn_file_actions_destroy(&actions); };
  if (!options.inherit_stdin) {
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
  // Sockets of this process must not live on in a plug-in.
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  const absl::Cleanup free_attributes = [&attributes] { posix_spawnattr_destroy(&attributes); };
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  // Its own group, so that what it starts ends with it; but a background group may not read from
  // the terminal.
  if (!options.inherit_stdin) flags |= POSIX_SPAWN_SETPGROUP;
  posix_spawnattr_setflags(&attributes, static_cast<short>(flags));

  std::vector<std::string> arguments = {options.program};
  arguments.insert(arguments.end(), options.args.begin(), options.args.end());
  std::vector<std::string> environment = MakeEnvironment(options);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, options.program.c_str(), &actions, &attributes,
                                Pointers(arguments).data(), Pointers(environment).data());
  if (error != 0) return SpawnError(error, options.program);
  return pid;
}

absl::StatusOr<base::SecretString> ReadAll(int fd, size_t max_bytes, const Limit& limit) {
  base::SecretString output;
  base::SecretString buffer = base::SecretString::OfSize(4096);
  for (;;) {
    CALICO_RETURN_IF_ERROR(limit.Check());
    const absl::Duration wait =
        limit.stop == nullptr ? limit.left() : std::min(limit.left(), kStopPoll);
    pollfd poll_fd{.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = poll(&poll_fd, 1, static_cast<int>(absl::ToInt64Milliseconds(wait)) + 1);
    if (ready <= 0) continue;
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return absl::ErrnoToStatus(errno, "read output of program");
    if (count == 0) return output;
    output =
        base::JoinSecrets({output.view(), buffer.view().substr(0, static_cast<size_t>(count))});
    if (output.size() > max_bytes) {
      return absl::ResourceExhaustedError(
          fmt::format("the program printed more than {} bytes", max_bytes));
    }
  }
}

}  // namespace

absl::StatusOr<ProcessResult> RunProcess(const ProcessOptions& options) {
  const Limit limit{.deadline = base::SystemClock().SteadyNow() + options.timeout,
                    .stop = options.stop};
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "make pipe");
  const absl::Cleanup close_read_end = [&pipe_fds] { close(pipe_fds[0]); };
  absl::StatusOr<pid_t> pid = Spawn(options, pipe_fds[1]);
  close(pipe_fds[1]);
  if (!pid.ok()) return pid.status();
  Child child(*pid, !options.inherit_stdin);
  ProcessResult result;
  CALICO_ASSIGN_OR_RETURN(result.output, ReadAll(pipe_fds[0], options.max_output_bytes, limit));
  CALICO_ASSIGN_OR_RETURN(result.exit_code, child.Wait(limit));
  return result;
}

absl::StatusOr<std::string> FindProgram(const std::string& command, std::string_view path) {
  if (command.find('/') != std::string::npos) return command;
  while (!path.empty()) {
    const size_t colon = path.find(':');
    const std::string_view folder = path.substr(0, colon);
    path = colon == std::string_view::npos ? std::string_view() : path.substr(colon + 1);
    // A relative folder would run whatever lies in the current one.
    if (!folder.starts_with('/')) continue;
    std::string candidate = fmt::format("{}/{}", folder, command);
    struct stat info = {};
    if (stat(candidate.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
        access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
  }
  return absl::NotFoundError(fmt::format("{} is not in PATH", command));
}

}  // namespace calico::kube
