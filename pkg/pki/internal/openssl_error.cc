#include "pkg/pki/internal/openssl_error.h"

#include <string>

#include <fmt/format.h>
#include <openssl/err.h>

namespace calico::pki::internal {
namespace {
constexpr int kMaxReasons = 3;
}

ErrorScope::~ErrorScope() { ERR_clear_error(); }

absl::Status OpensslError(absl::StatusCode code, std::string_view context) {
  std::string message(context);
  std::string_view separator = ": ";
  std::string previous;
  int reasons = 0;
  while (const unsigned long error = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(error);
    if (reason == nullptr || reasons == kMaxReasons || previous == reason) continue;
    message += fmt::format("{}{}", separator, reason);
    separator = "; ";
    previous = reason;
    ++reasons;
  }
  return absl::Status(code, message);
}

}  // namespace calico::pki::internal
