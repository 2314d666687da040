// Is the certificate that a signer issued one that its owner can use?
//
// What is demanded is what peers look at, and no more: the common name, the DNS names, and the side
// of a TLS connection that the owner is on. IP addresses are not: who dials by name checks names,
// and a signer may leave addresses out.
#ifndef CALICO_PKG_PKI_CERTIFICATE_DEMAND_H_
#define CALICO_PKG_PKI_CERTIFICATE_DEMAND_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <absl/types/span.h>

#include "pkg/pki/certificate.h"
#include "pkg/pki/key.h"
#include "pkg/pki/verify.h"

namespace calico::pki {

// Views: what they show outlives the call.
struct CertificateDemand {
  std::string_view common_name;
  absl::Span<const std::string> dns_names;
  // Each must be allowed. A certificate without the extension allows all, as RFC 5280, section
  // 4.2.1.12 restricts a key only where the extension is present.
  absl::Span<const ExtendedKeyUsage> usages;
};

// Checks, in this order: PEM and form, key (unless it is nullptr), validity at `now`, extended key
// usages, chain to one of `roots` (unless there are none) with their name constraints, names.
// `certificate_pem` is the leaf first, then intermediates.
// Errors: kFailedPrecondition, "check extended key usages: clientAuth is missing, ...".
absl::Status MeetsDemand(std::string_view certificate_pem, const PublicKey* key,
                         const CertificateDemand& demand, const std::vector<Certificate>& roots,
                         absl::Time now);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_CERTIFICATE_DEMAND_H_
