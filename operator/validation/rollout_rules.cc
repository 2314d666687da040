#include "operator/validation/rollout_rules.h"

#include <algorithm>
#include <limits>
#include <optional>

#include <absl/strings/ascii.h>
#include <fmt/format.h>

#include "operator/validation/scheduling_rules.h"

namespace calico::validation {
namespace {

constexpr std::int64_t kMostInt32 = std::numeric_limits<std::int32_t>::max();

struct Amount {
  std::int64_t number = 0;
  bool is_percentage = false;
};

// intstr.IntOrString: 2, "2" is no number there, "25%".
std::optional<Amount> AmountOf(const SpecField& field) {
  if (const std::optional<std::int64_t> number = field.number()) {
    if (*number < 0 || *number > kMostInt32) return std::nullopt;
    return Amount{.number = *number};
  }
  std::string_view text = field.text();
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  if (text.empty() || text.size() > 9) return std::nullopt;
  std::int64_t number = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return Amount{.number = number, .is_percentage = true};
}

std::optional<Amount> CheckAmount(const SpecField& field, Findings findings) {
  if (!field.set()) return std::nullopt;
  const std::optional<Amount> amount = AmountOf(field);
  if (!amount.has_value()) {
    findings.Add(field.path(), fmt::format("{} is no number of pods: write a whole number such as "
                                           "1, or a percentage such as 10%",
                                           field.shown()));
  } else if (amount->is_percentage && amount->number > 100) {
    findings.Add(field.path(),
                 fmt::format("{} are more than there are: write at most 100%", field.shown()));
  }
  return amount;
}

bool IsZero(const std::optional<Amount>& amount) {
  return amount.has_value() && amount->number == 0;
}

void CheckStuck(const SpecField& rolling, const std::optional<Amount>& away,
                const std::optional<Amount>& added, Findings findings) {
  if (!IsZero(away) || !IsZero(added)) return;
  findings.Add(rolling["maxUnavailable"].path(),
               "must not be 0 together with maxSurge: no pod could ever be replaced");
}

}  // namespace

void CheckNodeUpdateStrategy(const SpecField& strategy, Findings findings) {
  const SpecField type = strategy["type"];
  if (type.set() && type.text() != "RollingUpdate") {
    findings.Add(type.path(), fmt::format("{} is not supported: write RollingUpdate, or remove it",
                                          type.shown()));
  }
  const SpecField rolling = strategy["rollingUpdate"];
  const std::optional<Amount> away = CheckAmount(rolling["maxUnavailable"], findings);
  const std::optional<Amount> added = CheckAmount(rolling["maxSurge"], findings);
  const bool adds = added.has_value() && added->number > 0;
  if (adds && !IsZero(away)) {
    findings.Add(rolling["maxSurge"].path(),
                 "cannot be used together with maxUnavailable: a DaemonSet adds a node's new pod "
                 "first, or ends the old one first; write maxUnavailable: 0, or remove maxSurge");
  } else if (!adds && IsZero(away)) {
    findings.Add(rolling["maxUnavailable"].path(),
                 "must not be 0 without maxSurge: no pod could ever be replaced");
  }
}

void CheckDeploymentStrategy(const SpecField& strategy, Findings findings) {
  const SpecField type = strategy["type"];
  if (type.set() && type.text() != "RollingUpdate") {
    findings.Add(type.path(), fmt::format("{} is not supported: write RollingUpdate, or remove it",
                                          type.shown()));
  }
  const SpecField rolling = strategy["rollingUpdate"];
  const std::optional<Amount> away = CheckAmount(rolling["maxUnavailable"], findings);
  const SpecField surge = rolling["maxSurge"];
  // More than all may be added, so a percentage has no end.
  const std::optional<Amount> added = surge.set() ? AmountOf(surge) : std::nullopt;
  if (surge.set() && !added.has_value()) CheckAmount(surge, findings);
  CheckStuck(rolling, away, added, findings);
}

void CheckDisruptionBudget(const SpecField& budget, Findings findings) {
  static constexpr std::string_view kPolicies[] = {"IfHealthyBudget", "AlwaysAllow"};
  CheckLabels(budget["metadata"]["labels"], findings);
  CheckAnnotations(budget["metadata"]["annotations"], findings);
  const SpecField spec = budget["spec"];
  CheckAmount(spec["minAvailable"], findings);
  CheckAmount(spec["maxUnavailable"], findings);
  if (spec["minAvailable"].set() && spec["maxUnavailable"].set()) {
    findings.Add(spec.path(), "has minAvailable and maxUnavailable: keep one of them");
  }
  CheckOneOf(spec["unhealthyPodEvictionPolicy"], kPolicies, findings);
}

}  // namespace calico::validation
