// Signing a CertificateSigningRequest with a CA of one's own, by the rules of kube-controller-
// manager's signers: usages as spec.usages says, validity as spec.expirationSeconds says, both cut
// to what the CA can give; or by a profile of a cfssl configuration.
#ifndef CALICO_OPERATOR_CALICERT_REQUESTS_SIGNING_H_
#define CALICO_OPERATOR_CALICERT_REQUESTS_SIGNING_H_

#include <functional>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/calicert/cluster/cluster.h"
#include "pkg/aio/task.h"
#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/certificate_request.h"
#include "pkg/pki/issue.h"
#include "pkg/pki/key.h"
#include "pkg/pki/usage.h"

namespace calico::calicert::requests {

// What kube-controller-manager signs for at most unless it is told otherwise.
inline constexpr absl::Duration kControllerDuration = absl::Hours(8760);

struct CaFiles {
  std::vector<pki::Certificate> chain;  // the one that signs, then those above it
  pki::PrivateKey key;
};

// The CA of two PEM files. Of several certificates the valid one that is for the key signs, and
// those above it go into what it issues. `notes`: which are left out and why.
// Errors: with the file's name: unreadable, expired, key of another certificate.
absl::StatusOr<CaFiles> ReadCaFiles(const std::string& certificate_file,
                                    const std::string& key_file, absl::Time now,
                                    std::vector<std::string>& notes);

// The same as what signs. Errors also: no CA, weak.
absl::StatusOr<pki::CertificateAuthority> LoadAuthority(const std::string& certificate_file,
                                                        const std::string& key_file, absl::Time now,
                                                        std::vector<std::string>& notes);

struct CertificateUsages {
  pki::KeyUsages key_usages;
  std::vector<std::string> extended;  // object identifiers, sorted, each once

  friend bool operator==(const CertificateUsages&, const CertificateUsages&) = default;
};
// Of spec.usages. Names that are not known are left out: the API server has refused them.
CertificateUsages UsagesOf(const api::CertificateSigningRequest& csr);

// OK when the request may be signed. Errors: FailedPrecondition: denied, failed; not approved,
// unless `unapproved`.
absl::Status CheckSignable(const api::CertificateSigningRequest& csr, bool unapproved);

// What kube-controller-manager would put into the certificate: subject and names of the request,
// usages of the spec, no more than `longest`. What is left out of it is told in `notes`.
// Errors: InvalidArgument: the request is broken, its signature or key weak, it has names of a kind
// that cannot be copied; or one of the rules of the four signers kubernetes.io/*.
absl::StatusOr<pki::CertificateTemplate> PlanAsController(const api::CertificateSigningRequest& csr,
                                                          const pki::CertificateRequest& request,
                                                          absl::Duration longest, absl::Time now,
                                                          std::vector<std::string>& notes);

// Gives the PEM text for status.certificate: leaf first. Called again after a conflict.
using Issuer = std::function<absl::StatusOr<std::string>(const api::CertificateSigningRequest& csr,
                                                         const pki::CertificateRequest& request)>;

struct SignOptions {
  bool unapproved = false;  // before the approval, as Calico's document does it
  std::string uid;          // only of this object; empty: of whatever has the name
};

struct Signed {
  bool is_new = true;  // false: it had a certificate already that will do
  std::string certificate_pem;
};

// Issues and stores the certificate; begins anew when somebody else changed the object meanwhile.
// `will_do` says whether a certificate that is there already is as good. Errors: of CheckSignable,
// of the issuer, of the client; AlreadyExists when another certificate is there: the API server
// never takes a second one; FailedPrecondition when what was issued is for another key.
aio::Task<absl::StatusOr<Signed>> SignInCluster(
    Cluster& cluster, std::string name, SignOptions options, Issuer issuer,
    std::function<bool(const pki::Certificate& leaf)> will_do);

// The first certificate of status.certificate. Errors: FailedPrecondition: none was issued yet.
absl::StatusOr<pki::Certificate> IssuedLeaf(const api::CertificateSigningRequest& csr);

}  // namespace calico::calicert::requests

#endif  // CALICO_OPERATOR_CALICERT_REQUESTS_SIGNING_H_
