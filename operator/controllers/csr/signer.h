// The csr-signer program: sources, controller, servers and lease, wired together.
#ifndef CALICO_OPERATOR_CONTROLLERS_CSR_SIGNER_H_
#define CALICO_OPERATOR_CONTROLLERS_CSR_SIGNER_H_

#include <cstdint>
#include <functional>

#include <absl/time/time.h>

#include "operator/config/signer.h"
#include "pkg/aio/task.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/kube/auth/rest_config.h"

namespace calico::csr {

inline constexpr int kExitOk = 0;        // ended by a signal
inline constexpr int kExitFailed = 1;    // lost the lease, or a part ended by itself
inline constexpr int kExitBadInput = 2;  // the policy cannot serve

struct SignerOptions {
  config::SignerConfig config;
  kube::RestConfig api;
  // How often files are looked at.
  absl::Duration refresh_interval = absl::Seconds(10);
};

// Runs until `stop` ends. Returns the exit code. Lifetime: `clock` and `logger` outlive the task.
aio::Task<int> RunSigner(SignerOptions options, aio::Task<void> stop, const base::Clock& clock,
                         const base::Logger& logger);

}  // namespace calico::csr

#endif  // CALICO_OPERATOR_CONTROLLERS_CSR_SIGNER_H_
