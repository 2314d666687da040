// How long certificates last, and how large things may be.
#ifndef CALICO_OPERATOR_CERTIFICATES_LIMITS_H_
#define CALICO_OPERATOR_CERTIFICATES_LIMITS_H_

#include <cstddef>

#include <absl/time/time.h>

namespace calico::certificates {

// So long before its end a certificate is replaced, or warned about.
inline constexpr absl::Duration kRenewBefore = absl::Hours(24 * 30);
// As Calico's own operator has them.
inline constexpr absl::Duration kCaLifetime = absl::Hours(24 * 365 * 100);
inline constexpr absl::Duration kLeafLifetime = absl::Hours(24 * 825);
// Certificates begin so long before they are made, for nodes whose clock is behind.
inline constexpr absl::Duration kBackdate = absl::Minutes(5);

// A ConfigMap holds 1 MiB; Debian's roots are 220 KB.
inline constexpr size_t kMaxSystemRootsBytes = 600 << 10;
inline constexpr size_t kMaxBundleBytes = 1000 << 10;

}  // namespace calico::certificates

#endif  // CALICO_OPERATOR_CERTIFICATES_LIMITS_H_
