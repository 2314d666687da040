// What is wrong with a certificate, by the rules of RFC 5280 and of the CA/Browser Forum that make
// somebody refuse it or surprise its owner, and by the limits of Go, in which the API server, etcd
// and Calico are written. Rules of style that bite nobody are left out.
#ifndef CALICO_PKG_PKI_LINT_CERTIFICATE_LINT_H_
#define CALICO_PKG_PKI_LINT_CERTIFICATE_LINT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "pkg/pki/certificate.h"

namespace calico::pki {

enum class Severity {
  kNotice,   // worth knowing
  kWarning,  // some programs refuse it, or it will surprise
  kError,    // refused by what must take it, or forbidden by RFC 5280
};

// "notice", "warning", "error".
std::string_view ToString(Severity severity);

struct Finding {
  Severity severity = Severity::kError;
  std::string rule;     // stable, for scripts: "serial-negative"
  std::string message;  // what and what to do, one phrase
};

// All findings, the worst first. Without `now` nothing is said about expiry.
std::vector<Finding> LintCertificate(const Certificate& certificate, std::optional<absl::Time> now);

// Why no TLS client can match this DNS name, and what to write; nothing for a good one. A wildcard
// in the first label is good.
std::optional<std::string> DnsNameFault(std::string_view name);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_LINT_CERTIFICATE_LINT_H_
