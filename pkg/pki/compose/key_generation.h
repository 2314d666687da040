// Keys of any size that people ask a certificate tool for. Programs of the cluster choose from
// KeyAlgorithm (key.h).
#ifndef CALICO_PKG_PKI_COMPOSE_KEY_GENERATION_H_
#define CALICO_PKG_PKI_COMPOSE_KEY_GENERATION_H_

#include <absl/status/statusor.h>

#include "pkg/pki/key.h"

namespace calico::pki {

inline constexpr int kMinRsaBits = 2048;
inline constexpr int kMaxRsaBits = 8192;

// `bits`: RSA 2048 to 8192, any even number between (the library halves it); ECDSA 256, 384, 521;
// ignored for Ed25519. Errors: InvalidArgument for another size or family; Internal when the
// library fails. Blocking: CPU only, as PrivateKey::Generate.
absl::StatusOr<PrivateKey> GenerateKey(KeyFamily family, int bits);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_COMPOSE_KEY_GENERATION_H_
