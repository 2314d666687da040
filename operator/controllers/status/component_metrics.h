// ComponentMetrics: tigera_operator_component_status of one component, as its TigeraStatus says.
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_COMPONENT_METRICS_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_COMPONENT_METRICS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/controllers/status/conditions.h"
#include "pkg/metrics/registry.h"

namespace calico::status {

// Lifetime: the registry outlives it.
class ComponentMetrics {
 public:
  // Shown from the first Set on.
  ComponentMetrics(metrics::Registry& registry, std::string_view component);

  // 1 for each condition that is True, else 0.
  void Set(const Decision& decision);
  // There is no such TigeraStatus any more: nothing is shown, so that nobody is alarmed.
  void Hide();

 private:
  std::vector<std::pair<std::string, metrics::Gauge*>> gauges_;  // by condition
};

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_COMPONENT_METRICS_H_
