// A certificate like another one, with later dates.
#ifndef CALICO_OPERATOR_CALICERT_CERTIFICATES_RENEWED_H_
#define CALICO_OPERATOR_CALICERT_CERTIFICATES_RENEWED_H_

#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/pki/certificate.h"
#include "pkg/pki/key.h"

namespace calico::calicert {

struct RenewingCa {
  std::vector<pki::Certificate> chain;   // the CA first, then those above it
  const pki::PrivateKey* key = nullptr;  // of chain.front()
  std::string file;                      // for messages
};

struct RenewalDates {
  absl::Time now;
  absl::Duration lifetime;  // zero: that of the old one
};

// Subject, names, usages and all other extensions of `old`, but for the key identifiers, which are
// made anew, and proofs of its publication (SCTs), which are for the old one alone. Begins five
// minutes ago; does not outlive a certificate of `ca`.
// Errors, each with what to do: FailedPrecondition: `ca.key` is not for the CA; not a CA, expired,
// not yet valid, weak; `old` is a self-signed one or was issued by a CA of another name; `key` is
// weak; the result would not be accepted below the CA (path length, name constraints, usages).
absl::StatusOr<pki::Certificate> Renewed(const pki::Certificate& old, const pki::PublicKey& key,
                                         const RenewingCa& ca, const RenewalDates& dates);

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_CERTIFICATES_RENEWED_H_
