// Ending on request, as the real programs do.
#ifndef CALICO_OPERATOR_STANDIN_TERMINATION_H_
#define CALICO_OPERATOR_STANDIN_TERMINATION_H_

namespace calico::standin {

// From now on SIGTERM and SIGINT end the process at once with exit code 0. The first process of a
// container has no default action for them: without a handler it lives on to the end of its pod's
// grace period.
void ExitOnTermination();

}  // namespace calico::standin

#endif  // CALICO_OPERATOR_STANDIN_TERMINATION_H_
