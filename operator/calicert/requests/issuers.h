// Where a certificate for a CertificateSigningRequest comes from: a CA in two files, by
// kube-controller-manager's rules or by a profile of a cfssl configuration; or somebody else.
#ifndef CALICO_OPERATOR_CALICERT_REQUESTS_ISSUERS_H_
#define CALICO_OPERATOR_CALICERT_REQUESTS_ISSUERS_H_

#include <functional>
#include <string>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/calicert/command/terminal.h"
#include "operator/calicert/requests/signing.h"
#include "operator/config/flags.h"
#include "pkg/pki/certificate.h"

namespace calico::calicert::requests {

struct IssuerOptions {
  std::string ca_file;
  std::string ca_key_file;
  std::string config_file;  // empty: kube-controller-manager's rules
  std::string profile;
  absl::Duration duration = kControllerDuration;
};

// Optional: without a key somebody else signs, and --ca only says whom clients trust.
enum class CaKey { kNeeded, kOptional };

// Adds --ca, --ca-key, --config, --profile and --duration. `target` outlives `flags`.
void AddIssuerFlags(config::Flags& flags, IssuerOptions* target, CaKey key = CaKey::kNeeded);

struct CertificateSource {
  Issuer issue;
  // Whether a certificate that is stored already is as good as one of `issue`.
  std::function<bool(const pki::Certificate& leaf)> will_do;
};

// Reads CA and configuration. What is worth knowing is told on `terminal`: the profile, where it
// and spec.usages differ, a certificate that the CA cuts short. `terminal` outlives the result.
// Errors: of the files, with their names.
absl::StatusOr<CertificateSource> MakeIssuer(const IssuerOptions& options, Terminal& terminal);

// The certificate of a file, leaf first. Errors: what `pem` holds, or that it is no certificate.
absl::StatusOr<CertificateSource> IssuedElsewhere(absl::StatusOr<std::string> pem);

}  // namespace calico::calicert::requests

#endif  // CALICO_OPERATOR_CALICERT_REQUESTS_ISSUERS_H_
