// Base64 (RFC 4648), standard and URL-safe alphabet, with and without padding.
#ifndef CALICO_PKG_BASE_BASE64_H_
#define CALICO_PKG_BASE_BASE64_H_

#include <cstddef>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

namespace calico::base {

enum class Base64 {
  kStandard,     // Padded: []byte in Kubernetes' JSON, data fields of a kubeconfig.
  kStandardRaw,  // Unpadded.
  kUrl,          // Padded.
  kUrlRaw,       // Unpadded: parts of a JWT.
  kPem,          // As kStandard; decoding skips spaces and tabs, too: the body of a PEM block.
};

std::string Base64Encode(std::string_view bytes, Base64 variant = Base64::kStandard);

// Strict: the padding is as `variant` says, unused bits are zero, no foreign character. Carriage
// return and newline are skipped, as Go does it (a user may wrap caCert).
// Errors: InvalidArgument with the offset; the text never shows in the message.
absl::StatusOr<std::string> Base64Decode(std::string_view text, Base64 variant = Base64::kStandard);

// An upper bound of the bytes that `text_bytes` characters of base64 decode to.
constexpr std::size_t Base64Bound(std::size_t text_bytes) { return text_bytes / 4 * 3 + 3; }

// Decodes into the caller's `out` of Base64Bound(text.size()) bytes and returns how many were
// written. For keys: no copy is left elsewhere. Errors: as Base64Decode; `out` may be partly
// written then.
absl::StatusOr<std::size_t> Base64DecodeTo(std::string_view text, char* out,
                                           Base64 variant = Base64::kStandard);

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_BASE64_H_
