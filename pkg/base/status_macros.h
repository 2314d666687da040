// Early return on a bad absl::Status, in functions and (CO_ forms) in coroutines.
//
//   CALICO_ASSIGN_OR_RETURN(Certificate leaf, pki::ParseCertificate(pem));
//   CALICO_CO_RETURN_IF_ERROR(co_await client.Delete(...));
#ifndef CALICO_PKG_BASE_STATUS_MACROS_H_
#define CALICO_PKG_BASE_STATUS_MACROS_H_

#include <string_view>
#include <utility>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

namespace calico::base {

// `status` with `context: ` put before its message; code and payloads are kept. An OK status is
// returned as it is.
absl::Status Annotate(const absl::Status& status, std::string_view context);

namespace base_internal {
inline absl::Status AsStatus(absl::Status status) { return status; }
template <class T>
absl::Status AsStatus(const absl::StatusOr<T>& status_or) {
  return status_or.status();
}
}  // namespace base_internal
}  // namespace calico::base

#define CALICO_MACRO_JOIN_(a, b) a##b
#define CALICO_MACRO_JOIN(a, b) CALICO_MACRO_JOIN_(a, b)

#define CALICO_RETURN_IF_ERROR_IMPL_(return_keyword, expression)                         \
  do {                                                                                   \
    absl::Status calico_status_ = ::calico::base::base_internal::AsStatus((expression)); \
    if (!calico_status_.ok()) return_keyword calico_status_;                             \
  } while (false)

#define CALICO_ASSIGN_OR_RETURN_IMPL_(return_keyword, temporary, target, expression) \
  auto temporary = (expression);                                                     \
  if (!temporary.ok()) return_keyword temporary.status();                            \
  target = *std::move(temporary)

#define CALICO_RETURN_IF_ERROR(...) CALICO_RETURN_IF_ERROR_IMPL_(return, (__VA_ARGS__))
#define CALICO_CO_RETURN_IF_ERROR(...) CALICO_RETURN_IF_ERROR_IMPL_(co_return, (__VA_ARGS__))
#define CALICO_ASSIGN_OR_RETURN(target, ...)                                             \
  CALICO_ASSIGN_OR_RETURN_IMPL_(return, CALICO_MACRO_JOIN(calico_or_, __LINE__), target, \
                                      (__VA_ARGS__))
#define CALICO_CO_ASSIGN_OR_RETURN(target, ...)                                             \
  CALICO_ASSIGN_OR_RETURN_IMPL_(co_return, CALICO_MACRO_JOIN(calico_or_, __LINE__), target, \
                                (__VA_ARGS__))

#endif  // CALICO_PKG_BASE_STATUS_MACROS_H_
