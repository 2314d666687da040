// Does a certificate chain to one that we trust, and does it belong to this key?
//
// Whether a name belongs to the peer of a connection is not judged here: that is the TLS layer's.
#ifndef CALICO_PKG_PKI_VERIFY_H_
#define CALICO_PKG_PKI_VERIFY_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <absl/types/span.h>

#include "pkg/pki/certificate.h"
#include "pkg/pki/key.h"

namespace calico::pki {

enum class ExtendedKeyUsage { kServerAuth, kClientAuth, kAny };

// Verifies `leaf` by RFC 5280 at time `now`: signatures, validity, CA bits, path lengths, name
// constraints, unknown critical extensions, purpose, and strength (112 bits: RSA 2048, SHA-256).
// Each certificate of `roots` is a trust anchor of its own, an intermediate CA too; nothing that
// the machine trusts is added. `intermediates` are only material for building the chain. Errors:
// FailedPrecondition naming the check that failed and the certificate's subject (and, for validity,
// the time, for name constraints the constraint and the names); InvalidArgument when `roots` is
// empty. Threading: may run on any thread.
absl::Status VerifyChain(const Certificate& leaf, const std::vector<Certificate>& intermediates,
                         const std::vector<Certificate>& roots, ExtendedKeyUsage purpose,
                         absl::Time now);

// `issuer` issued `certificate`: by names, by what the authority key identifier says (key, issuer
// and serial number), by the issuer's keyUsage and by the signature.
bool IsIssuedBy(const Certificate& certificate, const Certificate& issuer);

// OK when the certificate was made for this key. Errors: FailedPrecondition.
absl::Status KeyMatches(const Certificate& certificate, const PublicKey& key);
absl::Status KeyMatches(const Certificate& certificate, const PrivateKey& key);

// What is asked of a certificate's names. Views: the lists outlive the call.
struct WantedNames {
  std::string_view common_name;
  absl::Span<const std::string> dns_names;
};
// OK when the certificate has this common name and, among others perhaps, all the other names,
// letter by letter. Errors: FailedPrecondition that tells the first difference, such as
// "DNS names: 'a' is missing".
absl::Status NamesMatch(const Certificate& certificate, const WantedNames& wanted);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_VERIFY_H_
