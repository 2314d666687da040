// Is the certificate that the signer gave us the one that we asked for?
#ifndef CALICO_OPERATOR_PROVISION_ISSUED_CERTIFICATE_H_
#define CALICO_OPERATOR_PROVISION_ISSUED_CERTIFICATE_H_

#include <string_view>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "operator/provision/config.h"
#include "pkg/pki/key.h"

namespace calico::provision {

// pki::MeetsDemand with the names and usages that config asks for, and its CA certificates as
// roots: the chain is not checked when there are none, and IP addresses are not demanded. Errors:
// kFailedPrecondition naming the check that failed.
absl::Status VerifyIssuedCertificate(std::string_view certificate_pem, const pki::PublicKey& key,
                                     const Config& config, absl::Time now);

// The same for the files of an earlier run, which must also stay valid for a while: a tenth of the
// certificate's life, at most 10 minutes. OK when they can be used as they are.
// Errors: kNotFound when there is no set; kFailedPrecondition naming what does not fit.
absl::Status VerifyExistingSet(const Config& config, absl::Time now);

}  // namespace calico::provision

#endif  // CALICO_OPERATOR_PROVISION_ISSUED_CERTIFICATE_H_
