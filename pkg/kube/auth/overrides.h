// What a command line says in place of a kubeconfig: kubectl's flags --cluster, --user, --server,
// --token, --as and their like.
#ifndef CALICO_PKG_KUBE_AUTH_OVERRIDES_H_
#define CALICO_PKG_KUBE_AUTH_OVERRIDES_H_

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/base/secret_string.h"
#include "pkg/kube/auth/kubeconfig.h"
#include "pkg/kube/auth/rest_config.h"

namespace calico::kube {

// Empty: as the kubeconfig says.
struct KubeconfigOverrides {
  std::string cluster;  // name of an entry
  std::string user;     // name of an entry
  std::string ns;
  std::string server;  // URL; the file's tls-server-name no longer counts
  std::string tls_server_name;
  std::string ca_file;  // takes the place of the file's CA, and of its insecure mode
  bool insecure_skip_tls_verify = false;
  std::string client_certificate_file;
  std::string client_key_file;
  base::SharedSecret token;  // takes the place of the user's token, password and plug-in
  std::string as;
  std::string as_uid;
  std::vector<std::string> as_groups;

  bool empty() const;
};

// Writes the overrides into the entries of `context` (empty: current-context). Where there is no
// context at all, a server makes one. Names that do not exist are left for ResolveKubeconfig.
void ApplyOverrides(const KubeconfigOverrides& overrides, const std::string& context,
                    Kubeconfig& config);

// As LoadRestConfig without overrides. In a pod, without any kubeconfig, only `ns` and the `as`
// fields count unless a server is given. Errors also: kInvalidArgument for as_uid or as_groups
// without as.
absl::StatusOr<RestConfig> LoadRestConfig(const LoadOptions& options,
                                          const KubeconfigOverrides& overrides,
                                          const Environment& environment, const base::Clock& clock,
                                          const base::Logger& logger);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_AUTH_OVERRIDES_H_
