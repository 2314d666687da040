// The end of key-cert-provisioner before its time.
#ifndef CALICO_OPERATOR_PROVISION_TERMINATION_H_
#define CALICO_OPERATOR_PROVISION_TERMINATION_H_

namespace calico::provision {

// From now on SIGTERM and SIGINT end the process at once with ExitCode::kTerminated, also while it
// computes a key; the cause goes to standard error and to the end of the file `termination_log`.
// There is nothing to put in order first: the set of files changes in one step, and a request that
// stays behind belongs to a pod that goes. The first process of a container has no default action
// for these signals: without a handler it lives on to the end of its pod's grace period.
// Requires: one call. Lifetime: `termination_log` has static storage.
void ExitOnTermination(const char* termination_log);

}  // namespace calico::provision

#endif  // CALICO_OPERATOR_PROVISION_TERMINATION_H_
