// The one table from what the API server answers to absl::Status, and back to its reason.
//
// kInvalidArgument has one meaning: the request is at fault, by the server's word (400, 406, 413,
// 415, 422) or because it cannot be sent at all. It is no verdict for ever: another webhook, or
// another server, may take the same request. An answer that cannot be read is kDataLoss.
//
//   absl::Status status = co_await client.Create(...);
//   if (StatusReason(status) == "Invalid") ...
#ifndef CALICO_PKG_KUBE_CLIENT_ERRORS_H_
#define CALICO_PKG_KUBE_CLIENT_ERRORS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "pkg/api/meta/api_status.h"
#include "pkg/http/message.h"

namespace calico::kube {

// What the API server said, as it travels with the errors of kube::Client.
struct ApiError {
  int http_status = 0;
  std::string reason;  // "NotFound", "AlreadyExists", "Conflict", "Expired", ...; may be empty
  std::vector<api::StatusCause> causes;
  std::optional<absl::Duration> retry_after;
};

// The error of a response whose status is not 2xx. The message is the server's, at most 2 KiB of
// it; a body that is no metav1.Status is quoted with its control characters replaced.
absl::Status ErrorFromResponse(const http::Response& response);

// The error of an ERROR watch event.
absl::Status ErrorFromApiStatus(const api::ApiStatus& status);

// What the server said about `status`, however often it was annotated; nullopt for errors that do
// not come from the server (connection, deadline, decoding).
std::optional<ApiError> FindApiError(const absl::Status& status);

// The error of an answer that a decoder cannot read: kDataLoss in place of its kInvalidArgument.
// Other codes stay (kResourceExhausted: larger than we take), and so does OK.
absl::Status Undecodable(const absl::Status& status, std::string_view context);

// Whether the API server has understood and does not want to: a 4xx that another attempt will not
// change, so none of 401, 408, 410 (a resourceVersion that is too old) and 429.
bool IsRefusal(const absl::Status& status);

// The server's machine-readable reason, or empty.
std::string StatusReason(const absl::Status& status);

// The Retry-After of a response in whole seconds, or nullopt (HTTP dates are not sent by
// Kubernetes).
std::optional<absl::Duration> RetryAfter(const http::Headers& headers);

// The texts of `Warning: 299 - "text"` headers, unquoted.
std::vector<std::string> Warnings(const http::Headers& headers);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_CLIENT_ERRORS_H_
