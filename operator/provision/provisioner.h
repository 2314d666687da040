// The init container's work: a usable pair in the pod's memory volume, or a clear reason why not.
#ifndef CALICO_OPERATOR_PROVISION_PROVISIONER_H_
#define CALICO_OPERATOR_PROVISION_PROVISIONER_H_

#include "operator/provision/config.h"
#include "operator/provision/exit_code.h"
#include "pkg/aio/task.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/kube/client/client.h"

namespace calico::provision {

// Uses the pair of an earlier run if it still fits and asks nothing then. Otherwise takes up the
// key and the request that an earlier run has kept, or makes and keeps new ones, waits for the
// certificate, verifies it and replaces the set of files. Among those the key is written only
// together with its certificate. Lifetime: all arguments outlive the task.
// Cancellation: total. Blocking: making an RSA key takes CPU time on the calling thread.
aio::Task<Outcome> Provision(const Config& config, kube::Client& client, const base::Clock& clock,
                             const base::Logger& logger);

}  // namespace calico::provision

#endif  // CALICO_OPERATOR_PROVISION_PROVISIONER_H_
