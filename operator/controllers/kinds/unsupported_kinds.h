// UnsupportedKinds: tells users of Goldmane and Whisker in a TigeraStatus of its own that this
// operator keeps the object and runs nothing for it.
//
// It is Degraded, never Available: who has asked for flow logs must not read that he has them, and
// the way to a status without it is to delete the object. Both go with their object.
#ifndef CALICO_OPERATOR_CONTROLLERS_KINDS_UNSUPPORTED_KINDS_H_
#define CALICO_OPERATOR_CONTROLLERS_KINDS_UNSUPPORTED_KINDS_H_

#include <memory>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/controllers/kinds/kinds_view.h"
#include "operator/controllers/kinds/records.h"
#include "pkg/aio/task.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/controller/controller.h"
#include "pkg/controller/work_queue.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/event/recorder.h"
#include "pkg/metrics/registry.h"

namespace calico::kinds {

// Threading: event loop thread only. All references outlive it.
class UnsupportedKinds {
 public:
  UnsupportedKinds(aio::Executor executor, kube::Client& client, KindsView& view,
                   kube::EventRecorder& events, metrics::Registry& registry,
                   const base::Clock& clock, const base::Logger& logger);
  ~UnsupportedKinds();

  // Reports whenever something has changed, until cancelled.
  aio::Task<void> Run();
  // One pass. Errors: what stood in the way of reporting, to be tried again.
  aio::Task<absl::StatusOr<controller::Result>> Reconcile();

 private:
  struct Kind;

  aio::Task<absl::StatusOr<absl::Time>> Report(Kind& kind);

  KindsView& view_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  controller::WorkQueue queue_;
  controller::ControllerMetrics metrics_;
  std::vector<std::unique_ptr<Kind>> kinds_;
};

}  // namespace calico::kinds

#endif  // CALICO_OPERATOR_CONTROLLERS_KINDS_UNSUPPORTED_KINDS_H_
