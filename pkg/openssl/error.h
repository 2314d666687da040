// OpenSSL's per-thread error queue, emptied into a Status.
//
// A queue left full would be read by the next TLS operation of the same thread as its own failure,
// so every public function of pki holds an ErrorScope, and TLS empties it before each step.
#ifndef CALICO_PKG_OPENSSL_ERROR_H_
#define CALICO_PKG_OPENSSL_ERROR_H_

#include <string>
#include <string_view>

#include <absl/status/status.h>

namespace calico::openssl {

// Empties the error queue when it goes out of scope.
class ErrorScope {
 public:
  ErrorScope() = default;
  ~ErrorScope();
  ErrorScope(const ErrorScope&) = delete;
  ErrorScope& operator=(const ErrorScope&) = delete;
};

// `context: reason; reason`, the queue's reasons with the earliest first; the queue is empty after.
// Reasons are the library's fixed texts: no data of the input gets into the message.
absl::Status TakeError(absl::StatusCode code, std::string_view context);

// The reason of the earliest error, which is the root cause; the queue is empty after.
std::string TakeReason();

}  // namespace calico::openssl

#endif  // CALICO_PKG_OPENSSL_ERROR_H_
