#include "operator/controllers/status/component_metrics.h"

#include <absl/strings/ascii.h>

#include "pkg/api/meta/condition.h"
#include "pkg/api/operator/tigera_status.h"

namespace calico::status {

ComponentMetrics::ComponentMetrics(metrics::Registry& registry, std::string_view component) {
  for (const std::string_view type : {api::kAvailable, api::kProgressing, api::kDegraded}) {
    metrics::Gauge& gauge = registry.AddGauge(
        "tigera_operator_component_status", "Conditions of the components: 1 is True.",
        {{"component", std::string(component)},
         {"condition", absl::AsciiStrToLower(std::string(type))}});
    gauge.Hide();
    gauges_.emplace_back(type, &gauge);
  }
}

void ComponentMetrics::Set(const Decision& decision) {
  for (const auto& [type, gauge] : gauges_) {
    const api::Condition* const condition = api::FindCondition(decision.conditions, type);
    gauge->Set(condition != nullptr && condition->IsTrue() ? 1 : 0);
  }
}

void ComponentMetrics::Hide() {
  for (const auto& [type, gauge] : gauges_) gauge->Hide();
}

}  // namespace calico::status
