// coordination.k8s.io/v1 Lease, for leader election.
#ifndef CALICO_PKG_API_COORDINATION_LEASE_H_
#define CALICO_PKG_API_COORDINATION_LEASE_H_

#include <cstdint>
#include <optional>
#include <string>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/api/meta/object_meta.h"

namespace calico::api {

struct Lease {
  ObjectMeta meta;              // With labels and annotations, which Encode sends back.
  std::string holder_identity;  // Empty: given up.
  std::optional<std::int32_t> lease_duration_seconds;
  std::optional<absl::Time> acquire_time;
  std::optional<absl::Time> renew_time;
  std::int32_t lease_transitions = 0;

  // Errors: InvalidArgument with every wrong field's path.
  static absl::StatusOr<Lease> Decode(const json::object& object);
  // The object for POST (without resourceVersion) and PUT.
  json::object Encode() const;
};

}  // namespace calico::api

#endif  // CALICO_PKG_API_COORDINATION_LEASE_H_
