// The check that the numbers of an RSA key belong together. It says nothing about p and q being
// prime: EVP_PKEY_check would, with 64 to 128 Miller-Rabin rounds on each, which is a second key
// generation's time for a key that its owner hands us himself.
#ifndef CALICO_PKG_PKI_INTERNAL_RSA_NUMBERS_H_
#define CALICO_PKG_PKI_INTERNAL_RSA_NUMBERS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "pkg/openssl/handles.h"

namespace calico::pki::internal {

// The numbers of a two-prime key; cleared when freed.
struct RsaNumbers {
  openssl::BnPtr n, e, d, p, q, dp, dq, qinv;
};

// Errors: InvalidArgument if the key lacks a number (CRT parts included).
absl::StatusOr<RsaNumbers> ReadRsaNumbers(const EVP_PKEY* key);

// n = p * q with p != q, d * e = 1 mod p-1 and mod q-1, dp = d mod p-1, dq = d mod q-1 and
// qinv * q = 1 mod p.
// Errors: InvalidArgument naming the relation; Internal when the library fails.
absl::Status CheckRsaNumbers(const RsaNumbers& numbers);

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_INTERNAL_RSA_NUMBERS_H_
