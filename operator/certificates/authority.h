// The operator as CA: reads tigera-ca-private, makes it where there is none, signs with it.
#ifndef CALICO_OPERATOR_CERTIFICATES_AUTHORITY_H_
#define CALICO_OPERATOR_CERTIFICATES_AUTHORITY_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/functional/function_ref.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/certificates/demands.h"
#include "pkg/api/core/secret.h"
#include "pkg/base/secret_string.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/issue.h"
#include "pkg/pki/key.h"

namespace calico::certificates {

using KeySource = absl::FunctionRef<absl::StatusOr<pki::PrivateKey>(pki::KeyAlgorithm)>;

struct Authority {
  std::string certificate_pem;  // tls.crt as it is
  base::SharedSecret key_pem;
  std::vector<pki::Certificate> certificates;       // of certificate_pem, in its order
  std::optional<pki::CertificateAuthority> signer;  // absent: nothing can be signed
  // Phrases that follow the Secret's name.
  std::string problem;  // why not
  std::vector<std::string> warnings;

  // The leaf was signed with this CA's key.
  bool HasIssued(const pki::Certificate& leaf) const;
  // It looks like one that the operator makes: its own name, signed by itself. Any other one is the
  // user's.
  bool IsOperators() const;
  // When Issue begins to fail. Requires: signer.
  absl::Time not_after() const { return signer->not_after(); }
};

// Never fails: what is wrong is in `problem`. A key that is `withheld` (not empty) cannot sign,
// and nothing is wrong with that.
Authority ReadAuthority(const api::Secret& secret, absl::Time now, std::string_view withheld = {});

// A new one: RSA 2048, as Calico's own operator makes it and needs it to go on signing, for 100
// years. Errors: Internal, or of `new_key`.
absl::StatusOr<Authority> MakeAuthority(absl::Time now, KeySource new_key);

struct IssuedPair {
  pki::Certificate leaf;
  std::string certificate_pem;  // the leaf, then the CA
  base::SharedSecret key_pem;   // PKCS#1
};

// When a leaf that is issued at `now` ends: after kLeafLifetime, or with the CA.
absl::Time LeafEnd(const Authority& authority, absl::Time now);

// Errors: as pki::CertificateAuthority::Issue, or of `new_key`. Requires: authority.signer.
absl::StatusOr<IssuedPair> IssuePair(const Authority& authority, const KeyPairDemand& demand,
                                     absl::Time now, KeySource new_key);

}  // namespace calico::certificates

#endif  // CALICO_OPERATOR_CERTIFICATES_AUTHORITY_H_
