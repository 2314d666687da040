// Teardown: what goes last when the Installation has been deleted.
//
// Everything that is made has the Installation as its owner and goes with it, operator or not, but
// for what the CNI plugin needs to take down the network of a pod: its service account, its role,
// and the namespace that the account is in. Taken away at the same moment, pods of the pod network
// would hang in termination, and their namespace with them. These few have no owner; the operator
// removes them when the pods have gone. There is no finalizer, so that nothing can get stuck:
// without an operator they stay behind, until one runs or `calico-operator uninstall` does.
#ifndef CALICO_OPERATOR_CONTROLLERS_TEARDOWN_TEARDOWN_H_
#define CALICO_OPERATOR_CONTROLLERS_TEARDOWN_TEARDOWN_H_

#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/aio/task.h"
#include "pkg/base/log.h"
#include "pkg/controller/controller.h"
#include "pkg/kube/apply/live_objects.h"
#include "pkg/kube/client/client.h"

namespace calico::teardown {

// Threading: event loop thread only. All references outlive it.
class Teardown {
 public:
  // `owned`: what this operator has made, found by its labels.
  Teardown(kube::Client& client, const kube::LiveObjects& owned, const base::Logger& logger)
      : client_(client), owned_(owned), logger_(logger) {}

  // One look, while there is no Installation: waits for pods, or deletes what is left. Does nothing
  // where nothing of ours is left, and sends nothing then. Errors: as kube::Client.
  // Cancellation: total.
  aio::Task<absl::StatusOr<controller::Result>> Run();

 private:
  aio::Task<absl::StatusOr<std::vector<std::string>>> PodsOfThePodNetwork();

  kube::Client& client_;
  const kube::LiveObjects& owned_;
  const base::Logger& logger_;
  size_t told_pods_ = 0;
};

}  // namespace calico::teardown

#endif  // CALICO_OPERATOR_CONTROLLERS_TEARDOWN_TEARDOWN_H_
