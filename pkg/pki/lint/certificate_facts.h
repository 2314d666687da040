// What a certificate says beside what Certificate shows: for people who look at one, and for rules
// about its form. Programs that decide by certificates need none of it.
#ifndef CALICO_PKG_PKI_LINT_CERTIFICATE_FACTS_H_
#define CALICO_PKG_PKI_LINT_CERTIFICATE_FACTS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "pkg/pki/certificate.h"

namespace calico::pki {

struct ExtensionFact {
  std::string oid;
  std::string name;  // the library's long name, or the identifier
  bool is_critical = false;
};

struct CertificateFacts {
  int version = 3;
  std::string signature_algorithm;  // "ecdsa-with-SHA256", as openssl prints it
  bool has_weak_signature = false;  // MD5, SHA-1 or older
  bool is_serial_negative = false;
  bool is_serial_zero = false;
  size_t serial_octets = 0;
  // UTCTime through 2049 and GeneralizedTime after, RFC 5280 4.1.2.5.
  bool has_times_by_rfc = true;
  std::vector<ExtensionFact> extensions;  // in their order
  // Words for alternative names of kinds that Certificate does not show: "otherName", ...
  std::vector<std::string> other_name_kinds;
  std::vector<std::string> crl_urls;
  std::vector<std::string> ocsp_urls;
  std::vector<std::string> issuer_urls;

  // Null if there is no such extension.
  const ExtensionFact* Find(std::string_view oid) const;
};

CertificateFacts ReadFacts(const Certificate& certificate);

// All of it as text, as `openssl x509 -text` prints it.
std::string CertificateText(const Certificate& certificate);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_LINT_CERTIFICATE_FACTS_H_
