#include "pkg/api/core/taint.h"

#include <algorithm>
#include <utility>

#include <absl/strings/str_cat.h>

namespace calico::api {

std::string Taint::ToString() const {
  return value.empty() ? absl::StrCat(key, ":", effect)
                       : absl::StrCat(key, "=", value, ":", effect);
}

bool Toleration::Tolerates(const Taint& taint) const {
  if (!effect.empty() && effect != taint.effect) return false;
  if (operation == "Exists") return key.empty() || key == taint.key;
  return key == taint.key && value == taint.value;
}

std::vector<Taint> ReadTaints(const codec::ObjectReader& spec) {
  std::vector<Taint> taints;
  spec.ForEach("taints", [&taints](const codec::ObjectReader& entry) {
    Taint taint{entry.String("key"), entry.String("value"), entry.String("effect")};
    if (taint.effect == "NoSchedule" || taint.effect == "NoExecute") {
      taints.push_back(std::move(taint));
    }
  });
  return taints;
}

std::vector<Toleration> ReadTolerations(const codec::ObjectReader& spec) {
  std::vector<Toleration> tolerations;
  spec.ForEach("tolerations", [&tolerations](const codec::ObjectReader& entry) {
    tolerations.push_back({entry.String("key"), entry.String("operator"), entry.String("value"),
                           entry.String("effect")});
  });
  return tolerations;
}

const Taint* FirstUntolerated(absl::Span<const Taint> taints,
                              absl::Span<const Toleration> tolerations) {
  for (const Taint& taint : taints) {
    if (std::none_of(tolerations.begin(), tolerations.end(),
                     [&taint](const Toleration& t) { return t.Tolerates(taint); })) {
      return &taint;
    }
  }
  return nullptr;
}

}  // namespace calico::api
