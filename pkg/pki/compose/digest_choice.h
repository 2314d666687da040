// Which hash goes with a key, for the files of this folder.
#ifndef CALICO_PKG_PKI_COMPOSE_DIGEST_CHOICE_H_
#define CALICO_PKG_PKI_COMPOSE_DIGEST_CHOICE_H_

#include <openssl/evp.h>

#include "pkg/pki/key.h"

namespace calico::pki::internal {

// SHA-256 for RSA below 3072 bits and P-256, SHA-384 for RSA below 4096 and P-384, else SHA-512.
// Null for Ed25519, which has its own.
inline const EVP_MD* DigestBySize(const PublicKey& key) {
  if (key.family() == KeyFamily::kEd25519) return nullptr;
  if (key.family() == KeyFamily::kRsa) {
    if (key.bits() >= 4096) return EVP_sha512();
    return key.bits() >= 3072 ? EVP_sha384() : EVP_sha256();
  }
  if (key.curve() == "P-521") return EVP_sha512();
  return key.curve() == "P-384" ? EVP_sha384() : EVP_sha256();
}

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_COMPOSE_DIGEST_CHOICE_H_
