// Is the certificate that the signer gave us the one that we asked for?
#ifndef CALICO_OPERATOR_PROVISION_ISSUED_CERTIFICATE_H_
#define CALICO_OPERATOR_PROVISION_ISSUED_CERTIFICATE_H_

#include <string_view>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "operator/provision/config.h"
#include "pkg/pki/key.h"

namespace calico::provision {

// Checks, in this order: PEM and form, key, validity at `now`, chain to one of config's CA
// certificates (skipped when there are none), common name, every requested DNS name and IP address,
// server and client authentication. A certificate without the extension for extended key usages is
// good for both, as RFC 5280, section 4.2.1.12 restricts a key only where the extension is present.
// `certificate_pem` is the leaf first, then intermediates.
// Errors: kFailedPrecondition naming the check that failed.
absl::Status VerifyIssuedCertificate(std::string_view certificate_pem, const pki::PublicKey& key,
                                     const Config& config, absl::Time now);

// The same for the files of an earlier run, which must also stay valid for a while: a tenth of the
// certificate's life, at most 10 minutes. OK when they can be used as they are.
// Errors: kNotFound when there is no set; kFailedPrecondition naming what does not fit.
absl::Status VerifyExistingSet(const Config& config, absl::Time now);

}  // namespace calico::provision

#endif  // CALICO_OPERATOR_PROVISION_ISSUED_CERTIFICATE_H_
