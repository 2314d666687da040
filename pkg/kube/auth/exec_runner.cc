// Runs a kubeconfig's credential plug-in.

#include <unistd.h>

#include <atomic>
#include <utility>

#include <absl/status/status.h>
#include <fmt/format.h>

#include "pkg/base/status_macros.h"
#include "pkg/kube/auth/credentials.h"
#include "pkg/kube/auth/process.h"

namespace calico::kube {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(60);
// A human may have to log in through a browser.
constexpr absl::Duration kInteractiveTimeout = absl::Minutes(5);

// Whether the plug-in may ask the human at the terminal.
absl::StatusOr<bool> IsInteractive(const KubeconfigExec& exec) {
  const bool terminal = isatty(STDIN_FILENO) == 1;
  switch (exec.interactive) {
    case KubeconfigExec::Interactive::kNever:
      return false;
    case KubeconfigExec::Interactive::kUnset:
    case KubeconfigExec::Interactive::kIfAvailable:
      return terminal;
    case KubeconfigExec::Interactive::kAlways:
      break;
  }
  if (terminal) return true;
  return absl::UnauthenticatedError(fmt::format(
      "exec: executable {} wants a terminal, and standard input is none", exec.command));
}

absl::Status NotFound(const KubeconfigExec& exec) {
  std::string message = fmt::format("exec: executable {} not found", exec.command);
  if (!exec.install_hint.empty()) message += ". " + exec.install_hint;
  return absl::UnauthenticatedError(message);
}

absl::StatusOr<ExecCredential> Run(const KubeconfigExec& exec, const KubeconfigCluster& cluster,
                                   const std::string& path, const base::FileReader& read_file,
                                   const std::atomic<bool>& stop) {
  CALICO_ASSIGN_OR_RETURN(const bool interactive, IsInteractive(exec));
  std::string ca_pem = cluster.ca_data;
  if (exec.provide_cluster_info && !cluster.ca_file.empty()) {
    const absl::StatusOr<base::SecretString> content = read_file(cluster.ca_file);
    // Its NotFound would be taken for the API server's.
    if (!content.ok()) {
      return absl::UnauthenticatedError(
          fmt::format("exec: cluster CA: {}", std::string(content.status().message())));
    }
    ca_pem = content->view();
  }
  const absl::StatusOr<std::string> program = FindProgram(exec.command, path);
  if (!program.ok()) return NotFound(exec);
  ProcessOptions options{.program = *program,
                         .args = exec.args,
                         .env = exec.env,
                         .inherit_stdin = interactive,
                         .timeout = interactive ? kInteractiveTimeout : kTimeout,
                         .stop = &stop};
  options.env.emplace_back("KUBERNETES_EXEC_INFO",
                           EncodeExecInfo(exec, cluster, ca_pem, interactive));
  const absl::StatusOr<ProcessResult> result = RunProcess(options);
  if (absl::IsNotFound(result.status())) return NotFound(exec);
  const std::string what = fmt::format("exec: executable {}", exec.command);
  if (absl::IsCancelled(result.status())) return base::Annotate(result.status(), what);
  if (!result.ok()) {
    return absl::UnauthenticatedError(
        fmt::format("{}: {}", what, std::string(result.status().message())));
  }
  if (result->exit_code != 0) {
    return absl::UnauthenticatedError(
        fmt::format("{} failed with exit code {}", what, result->exit_code));
  }
  absl::StatusOr<ExecCredential> credential =
      ParseExecCredential(result->output.view(), exec.api_version);
  if (!credential.ok()) {
    return absl::UnauthenticatedError(
        fmt::format("{}: {}", what, std::string(credential.status().message())));
  }
  return credential;
}

}  // namespace

ExecRunner MakeExecRunner(KubeconfigExec exec, KubeconfigCluster cluster, std::string path,
                          base::FileReader read_file) {
  return [exec = std::move(exec), cluster = std::move(cluster), path = std::move(path),
          read_file = std::move(read_file)](const std::atomic<bool>& stop) {
    return Run(exec, cluster, path, read_file, stop);
  };
}

}  // namespace calico::kube
