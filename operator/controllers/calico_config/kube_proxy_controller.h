// The controller of kube-proxy under spec.calicoNetwork.kubeProxyManagement: keeps it from the
// nodes while FelixConfiguration has eBPF on, which does its work, and lets it back when that is
// off. Reports in TigeraStatus `kubeproxy-monitor`.
//
// A kube-proxy that something else looks after is not touched.
#ifndef CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_KUBE_PROXY_CONTROLLER_H_
#define CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_KUBE_PROXY_CONTROLLER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/controllers/calico_config/calico_view.h"
#include "operator/controllers/calico_config/component_report.h"
#include "pkg/aio/task.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/codec/json.h"
#include "pkg/controller/controller.h"
#include "pkg/controller/work_queue.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/event/recorder.h"
#include "pkg/metrics/registry.h"

namespace calico::calico_config {

// No node has it, so that no pod of a DaemonSet that asks for it is anywhere.
inline constexpr std::string_view kNoKubeProxyLabel = "operator.tigera.io/disable-kube-proxy";

struct KubeProxyInput {
  std::int64_t generation = 0;
  std::string installation_uid;

  friend bool operator==(const KubeProxyInput&, const KubeProxyInput&) = default;
};

// Threading: event loop thread only. All references outlive it.
class KubeProxyController {
 public:
  KubeProxyController(aio::Executor executor, kube::Client& client, CalicoView& view,
                      kube::EventRecorder& events, metrics::Registry& registry,
                      const base::Clock& clock, const base::Logger& logger,
                      absl::Duration interval = absl::Minutes(1));

  // nullopt: no Installation asks for it; kube-proxy stays as it is.
  void SetInput(std::optional<KubeProxyInput> input);

  // Until cancelled.
  aio::Task<void> Run();
  // One pass. Errors: what stood in the way, to be tried again.
  aio::Task<absl::StatusOr<controller::Result>> Reconcile();

 private:
  aio::Task<absl::Status> Switch(const json::object& daemon_set, bool is_off);

  kube::Client& client_;
  CalicoView& view_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  const absl::Duration interval_;
  const aio::Executor executor_;
  controller::WorkQueue queue_;
  controller::ControllerMetrics metrics_;
  ComponentReport report_;
  bool is_told_ = false;  // SetInput was called
  std::optional<KubeProxyInput> input_;
};

// Who looks after an object besides its own programs, as its labels and annotations say; empty:
// nobody.
std::string OtherManagerOf(const json::object& object);

}  // namespace calico::calico_config

#endif  // CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_KUBE_PROXY_CONTROLLER_H_
