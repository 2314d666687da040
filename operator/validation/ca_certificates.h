// Is caCert the certificate, or several, of a CA that can be trusted now?
#ifndef CALICO_OPERATOR_VALIDATION_CA_CERTIFICATES_H_
#define CALICO_OPERATOR_VALIDATION_CA_CERTIFICATES_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "pkg/pki/certificate.h"

namespace calico::validation {

// A CA that ends within this time is worth a warning.
inline constexpr absl::Duration kCaEndsSoon = absl::Hours(30 * 24);

struct CaVerdict {
  std::vector<std::string> problems;
  std::vector<pki::Certificate> certificates;  // empty when there are problems
  std::vector<std::string> warnings;
  absl::Time recheck_at = absl::InfiniteFuture();
};

// `text` is caCert after base64 decoding: whatever the user put there. No message quotes it.
CaVerdict CheckCaCertificates(std::string_view text, absl::Time now);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_CA_CERTIFICATES_H_
