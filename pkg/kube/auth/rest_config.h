// Where the API server is and how to prove who we are: from a kubeconfig or from inside a pod.
//
// kubeconfig: the merge and validation rules of client-go (explicit path, else KUBECONFIG list,
// else ~/.kube/config, else in-cluster). In-cluster: KUBERNETES_SERVICE_HOST and _PORT with the
// service account files, token and CA re-read from disk.
#ifndef CALICO_PKG_KUBE_AUTH_REST_CONFIG_H_
#define CALICO_PKG_KUBE_AUTH_REST_CONFIG_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/aio/task.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/base/secret_string.h"
#include "pkg/http/message.h"
#include "pkg/net/tls.h"

namespace calico::kube {

// Credentials that may change while the program runs. Threading: event loop thread only.
class Credentials {
 public:
  virtual ~Credentials() = default;
  // Does what takes time, so that the calls below need not: runs an exec plug-in, beside the event
  // loop. Before each request. Errors: kUnauthenticated naming the plug-in; kDeadlineExceeded after
  // `timeout`; kCancelled. Cancellation: total.
  virtual aio::Task<absl::Status> Prepare(absl::Duration timeout);
  // TLS material for a new connection, files re-read when they changed. While certificate and key
  // files are replaced one after the other it is the pair before. Errors: kUnavailable while there
  // was never a CA, or a pair that fits together, in the files; kUnauthenticated for an empty CA,
  // for a bad pair that is no file, and of an exec plug-in. Never kNotFound or kInvalidArgument,
  // which would be taken for the API server's.
  virtual absl::StatusOr<net::TlsOptions> Tls() = 0;
  // `Authorization` value, or empty. A token file is cached 60 s; an exec plug-in until its expiry.
  // Never logged.
  virtual absl::StatusOr<base::SharedSecret> Authorization() = 0;
  // Called after a 401: forget what is cached. True if asking again may give something else.
  virtual bool Invalidate() = 0;
};

struct RestConfig {
  std::string origin;     // https://host:port[/prefix]
  std::string proxy;      // see http::ClientOptions
  std::string ns;         // default namespace of the context or the pod
  http::Headers headers;  // impersonation
  std::shared_ptr<Credentials> credentials;
};

struct LoadOptions {
  std::string kubeconfig;  // --kubeconfig; empty = the rules above
  std::string context;     // --context; empty = current-context
};

// The process environment, for tests that give their own.
using Environment = std::function<std::string(const std::string& name)>;
Environment ProcessEnvironment();

// Errors: kInvalidArgument naming the file and every problem at once; kNotFound when there is no
// configuration at all; kPermissionDenied and kUnavailable for a file that cannot be read. `clock`
// and `logger` must outlive the result. Blocking: reads files, and runs an exec plug-in later, in
// Authorization or Tls, where Prepare is not called before.
absl::StatusOr<RestConfig> LoadRestConfig(const LoadOptions& options,
                                          const Environment& environment, const base::Clock& clock,
                                          const base::Logger& logger);

// Only the in-cluster form. `root` is put before the service account paths (tests).
absl::StatusOr<RestConfig> InClusterConfig(const Environment& environment, const base::Clock& clock,
                                           const base::Logger& logger,
                                           const std::string& root = "");

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_AUTH_REST_CONFIG_H_
