#include "operator/controllers/calico_config/component_report.h"

#include <optional>
#include <string_view>

#include <absl/status/statusor.h>
#include <absl/strings/ascii.h>
#include <fmt/format.h>

#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/installation.h"

namespace calico::calico_config {
namespace {

absl::StatusOr<std::optional<api::TigeraStatus>> KeepStatus(const json::object& object) {
  absl::StatusOr<api::TigeraStatus> status = api::TigeraStatus::Decode(object);
  if (!status.ok()) return status.status();
  return *std::move(status);
}

}  // namespace

ComponentReport::ComponentReport(std::string name, aio::Executor executor, kube::Client& client,
                                 kube::EventRecorder& events, metrics::Registry& registry,
                                 const base::Clock& clock, const base::Logger& logger,
                                 const std::function<void()>& changed)
    : name_(std::move(name)),
      writer_({.name = name_,
               .owner = &api::kInstallations,
               .owner_name = std::string(api::kInstallationName),
               .is_mirrored = false},
              client, events, clock),
      statuses_(client, api::kTigeraStatuses,
                {.field_selector = fmt::format("metadata.name={}", name_)}, &KeepStatus, clock,
                logger, std::move(executor)) {
  statuses_.AddObserver([changed](const api::ObjectKey&) { changed(); });
  statuses_.AddHealthObserver(changed);
  for (const std::string_view type : {api::kAvailable, api::kProgressing, api::kDegraded}) {
    metrics::Gauge& gauge = registry.AddGauge(
        "tigera_operator_component_status", "Conditions of the components: 1 is True.",
        {{"component", name_}, {"condition", absl::AsciiStrToLower(std::string(type))}});
    condition_gauges_.emplace_back(type, &gauge);
  }
}

void ComponentReport::SetGauges(const std::vector<api::Condition>& conditions) {
  for (auto& [type, gauge] : condition_gauges_) {
    const api::Condition* const condition = api::FindCondition(conditions, type);
    gauge->Set(condition != nullptr && condition->IsTrue() ? 1 : 0);
  }
}

aio::Task<absl::Status> ComponentReport::Write(status::Facts facts, std::string owner_uid) {
  status::Decision decision = status::Decide(facts);
  SetGauges(decision.conditions);
  status::StatusTarget target{.tigera_status = statuses_.store().Get({"", name_}),
                              .owner_uid = std::move(owner_uid)};
  co_return (co_await writer_.Write(std::move(target), std::move(decision))).status();
}

aio::Task<absl::Status> ComponentReport::Remove() {
  SetGauges({});
  co_return co_await writer_.Remove(statuses_.store().Get({"", name_}));
}

}  // namespace calico::calico_config
