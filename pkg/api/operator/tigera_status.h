// operator.tigera.io/v1 TigeraStatus: what the operator tells about one component.
#ifndef CALICO_PKG_API_OPERATOR_TIGERA_STATUS_H_
#define CALICO_PKG_API_OPERATOR_TIGERA_STATUS_H_

#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/api/meta/condition.h"
#include "pkg/api/meta/object_meta.h"

namespace calico::api {

// The TigeraStatus of an Installation.
inline constexpr std::string_view kTigeraStatusCalico = "calico";
// Those of an APIServer, a Goldmane and a Whisker.
inline constexpr std::string_view kTigeraStatusApiServer = "apiserver";
inline constexpr std::string_view kTigeraStatusGoldmane = "goldmane";
inline constexpr std::string_view kTigeraStatusWhisker = "whisker";

// Condition types.
inline constexpr std::string_view kAvailable = "Available";
inline constexpr std::string_view kProgressing = "Progressing";
inline constexpr std::string_view kDegraded = "Degraded";
inline constexpr std::string_view kReady = "Ready";  // Available, in Installation.status.

// Condition reasons that users' scripts know.
inline constexpr std::string_view kReasonAllObjectsAvailable = "AllObjectsAvailable";
inline constexpr std::string_view kReasonResourceNotReady = "ResourceNotReady";
inline constexpr std::string_view kReasonPodFailure = "PodFailure";
inline constexpr std::string_view kReasonCertificateError = "CertificateError";
inline constexpr std::string_view kReasonInvalidConfiguration = "InvalidConfigurationError";
inline constexpr std::string_view kReasonResourceCreateError = "ResourceCreateError";
inline constexpr std::string_view kReasonResourceNotFound = "ResourceNotFound";
inline constexpr std::string_view kReasonResourceReadError = "ResourceReadError";
inline constexpr std::string_view kReasonResourceRenderingError = "ResourceRenderingError";
inline constexpr std::string_view kReasonResourceScalingError = "ResourceScalingError";
inline constexpr std::string_view kReasonResourceUpdateError = "ResourceUpdateError";
inline constexpr std::string_view kReasonResourceValidationError = "ResourceValidationError";
inline constexpr std::string_view kReasonInternalServerError = "InternalServerError";
inline constexpr std::string_view kReasonMigrationError = "MigrationError";
inline constexpr std::string_view kReasonNotApplicable = "NotApplicable";
inline constexpr std::string_view kReasonUnknown = "Unknown";

struct TigeraStatus {
  ObjectMeta meta;  // With owner references; no labels, no annotations.
  std::vector<Condition> conditions;

  // Errors: InvalidArgument with every wrong field's path.
  static absl::StatusOr<TigeraStatus> Decode(const json::object& object);
  // apiVersion, kind, metadata.name, resourceVersion when there is one, spec {} and status; empty
  // reasons and messages are left out.
  json::object Encode() const;
};

}  // namespace calico::api

#endif  // CALICO_PKG_API_OPERATOR_TIGERA_STATUS_H_
