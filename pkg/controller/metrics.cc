#include "pkg/controller/metrics.h"

#include <string_view>

namespace calico::controller {
namespace {

metrics::Counter& AddResult(metrics::Registry& registry, const std::string& controller,
                            std::string_view result) {
  return registry.AddCounter("controller_runtime_reconcile_total",
                             "Reconciliations per controller and result.",
                             {{"controller", controller}, {"result", std::string(result)}});
}

}  // namespace

ControllerMetrics::ControllerMetrics(metrics::Registry& registry, const std::string& controller)
    : depth(
          registry.AddGauge("workqueue_depth", "Keys ready to be taken.", {{"name", controller}})),
      adds(registry.AddCounter("workqueue_adds_total", "Keys added.", {{"name", controller}})),
      retries(registry.AddCounter("workqueue_retries_total", "Keys added again after a failure.",
                                  {{"name", controller}})),
      queue_seconds(registry.AddHistogram("workqueue_queue_duration_seconds",
                                          "How long keys waited to be taken once they were ready.",
                                          metrics::ExponentialBounds(1e-4, 10, 7),
                                          {{"name", controller}})),
      reconcile_seconds(registry.AddHistogram(
          "controller_runtime_reconcile_time_seconds", "How long a reconciliation took.",
          metrics::ExponentialBounds(0.001, 4, 9), {{"controller", controller}})),
      active_workers(registry.AddGauge("controller_runtime_active_workers",
                                       "Reconciliations in progress.",
                                       {{"controller", controller}})),
      succeeded(AddResult(registry, controller, "success")),
      requeued(AddResult(registry, controller, "requeue_after")),
      failed(AddResult(registry, controller, "error")) {}

}  // namespace calico::controller
