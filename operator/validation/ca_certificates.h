// Is this the certificate, or several, of a CA that will do for Calico? The operator asks it of
// caCert before anything is rolled out, the signer of its file before anything is signed.
#ifndef CALICO_OPERATOR_VALIDATION_CA_CERTIFICATES_H_
#define CALICO_OPERATOR_VALIDATION_CA_CERTIFICATES_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "pkg/base/ip_address.h"
#include "pkg/pki/ca/ca_check.h"
#include "pkg/pki/certificate.h"

namespace calico::validation {

struct CaVerdict {
  std::vector<std::string> problems;
  std::vector<pki::Certificate> certificates;  // empty when there are problems
  std::vector<std::string> warnings;           // of a CA that does: it ends soon, is in a rollover
  absl::Time recheck_at = absl::InfiniteFuture();
};

// What calico-node and calico-typha need of the CA of their certificates, whichever names those
// have: both usages.
pki::CaDemands CalicoUsages();

// ... and the names that they ask for, with the addresses that are known of the hosts.
pki::CaDemands CalicoDemands(std::span<const base::IpAddress> node_addresses);

// `text` is caCert after base64 decoding: whatever the user put there. No message quotes it.
CaVerdict CheckCaCertificates(std::string_view text, const pki::CaDemands& demands, absl::Time now);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_CA_CERTIFICATES_H_
