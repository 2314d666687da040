// The OpenSSL side of keys, for the other files of pki.
#ifndef CALICO_PKG_PKI_INTERNAL_KEY_ACCESS_H_
#define CALICO_PKG_PKI_INTERNAL_KEY_ACCESS_H_

#include <string>

#include <absl/status/statusor.h>

#include "pkg/openssl/handles.h"
#include "pkg/pki/key.h"

namespace calico::pki::internal {

// A key as the library decoded it, which costs more than a signature does: so it is done once.
struct PublicKeyHandle {
  openssl::X509PubkeyPtr info;
  // Of a key that was not decoded but taken from another one; else null, and `info` has it.
  openssl::EvpPkeyPtr own;
};

struct KeyAccess {
  // Lifetime: that of `key`. OpenSSL takes non-const pointers for signing, which changes only state
  // that it locks itself.
  static EVP_PKEY* Handle(const PrivateKey& key);
  // Null for a kind of key that the library does not know.
  static EVP_PKEY* Handle(const PublicKey& key);
  static const X509_PUBKEY* Info(const PublicKey& key);

  // Errors: InvalidArgument, as PublicKey::ParseDer.
  static absl::StatusOr<PublicKey> FromInfo(const X509_PUBKEY* info);
  // The public part alone, whatever else `key` holds.
  static absl::StatusOr<PublicKey> FromEvp(const EVP_PKEY* key);

  // A key that the library made or read elsewhere. Its numbers are not checked against each other.
  // Requires: not null. Errors: InvalidArgument, when its public part does not encode.
  static absl::StatusOr<PrivateKey> Adopt(openssl::EvpPkeyPtr key);

 private:
  static absl::StatusOr<PublicKey> FromNamedCurve(const EVP_PKEY* evp, std::string name);
};

// Null stands for "the key's own" (Ed25519).
const EVP_MD* DigestOf(SignatureAlgorithm algorithm);

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_INTERNAL_KEY_ACCESS_H_
