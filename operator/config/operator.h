// What calico-operator is told on its command line and by its environment.
#ifndef CALICO_OPERATOR_CONFIG_OPERATOR_H_
#define CALICO_OPERATOR_CONFIG_OPERATOR_H_

#include <optional>
#include <string>
#include <vector>

#include "operator/config/flags.h"
#include "operator/render/release.h"
#include "pkg/base/log.h"

namespace calico::config {

struct OperatorConfig {
  const render::Release* release = nullptr;  // --release, CALICO_RELEASE; static, never null
  std::string kubeconfig;                    // --kubeconfig
  bool allow_downgrade = false;              // --allow-downgrade
  bool manage_crds = false;                  // --manage-crds
  std::string calico_crds_file;              // --calico-crds; empty: those of this binary
  bool leader_elect = true;                  // --leader-elect
  // --metrics-addr, `host:port`; empty = off. With METRICS_ENABLED=true it is
  // METRICS_HOST:METRICS_PORT unless the flag says otherwise.
  std::string metrics_address;
  std::string health_address;                        // --health-addr
  base::LogLevel log_level = base::LogLevel::kInfo;  // --log-level
  // OPERATOR_NAMESPACE; empty: the namespace of the pod's service account, else tigera-operator.
  std::string operator_namespace;
  std::string operator_name = "tigera-operator";  // OPERATOR_NAME: of the operator's Deployment
  // KUBERNETES_SERVICE_HOST and _PORT, checked, without white space and brackets; they are told to
  // Calico's pods too. Empty: not set.
  std::string service_host;
  std::string service_port;
  // Why they are not what the environment says, but where the cluster's Service is; else empty.
  std::string service_problem;
};

// `environment` with the address of the API server as `config` has it. Lifetime: `config` outlives
// the result.
EnvironmentReader CheckedEnvironment(const OperatorConfig& config, EnvironmentReader environment);

// Fills `config`. Set exit_code in the result: print it and end; also for a release inside this
// binary that does not hold together, which is found here, before anything is touched.
// `commands` are for --help and completion.
ParsedFlags ParseOperatorConfig(int argc, const char* const* argv,
                                const EnvironmentReader& environment, OperatorConfig* config,
                                const std::vector<CommandSpec>& commands = {});

// `config.operator_namespace`, else `pod_namespace`, else tigera-operator.
std::string OperatorNamespace(const OperatorConfig& config, const std::string& pod_namespace);

}  // namespace calico::config

#endif  // CALICO_OPERATOR_CONFIG_OPERATOR_H_
