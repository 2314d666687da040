// RunProcess: starts a program without a shell and collects its standard output, bounded in size
// and time.
#ifndef CALICO_PKG_KUBE_AUTH_PROCESS_H_
#define CALICO_PKG_KUBE_AUTH_PROCESS_H_

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/base/secret_string.h"

namespace calico::kube {

struct ProcessOptions {
  std::string program;  // a path
  std::vector<std::string> args;
  // Put over the environment of this process.
  std::vector<std::pair<std::string, std::string>> env;
  // Hand on standard input (a terminal to ask a human); otherwise it is empty. Standard error is
  // always handed on.
  bool inherit_stdin = false;
  absl::Duration timeout = absl::Seconds(60);
  size_t max_output_bytes = 1 << 20;
  // Kills the program soon after another thread has set it. Lifetime: outlives the call.
  const std::atomic<bool>* stop = nullptr;
};

struct ProcessResult {
  int exit_code = 0;          // 128 + signal when a signal ended it, as shells print it
  base::SecretString output;  // it may be a credential
};

// Errors: kNotFound when there is no such program; kPermissionDenied; kDeadlineExceeded (it is
// killed); kResourceExhausted for too much output, kCancelled by `stop` (killed too). Blocking.
absl::StatusOr<ProcessResult> RunProcess(const ProcessOptions& options);

// The path of `command` as a shell would find it in `path` (the value of PATH); a command with a
// slash is its own path. Errors: kNotFound.
absl::StatusOr<std::string> FindProgram(const std::string& command, std::string_view path);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_AUTH_PROCESS_H_
