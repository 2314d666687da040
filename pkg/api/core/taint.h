// Taints of nodes and the tolerations of pods, as the scheduler compares them.
#ifndef CALICO_PKG_API_CORE_TAINT_H_
#define CALICO_PKG_API_CORE_TAINT_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/types/span.h>

#include "pkg/codec/object_reader.h"

namespace calico::api {

struct Taint {
  std::string key;
  std::string value;
  std::string effect;  // "NoSchedule", "NoExecute"; "PreferNoSchedule" keeps nothing away

  // "key=value:effect", as kubectl takes it.
  std::string ToString() const;
  friend bool operator==(const Taint&, const Taint&) = default;
};

struct Toleration {
  std::string key;        // empty with "Exists": every key
  std::string operation;  // "Equal" (also when empty) or "Exists"
  std::string value;
  std::string effect;  // empty: every effect

  bool Tolerates(const Taint& taint) const;
};

// The taints of `spec` that keep pods away: NoSchedule and NoExecute.
std::vector<Taint> ReadTaints(const codec::ObjectReader& spec);
std::vector<Toleration> ReadTolerations(const codec::ObjectReader& spec);

// The first taint that none of `tolerations` tolerates, or nullptr.
const Taint* FirstUntolerated(absl::Span<const Taint> taints,
                              absl::Span<const Toleration> tolerations);

}  // namespace calico::api

#endif  // CALICO_PKG_API_CORE_TAINT_H_
