// How long a stranger's file may make us compute: iteration counts are read before they are obeyed.
#ifndef CALICO_PKG_PKI_INTERNAL_KDF_COST_H_
#define CALICO_PKG_PKI_INTERNAL_KDF_COST_H_

#include <cstdint>
#include <string>

#include <absl/status/status.h>

#include "pkg/openssl/handles.h"

namespace calico::pki::internal {

// What one file may cost: ten million iterations together, some seconds; files in use have up to a
// million. Counted are PBES1, PBES2 with PBKDF2, and the derivation of PKCS#12. scrypt is bounded
// by the library, and what is no known scheme is left to the library's error.
class KdfBudget {
 public:
  // Errors: ResourceExhausted. A null pointer costs nothing.
  absl::Status Spend(const X509_ALGOR* algorithm);
  absl::Status Spend(const ASN1_INTEGER* iterations);

 private:
  int64_t left_ = 10'000'000;
};

// The algorithm's name for messages, with what it encrypts by for PBES2: "PBES2 (aes-256-cbc)".
std::string EncryptionName(const X509_ALGOR* algorithm);

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_INTERNAL_KDF_COST_H_
