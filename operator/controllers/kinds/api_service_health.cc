#include "operator/controllers/kinds/api_service_health.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "operator/controllers/status/report.h"
#include "pkg/api/meta/condition.h"
#include "pkg/codec/object_reader.h"

namespace calico::kinds {
namespace {

constexpr std::string_view kAvailable = "Available";

std::vector<api::Condition> ConditionsOf(const json::object& object) {
  codec::Decoder decoder("APIService");
  return api::ReadConditions(decoder.Read(object).Object("status"));
}

}  // namespace

ApiServiceHealth JudgeApiService(const json::object* api_service, absl::Time since,
                                 absl::Time now) {
  const std::string_view name = kApiServiceName;
  if (api_service == nullptr) {
    return {.progress = fmt::format("APIService {} is not seen yet", name)};
  }
  const std::vector<api::Condition> conditions = ConditionsOf(*api_service);
  const api::Condition* const available = api::FindCondition(conditions, kAvailable);
  if (available != nullptr && available->IsTrue()) return {};
  ApiServiceHealth health;
  if (available == nullptr) {
    health.progress = fmt::format("APIService {} is not looked at yet by the API server", name);
  } else {
    health.progress = fmt::format("APIService {} is not available: {}{}{}", name, available->reason,
                                  available->message.empty() ? "" : ": ", available->message);
    since = std::max(since, available->last_transition_time.value_or(since));
  }
  const absl::Time late = since + status::kDeadline;
  health.is_failing = now >= late;
  if (!health.is_failing) health.recheck_at = late;
  return health;
}

}  // namespace calico::kinds
