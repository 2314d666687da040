// Keys on P-256, P-384 and P-521, taken apart and put together here.
//
// The library's encoders and decoders do this for every kind of key. A process that needs them for
// the first time has to set all of them up, which takes longer than making the key and signing with
// it: a program that makes one key and ends is twice as fast without them.
#ifndef CALICO_PKG_PKI_INTERNAL_NAMED_CURVE_H_
#define CALICO_PKG_PKI_INTERNAL_NAMED_CURVE_H_

#include <string>

#include "pkg/base/secret_string.h"
#include "pkg/openssl/handles.h"

namespace calico::pki::internal {

// "P-256", "P-384", "P-521", or the library's name of another named curve; empty for a key that
// spells out its curve, and for one that has none.
std::string CurveOf(const EVP_PKEY* key);

// The identifier of one of the three curves; NID_undef for every other name.
int NistCurve(const std::string& name);

// SubjectPublicKeyInfo, the same as the library's. Null when the library fails.
// Requires: NistCurve(CurveOf(key)) is `curve`, and no NID_undef.
openssl::X509PubkeyPtr PublicInfoOf(const EVP_PKEY* key, int curve);

// A key of its own, of the public part alone. Null when the library fails.
// Requires: as PublicInfoOf.
openssl::EvpPkeyPtr PublicPartOf(const EVP_PKEY* key, int curve);

// ECPrivateKey with the name of the curve and the public point (RFC 5915); empty when the library
// fails. Requires: as PublicInfoOf, and the key has its private part.
base::SecretString Sec1Of(const EVP_PKEY* key, int curve);

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_INTERNAL_NAMED_CURVE_H_
