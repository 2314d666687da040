#include "pkg/pki/compose/key_generation.h"

#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "pkg/openssl/error.h"
#include "pkg/openssl/handles.h"
#include "pkg/pki/internal/key_access.h"

namespace calico::pki {
namespace {

absl::Status Refuse(std::string_view cause) {
  return absl::InvalidArgumentError(fmt::format("generate key: {}", cause));
}

absl::StatusOr<openssl::EvpPkeyPtr> Generate(KeyFamily family, int bits) {
  switch (family) {
    case KeyFamily::kRsa:
      if (bits < kMinRsaBits || bits > kMaxRsaBits) {
        return Refuse(
            fmt::format("an RSA key has {} to {} bits, not {}", kMinRsaBits, kMaxRsaBits, bits));
      }
      if (bits % 2 != 0)
        return Refuse(fmt::format("an RSA key has an even number of bits, not {}", bits));
      return openssl::EvpPkeyPtr(EVP_RSA_gen(static_cast<size_t>(bits)));
    case KeyFamily::kEcdsa:
      if (bits == 256) return openssl::EvpPkeyPtr(EVP_EC_gen("P-256"));
      if (bits == 384) return openssl::EvpPkeyPtr(EVP_EC_gen("P-384"));
      if (bits == 521) return openssl::EvpPkeyPtr(EVP_EC_gen("P-521"));
      return Refuse(fmt::format("there is no ECDSA curve of {} bits, but 256, 384, 521", bits));
    case KeyFamily::kEd25519:
      return openssl::EvpPkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    case KeyFamily::kOther:
      break;
  }
  return Refuse("neither RSA, ECDSA nor Ed25519");
}

}  // namespace

absl::StatusOr<PrivateKey> GenerateKey(KeyFamily family, int bits) {
  const openssl::ErrorScope scope;
  absl::StatusOr<openssl::EvpPkeyPtr> key = Generate(family, bits);
  if (!key.ok()) return key.status();
  if (*key == nullptr) return openssl::TakeError(absl::StatusCode::kInternal, "generate key");
  return internal::KeyAccess::Adopt(*std::move(key));
}

}  // namespace calico::pki
