// Conditions in every shape that Kubernetes has: metav1.Condition, TigeraStatus, Deployment, Pod
// and CertificateSigningRequest.
#ifndef CALICO_PKG_API_META_CONDITION_H_
#define CALICO_PKG_API_META_CONDITION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>
#include <absl/types/span.h>

#include "pkg/codec/json.h"
#include "pkg/codec/object_reader.h"

namespace calico::api {

inline constexpr std::string_view kConditionTrue = "True";
inline constexpr std::string_view kConditionFalse = "False";
inline constexpr std::string_view kConditionUnknown = "Unknown";

struct Condition {
  std::string type;
  std::string status;  // kConditionTrue, kConditionFalse or kConditionUnknown.
  std::string reason;
  std::string message;
  std::optional<absl::Time> last_transition_time;
  std::optional<absl::Time> last_update_time;  // CertificateSigningRequest and Deployment only.
  std::int64_t observed_generation = 0;        // 0: not set.

  bool IsTrue() const { return status == kConditionTrue; }
  friend bool operator==(const Condition&, const Condition&) = default;
};

// metav1.Condition demands `reason` and `message` even when empty; TigeraStatus and others leave
// them out.
enum class EmptyText { kOmit, kKeep };
json::object EncodeCondition(const Condition& condition, EmptyText empty);
json::array EncodeConditions(absl::Span<const Condition> conditions, EmptyText empty);

// Reads `conditions` of `status`. A condition without a type is a problem of the decoder.
std::vector<Condition> ReadConditions(const codec::ObjectReader& status);

// The condition of that type, or nullptr.
const Condition* FindCondition(absl::Span<const Condition> conditions, std::string_view type);

}  // namespace calico::api

#endif  // CALICO_PKG_API_META_CONDITION_H_
