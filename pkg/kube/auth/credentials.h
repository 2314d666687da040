// The Credentials behind a RestConfig: files that are re-read, static data, and exec plug-ins.
#ifndef CALICO_PKG_KUBE_AUTH_CREDENTIALS_H_
#define CALICO_PKG_KUBE_AUTH_CREDENTIALS_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/aio/task.h"
#include "pkg/base/clock.h"
#include "pkg/base/file.h"
#include "pkg/base/log.h"
#include "pkg/base/secret_string.h"
#include "pkg/base/watched_files.h"
#include "pkg/kube/auth/exec_credential.h"
#include "pkg/kube/auth/kubeconfig.h"
#include "pkg/kube/auth/rest_config.h"

namespace calico::kube {

// A file whose last good content is kept: a file that is away for a moment (a Secret volume being
// swapped) must not break what works.
class CredentialFile {
 public:
  CredentialFile(const std::string& path, base::FileReader read, const base::Logger& logger)
      : path_(path), file_({path}, std::move(read)), logger_(logger) {}

  const std::string& path() const { return path_; }
  // The content now; on a read error, the content before, with a warning the first time.
  // Errors: kUnavailable while there was never a content.
  absl::StatusOr<base::SharedSecret> Read();

 private:
  std::string path_;
  base::WatchedFiles file_;
  const base::Logger& logger_;
  std::optional<base::SharedSecret> last_;
};

// A bearer token in a file: cached for 60 s, trimmed, the old one kept when a read fails.
class TokenFile {
 public:
  TokenFile(std::string path, base::FileReader read, const base::Clock& clock,
            const base::Logger& logger);

  // Errors: kUnauthenticated while there was never a token.
  absl::StatusOr<base::SharedSecret> Token();
  // Drops the cache. True if the file now holds another token.
  bool Invalidate();

 private:
  absl::StatusOr<base::SharedSecret> ReadToken();

  CredentialFile file_;
  const base::Clock& clock_;
  base::SharedSecret token_;
  absl::Time read_at_ = absl::InfinitePast();
};

// Runs the plug-in and returns what it printed. Errors: those of RunProcess and of the format;
// kCancelled soon after `stop` was set. Blocking. Threading: any thread, one call at a time.
using ExecRunner = std::function<absl::StatusOr<ExecCredential>(const std::atomic<bool>& stop)>;

// Credentials of an exec plug-in, cached until they expire or are refused. What a run gave, a
// failure too, serves for 5 s: calls without end must not start programs without end.
//
// Threading: event loop thread only. The destructor ends a plug-in that runs; the loop of Refresh
// must be there still.
class ExecCache {
 public:
  ExecCache(ExecRunner run, const base::Clock& clock) : run_(std::move(run)), clock_(clock) {}
  ~ExecCache();
  ExecCache(const ExecCache&) = delete;
  ExecCache& operator=(const ExecCache&) = delete;

  // Runs the plug-in, on a thread of its own and once for all that wait for it, when there are no
  // good credentials. Errors: the runner's; kDeadlineExceeded after `timeout`; kCancelled.
  // Cancellation: total; the plug-in goes on for the next call.
  aio::Task<absl::Status> Refresh(absl::Duration timeout);
  // What there is. Lifetime: valid until the next call. Errors: the runner's. Blocking: runs the
  // plug-in, unless Refresh is in use.
  absl::StatusOr<const ExecCredential*> Get();
  // Has the next Refresh or Get run the plug-in. False within 5 s of a run.
  bool Invalidate();

 private:
  struct Running;

  bool IsNeeded() const;
  bool RanJustNow() const;
  void Start(const aio::Executor& executor);
  void Take(absl::StatusOr<ExecCredential> result);

  const ExecRunner run_;
  const base::Clock& clock_;
  std::optional<ExecCredential> credential_;
  bool refused_ = false;  // credential_ was, by the server
  absl::Status failure_;  // of the last run
  absl::Time ran_at_ = absl::InfinitePast();
  bool refreshed_ = false;  // Refresh is in use
  std::shared_ptr<Running> running_;
};

// What to prove who we are with. Of a data and a file form at most one is set.
struct CredentialSources {
  std::string ca_file;
  std::string ca_data;
  std::string client_certificate_file;
  std::string client_certificate_data;
  std::string client_key_file;
  base::SharedSecret client_key_data;
  std::string tls_server_name;
  bool insecure_skip_tls_verify = false;
  base::SharedSecret token;
  std::string token_file;  // wins over `token` once it can be read
  std::string username;
  base::SharedSecret password;
  ExecRunner exec;  // null: none; not run when a token, user name or password is given
};

// Lifetime: `clock` and `logger` outlive the result.
std::shared_ptr<Credentials> MakeCredentials(CredentialSources sources,
                                             const base::FileReader& read_file,
                                             const base::Clock& clock, const base::Logger& logger);

// The runner of a kubeconfig's plug-in. `path` is PATH; `read_file` reads the cluster's CA for the
// plug-in.
ExecRunner MakeExecRunner(KubeconfigExec exec, KubeconfigCluster cluster, std::string path,
                          base::FileReader read_file);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_AUTH_CREDENTIALS_H_
