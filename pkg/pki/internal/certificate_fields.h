// Fields of a certificate that is being made, for whoever makes one.
#ifndef CALICO_PKG_PKI_INTERNAL_CERTIFICATE_FIELDS_H_
#define CALICO_PKG_PKI_INTERNAL_CERTIFICATE_FIELDS_H_

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "pkg/openssl/handles.h"
#include "pkg/pki/key.h"

namespace calico::pki::internal {

// Errors: InvalidArgument for a time that cannot be encoded.
absl::Status SetTime(ASN1_TIME* field, absl::Time time);

// Of a certificate or a request. X509_set_pubkey would encode the key and decode it again, which
// takes longer than signing. Errors: Internal.
absl::Status SetPublicKey(X509_PUBKEY* target, const PublicKey& key);

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_INTERNAL_CERTIFICATE_FIELDS_H_
