// Metrics about the process itself, under the names that Prometheus client libraries use.
#ifndef CALICO_PKG_SERVING_PROCESS_METRICS_H_
#define CALICO_PKG_SERVING_PROCESS_METRICS_H_

#include "pkg/metrics/registry.h"

namespace calico::serving {

// Adds process_resident_memory_bytes, process_cpu_seconds_total, process_open_fds and
// process_start_time_seconds. Blocking: small reads of /proc when the metrics are read.
void AddProcessMetrics(metrics::Registry& registry);

}  // namespace calico::serving

#endif  // CALICO_PKG_SERVING_PROCESS_METRICS_H_
