// Base64 (RFC 4648), standard and URL-safe alphabet, with and without padding.
#ifndef CALICO_PKG_CODEC_BASE64_H_
#define CALICO_PKG_CODEC_BASE64_H_

#include <string>
#include <string_view>

#include <absl/status/statusor.h>

namespace calico::codec {

enum class Base64 {
  kStandard,     // Padded: []byte in Kubernetes' JSON, data fields of a kubeconfig.
  kStandardRaw,  // Unpadded.
  kUrl,          // Padded.
  kUrlRaw,       // Unpadded: parts of a JWT.
};

std::string Base64Encode(std::string_view bytes, Base64 variant = Base64::kStandard);

// Strict: the padding is as `variant` says, unused bits are zero, no foreign character. Carriage
// return and newline are skipped, as Go does it (a user may wrap caCert).
// Errors: InvalidArgument with the offset; the text never shows in the message.
absl::StatusOr<std::string> Base64Decode(std::string_view text, Base64 variant = Base64::kStandard);

}  // namespace calico::codec

#endif  // CALICO_PKG_CODEC_BASE64_H_
