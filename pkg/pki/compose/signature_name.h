// The signature algorithm of a certificate or request by the name that Go prints.
#ifndef CALICO_PKG_PKI_COMPOSE_SIGNATURE_NAME_H_
#define CALICO_PKG_PKI_COMPOSE_SIGNATURE_NAME_H_

#include <string>

#include "pkg/pki/certificate.h"
#include "pkg/pki/certificate_request.h"

namespace calico::pki {

// "SHA256WithRSA", "ECDSAWithSHA256", "Ed25519"; OpenSSL's name of another one.
std::string GoSignatureName(const Certificate& certificate);
std::string GoSignatureName(const CertificateRequest& request);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_COMPOSE_SIGNATURE_NAME_H_
