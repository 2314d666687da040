// Certificate revocation lists (RFC 5280 5).
#ifndef CALICO_PKG_PKI_COMPOSE_CRL_H_
#define CALICO_PKG_PKI_COMPOSE_CRL_H_

#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/pki/certificate.h"
#include "pkg/pki/key.h"

namespace calico::pki {

struct RevokedCertificate {
  std::string serial;  // decimal
  absl::Time revoked_at;
};

struct CrlParts {
  std::vector<RevokedCertificate> revoked;
  absl::Time this_update;
  absl::Time next_update;
};

// DER of a version 2 list with the issuer's key identifier, signed by its key with the hash of
// ComposeCertificate.
// Errors: InvalidArgument: a serial number that is none (with its position), or given twice; an end
// that is not after the beginning; a key that is not the issuer's; an issuer that may not sign
// lists. Internal.
absl::StatusOr<std::string> ComposeCrl(const CrlParts& parts, const Certificate& issuer,
                                       const PrivateKey& key);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_COMPOSE_CRL_H_
