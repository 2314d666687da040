// What csr-signer is told on its command line and by its environment.
#ifndef CALICO_OPERATOR_CONFIG_SIGNER_H_
#define CALICO_OPERATOR_CONFIG_SIGNER_H_

#include <string>
#include <vector>

#include <absl/time/time.h>

#include "operator/config/flags.h"
#include "pkg/base/log.h"

namespace calico::config {

struct SignerConfig {
  std::vector<std::string> signer_names;        // --signer-name
  std::string ca_cert_file;                     // --ca-cert
  std::string ca_key_file;                      // --ca-key
  std::string policy_file;                      // --policy; empty = built-in policy `calico`
  absl::Duration duration = absl::Hours(8760);  // --duration
  bool sign_approved_only = false;              // --sign-approved-only
  int concurrency = 48;                         // --concurrency
  bool leader_elect = false;                    // --leader-elect
  std::string lease_namespace;                  // POD_NAMESPACE; empty = the kubeconfig's
  std::string metrics_address;                  // --metrics-addr, `host:port`; empty = off
  std::string health_address;                   // --health-addr
  // KUBERNETES_SERVICE_HOST and _PORT, checked, without white space and brackets; empty where a
  // kubeconfig says where the API server is.
  std::string service_host;
  std::string service_port;
  std::string kubeconfig;                            // --kubeconfig
  base::LogLevel log_level = base::LogLevel::kInfo;  // --log-level
};

// `environment` with the checked address of the API server in it, if there is one. `config` must
// outlive it.
EnvironmentReader CheckedEnvironment(const SignerConfig& config, EnvironmentReader environment);

// Fills `config`; files are not opened. Set exit_code in the result: print it and end.
ParsedFlags ParseSignerConfig(int argc, const char* const* argv,
                              const EnvironmentReader& environment, SignerConfig* config);

}  // namespace calico::config

#endif  // CALICO_OPERATOR_CONFIG_SIGNER_H_
