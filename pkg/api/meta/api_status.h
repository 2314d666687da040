// metav1.Status: what the API server answers when it refuses, and the object of an ERROR event.
#ifndef CALICO_PKG_API_META_API_STATUS_H_
#define CALICO_PKG_API_META_API_STATUS_H_

#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/codec/json.h"

namespace calico::api {

struct StatusCause {
  std::string reason;  // "FieldValueInvalid"
  std::string message;
  std::string field;  // "spec.signerName"
};

struct ApiStatus {
  bool success = false;  // status: Success
  int code = 0;          // The HTTP code; 0: not given.
  std::string reason;    // "NotFound", "Expired", ...; may be empty.
  std::string message;
  // Of `details`.
  std::string name;
  std::string kind;
  std::vector<StatusCause> causes;
  std::optional<absl::Duration> retry_after;  // details.retryAfterSeconds

  // Errors: InvalidArgument for an object of another kind than v1 Status.
  static absl::StatusOr<ApiStatus> Decode(const json::object& object);
};

}  // namespace calico::api

#endif  // CALICO_PKG_API_META_API_STATUS_H_
