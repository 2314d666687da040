// A program that a test has started: what it prints, signals to it, how it ended.
#ifndef CALICO_PKG_BASE_TESTING_STARTED_PROGRAM_H_
#define CALICO_PKG_BASE_TESTING_STARTED_PROGRAM_H_

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

namespace calico::base {

// Killed, if it still runs, when it goes out of scope. Not thread-safe.
class StartedProgram {
 public:
  // Starts `path` without arguments and with no other environment than `environment`
  // (`NAME=value`). Its standard output and error are one pipe.
  StartedProgram(std::string path, std::vector<std::string> environment) {
    std::vector<char*> variables;
    variables.reserve(environment.size() + 1);
    for (std::string& entry : environment) variables.push_back(entry.data());
    variables.push_back(nullptr);
    char* arguments[] = {path.data(), nullptr};
    int ends[2] = {-1, -1};
    if (pipe(ends) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      dup2(ends[1], STDERR_FILENO);
      close(ends[0]);
      close(ends[1]);
      execve(path.c_str(), arguments, variables.data());
      _exit(127);
    }
    close(ends[1]);
    output_fd_ = ends[0];
  }
  ~StartedProgram() {
    Signal(SIGKILL);
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
    close(output_fd_);
  }
  StartedProgram(const StartedProgram&) = delete;
  StartedProgram& operator=(const StartedProgram&) = delete;

  // Reads until `text` has been printed; false when the output ended before.
  bool WaitFor(std::string_view text) {
    char buffer[4096];
    while (output_.find(text) == std::string::npos) {
      const ssize_t got = read(output_fd_, buffer, sizeof(buffer));
      if (got <= 0) return false;
      output_.append(buffer, static_cast<size_t>(got));
    }
    return true;
  }
  void Signal(int number) const {
    if (pid_ > 0) kill(pid_, number);
  }
  // Waits for its end and reads the rest of what it printed. The exit code, or minus the number of
  // the signal that ended it.
  int Wait() {
    WaitFor(std::string_view("\0", 1));  // which no log has
    int status = 0;
    if (pid_ <= 0 || waitpid(pid_, &status, 0) != pid_) return -1;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  // What was read so far.
  const std::string& output() const { return output_; }

 private:
  pid_t pid_ = -1;
  int output_fd_ = -1;
  std::string output_;
};

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_TESTING_STARTED_PROGRAM_H_
