// spec.certificateManagement: the CA, the signer's name, the algorithms.
#ifndef CALICO_OPERATOR_VALIDATION_CERTIFICATE_RULES_H_
#define CALICO_OPERATOR_VALIDATION_CERTIFICATE_RULES_H_

#include <span>

#include <absl/time/time.h>

#include "operator/validation/installation.h"
#include "pkg/api/operator/installation.h"
#include "pkg/base/ip_address.h"

namespace calico::validation {

// Adds problems, warnings and the certificates to `verdict`.
void CheckCertificateManagement(const api::CertificateManagement& management, absl::Time now,
                                std::span<const base::IpAddress> node_addresses,
                                InstallationVerdict& verdict);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_CERTIFICATE_RULES_H_
