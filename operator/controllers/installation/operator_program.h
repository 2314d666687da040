// The calico-operator program: client, caches, controller, servers and lease, wired together.
#ifndef CALICO_OPERATOR_CONTROLLERS_INSTALLATION_OPERATOR_PROGRAM_H_
#define CALICO_OPERATOR_CONTROLLERS_INSTALLATION_OPERATOR_PROGRAM_H_

#include <string>

#include "operator/config/operator.h"
#include "pkg/aio/task.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/kube/auth/rest_config.h"

namespace calico::installation {

inline constexpr int kExitOk = 0;      // ended by a signal
inline constexpr int kExitFailed = 1;  // lost the lease, or a part ended by itself

struct OperatorOptions {
  config::OperatorConfig config;  // `release` is set, and outlives the task
  std::string operator_namespace;
  kube::RestConfig api;
  // Calico's own definitions, as WantedCrds takes them; empty: those of this binary.
  std::string calico_crds;
};

// Runs until `stop` ends. Returns the exit code. Lifetime: `clock` and `logger` outlive the task.
aio::Task<int> RunOperator(OperatorOptions options, aio::Task<void> stop, const base::Clock& clock,
                           const base::Logger& logger);

}  // namespace calico::installation

#endif  // CALICO_OPERATOR_CONTROLLERS_INSTALLATION_OPERATOR_PROGRAM_H_
