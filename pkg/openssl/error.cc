#include "pkg/openssl/error.h"

#include <string>

#include <fmt/format.h>
#include <openssl/err.h>

namespace calico::openssl {
namespace {
constexpr int kMaxReasons = 3;
}

ErrorScope::~ErrorScope() { ERR_clear_error(); }

absl::Status TakeError(absl::StatusCode code, std::string_view context) {
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

std::string TakeReason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown TLS error";
  if (const char* reason = ERR_reason_error_string(code)) return reason;
  return fmt::format("TLS error {:#x}", code);
}

}  // namespace calico::openssl
