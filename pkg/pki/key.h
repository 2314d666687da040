// Key pairs: generate, read, write, compare, judge. RSA 2048/4096/8192, ECDSA P-256/384/521;
// Ed25519 is read and used but not generated.
//
//   CALICO_ASSIGN_OR_RETURN(PrivateKey key, PrivateKey::Generate(KeyAlgorithm::kEcdsaP256));
//   WriteFile("tls.key", key.ToPem().view());
//
// Threading: const methods may be called from several threads at once; Generate and ParsePem may
// run on any thread. Keys are the library's own (EVP_PKEY generation): a FIPS build of OpenSSL
// makes them inside its module. Generating an RSA key takes CPU time: about 0.1 s (2048 bits), 1 s
// (4096) and 15 s (8192), with a wide spread, so hand it to a thread pool where something else
// waits.
#ifndef CALICO_PKG_PKI_KEY_H_
#define CALICO_PKG_PKI_KEY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "pkg/base/secret_string.h"

namespace calico::pki {

enum class KeyAlgorithm { kRsa2048, kRsa4096, kRsa8192, kEcdsaP256, kEcdsaP384, kEcdsaP521 };

enum class SignatureAlgorithm {
  kSha256WithRsa,
  kSha384WithRsa,
  kSha512WithRsa,
  kEcdsaWithSha256,
  kEcdsaWithSha384,
  kEcdsaWithSha512,
};

enum class KeyFamily { kRsa, kEcdsa, kEd25519, kOther };

KeyFamily FamilyOf(KeyAlgorithm algorithm);
KeyFamily FamilyOf(SignatureAlgorithm algorithm);

// SHA-256 with the family's own scheme.
// Requires: kRsa or kEcdsa; the other families have no choice of hash.
SignatureAlgorithm DefaultSignature(KeyFamily family);

// For messages: "RSA-2048", "ECDSA-P256"; "SHA256-RSA", "ECDSA-SHA256"; "RSA", "ECDSA", "Ed25519",
// "other".
std::string_view ToString(KeyAlgorithm algorithm);
std::string_view ToString(SignatureAlgorithm algorithm);
std::string_view ToString(KeyFamily family);

namespace internal {
struct KeyAccess;
struct PublicKeyHandle;
}  // namespace internal

// A public key as a value; copies share what the library decoded. A key of a kind that we do not
// know is kept as bytes (kOther), so that a certificate bundle with one exotic entry can still be
// read.
class PublicKey {
 public:
  // Reads a DER SubjectPublicKeyInfo. Errors: InvalidArgument if it is not one, or has more bytes.
  static absl::StatusOr<PublicKey> ParseDer(std::string_view subject_public_key_info);

  KeyFamily family() const { return family_; }
  // Modulus or field size in bits; 0 for kOther.
  int bits() const { return bits_; }
  // "P-256", "P-384", "P-521", or the library's name of another named curve; empty when the family
  // is not kEcdsa, or when the key spells out its curve instead of naming it.
  const std::string& curve() const { return curve_; }
  // DER SubjectPublicKeyInfo.
  const std::string& der() const { return der_; }
  // "RSA-2048", "ECDSA-P256", "Ed25519", for messages.
  std::string Description() const;

  // OK for what we let into a certificate: RSA of 2048 to 8192 bits with an odd exponent of 65537
  // up to 2^64, ECDSA on P-256, P-384 or P-521, Ed25519. Errors: InvalidArgument naming what is
  // wrong.
  absl::Status CheckStrength() const;

  // Same key, whatever its encoding (compressed point, absent parameters).
  friend bool operator==(const PublicKey& a, const PublicKey& b);

 private:
  friend struct internal::KeyAccess;
  PublicKey() = default;

  std::string der_;
  KeyFamily family_ = KeyFamily::kOther;
  int bits_ = 0;
  std::string curve_;
  uint64_t rsa_exponent_ = 0;  // 0: not RSA, or larger than 64 bits
  std::shared_ptr<const internal::PublicKeyHandle> handle_;
};

// A private key: move-only, wiped when destroyed, not printable. A moved-from key may only be
// assigned to or destroyed.
class PrivateKey {
 public:
  // Makes a key from the library's private random generator.
  // Errors: Internal when the library fails. Blocking: CPU only, see the file comment.
  static absl::StatusOr<PrivateKey> Generate(KeyAlgorithm algorithm);

  // Reads one unencrypted key: `RSA PRIVATE KEY` (PKCS#1), `EC PRIVATE KEY` (SEC1) or `PRIVATE KEY`
  // (PKCS#8). Text, EC PARAMETERS and certificates around it are skipped, as tools write them into
  // one file. The numbers of the key are checked against each other.
  // Errors: InvalidArgument: no key, several keys, an encrypted key, a damaged or inconsistent one.
  static absl::StatusOr<PrivateKey> ParsePem(std::string_view pem);

  ~PrivateKey();
  PrivateKey(PrivateKey&&) noexcept;
  PrivateKey& operator=(PrivateKey&&) noexcept;

  // PKCS#1 for RSA, SEC1 for ECDSA (named curve, no EC PARAMETERS block), PKCS#8 otherwise.
  base::SecretString ToPem() const;

  const PublicKey& public_key() const;
  KeyFamily family() const { return public_key().family(); }

 private:
  friend struct internal::KeyAccess;
  struct Impl;
  explicit PrivateKey(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_KEY_H_
