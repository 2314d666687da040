// RSA key pairs from primes of our own search (prime_search.h says why and why that is sound), and
// the check that the numbers of a key belong together.
#ifndef CALICO_PKG_PKI_INTERNAL_RSA_KEY_H_
#define CALICO_PKG_PKI_INTERNAL_RSA_KEY_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "pkg/pki/internal/openssl_ptr.h"

namespace calico::pki::internal {

// The numbers of a two-prime key, in secure memory; p > q when made here.
struct RsaNumbers {
  BnPtr n, e, d, p, q, dp, dq, qinv;
};

// A key with exponent 65537 by FIPS 186-5 A.1.1 and A.1.3: primes as PrimeSearch makes them,
// |p - q| > 2^(bits/2 - 100), d = e^-1 mod lcm(p-1, q-1) > 2^(bits/2). Before it is returned, its
// numbers are checked against each other (CheckRsaNumbers) and a signature made with it is
// verified. Not used for that: EVP_PKEY_check and EVP_PKEY_pairwise_check, which would test both
// primes again, with 64 to 128 rounds. Requires: `bits` is 2048, 4096 or 8192. Errors: Internal.
absl::StatusOr<EvpPkeyPtr> GenerateRsaKey(int bits);

// Errors: InvalidArgument if the key lacks a number (CRT parts included).
absl::StatusOr<RsaNumbers> ReadRsaNumbers(const EVP_PKEY* key);

// n = p * q with p != q, d * e = 1 mod p-1 and mod q-1, dp = d mod p-1, dq = d mod q-1 and
// qinv * q = 1 mod p. It says nothing about p and q being prime.
// Errors: InvalidArgument naming the relation; Internal when the library fails.
absl::Status CheckRsaNumbers(const RsaNumbers& numbers);

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_INTERNAL_RSA_KEY_H_
