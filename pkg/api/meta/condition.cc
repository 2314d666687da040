#include "pkg/api/meta/condition.h"

#include <utility>

#include "pkg/codec/time.h"

namespace calico::api {

json::object EncodeCondition(const Condition& condition, EmptyText empty) {
  json::object object{{"type", condition.type}, {"status", condition.status}};
  if (!condition.reason.empty() || empty == EmptyText::kKeep) object["reason"] = condition.reason;
  if (!condition.message.empty() || empty == EmptyText::kKeep) {
    object["message"] = condition.message;
  }
  if (condition.last_update_time.has_value()) {
    object["lastUpdateTime"] = codec::EncodeTime(*condition.last_update_time);
  }
  if (condition.last_transition_time.has_value()) {
    object["lastTransitionTime"] = codec::EncodeTime(*condition.last_transition_time);
  }
  if (condition.observed_generation != 0) {
    object["observedGeneration"] = condition.observed_generation;
  }
  return object;
}

json::array EncodeConditions(absl::Span<const Condition> conditions, EmptyText empty) {
  json::array array;
  array.reserve(conditions.size());
  for (const Condition& condition : conditions) array.push_back(EncodeCondition(condition, empty));
  return array;
}

std::vector<Condition> ReadConditions(const codec::ObjectReader& status) {
  std::vector<Condition> conditions;
  status.ForEach("conditions", [&conditions](const codec::ObjectReader& condition) {
    conditions.push_back({.type = condition.RequiredString("type"),
                          .status = condition.String("status"),
                          .reason = condition.String("reason"),
                          .message = condition.String("message"),
                          .last_transition_time = condition.Time("lastTransitionTime"),
                          .last_update_time = condition.Time("lastUpdateTime"),
                          .observed_generation = condition.Int64("observedGeneration")});
  });
  return conditions;
}

const Condition* FindCondition(absl::Span<const Condition> conditions, std::string_view type) {
  for (const Condition& condition : conditions) {
    if (condition.type == type) return &condition;
  }
  return nullptr;
}

}  // namespace calico::api
