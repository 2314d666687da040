// The ExecCredential protocol of credential plug-ins, as pure functions of text: what a plug-in is
// told (KUBERNETES_EXEC_INFO) and what it prints.
#ifndef CALICO_PKG_KUBE_AUTH_EXEC_CREDENTIAL_H_
#define CALICO_PKG_KUBE_AUTH_EXEC_CREDENTIAL_H_

#include <optional>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/base/secret_string.h"
#include "pkg/kube/auth/kubeconfig.h"

namespace calico::kube {

// What a plug-in gave. At least one of token and certificate with key is set.
struct ExecCredential {
  base::SharedSecret token;
  std::string client_certificate_pem;
  base::SharedSecret client_key_pem;
  std::optional<absl::Time> expires;  // nullopt: until the server refuses it
};

// The value of KUBERNETES_EXEC_INFO. `ca_pem` is the cluster's CA, whether from data or a file.
std::string EncodeExecInfo(const KubeconfigExec& exec, const KubeconfigCluster& cluster,
                           std::string_view ca_pem, bool interactive);

// Reads what a plug-in of `api_version` printed. Errors: kInvalidArgument; the text never shows in
// the message.
absl::StatusOr<ExecCredential> ParseExecCredential(std::string_view text,
                                                   std::string_view api_version);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_AUTH_EXEC_CREDENTIAL_H_
