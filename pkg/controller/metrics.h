// The metrics of one controller and its queue, under the names that controller-runtime uses, so
// that dashboards made for Go operators show them.
#ifndef CALICO_PKG_CONTROLLER_METRICS_H_
#define CALICO_PKG_CONTROLLER_METRICS_H_

#include <string>

#include "pkg/metrics/registry.h"

namespace calico::controller {

// Lifetime: the registry outlives it.
struct ControllerMetrics {
  // `controller` is the label of the series. Requires: once per name and registry.
  ControllerMetrics(metrics::Registry& registry, const std::string& controller);

  metrics::Gauge& depth;
  metrics::Counter& adds;
  metrics::Counter& retries;
  metrics::Histogram& queue_seconds;      // from ready to taken
  metrics::Histogram& reconcile_seconds;  // from taken to done
  metrics::Gauge& active_workers;
  metrics::Counter& succeeded;
  metrics::Counter& requeued;  // succeeded and asked to be called again
  metrics::Counter& failed;    // to be retried
};

}  // namespace calico::controller

#endif  // CALICO_PKG_CONTROLLER_METRICS_H_
