// Making certificates: self-signed ones, and those that a CA of ours issues.
//
//   CALICO_ASSIGN_OR_RETURN(CertificateAuthority ca,
//                           CertificateAuthority::Create({ca_certificate}, std::move(ca_key)));
//   CALICO_ASSIGN_OR_RETURN(Certificate leaf, ca.Issue(request.public_key(), wanted, now));
//
// This is mechanism: who may have which name is decided by the caller. Nothing is copied from a
// request; the template is all that goes in.
#ifndef CALICO_PKG_PKI_ISSUE_H_
#define CALICO_PKG_PKI_ISSUE_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/base/ip_address.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/key.h"
#include "pkg/pki/usage.h"

namespace calico::pki {

struct CertificateTemplate {
  std::string common_name;             // empty: no CN; at most 64 characters
  std::vector<NameAttribute> subject;  // further attributes, encoded before the CN
  std::vector<std::string> dns_names;
  std::vector<base::IpAddress> ip_addresses;
  std::vector<std::string> emails;
  std::vector<std::string> uris;
  KeyUsages key_usages;                          // critical; empty: no such extension
  std::vector<std::string> extended_key_usages;  // object identifiers; empty: no such extension
  absl::Time not_before;
  absl::Time not_after;
  bool is_ca = false;
  std::optional<int> path_length;  // only with is_ca; absent: no limit
};

// Threading: const methods may be called from several threads at once. Move-only, as its key.
class CertificateAuthority {
 public:
  // `chain` is the CA itself first, then the certificates above it, if any, each the issuer of the
  // one before; the root may be left out.
  // Errors: InvalidArgument: no certificate, key and certificate do not match, not a CA, keyUsage
  // without keyCertSign, a weak key, or a chain that does not link up.
  static absl::StatusOr<CertificateAuthority> Create(std::vector<Certificate> chain,
                                                     PrivateKey key);

  // Signs a certificate for `key`. Serial: 128 random bits, positive. Subject and authority key
  // identifiers are written. Signed with SHA-256, by a P-384 CA with SHA-384, by P-521 with
  // SHA-512. Validity is cut to that of every certificate in the chain. Errors: FailedPrecondition
  // when the CA (or one above it) is expired or not yet valid at `now`; PermissionDenied when name
  // constraints or the extendedKeyUsage of one in the chain leave out what is wanted, with the
  // constraint and the name: no peer would take the certificate; InvalidArgument: not_after
  // not after not_before, or in the past, a weak `key`, names that cannot be encoded, a CA where
  // the path length allows none; Internal when the library fails.
  absl::StatusOr<Certificate> Issue(const PublicKey& key, const CertificateTemplate& wanted,
                                    absl::Time now) const;

  const Certificate& certificate() const { return chain_.front(); }
  const std::vector<Certificate>& chain() const { return chain_; }
  // When Issue begins to fail: the earliest end in the chain.
  absl::Time not_after() const;

  // What a TLS server presents: `leaf`, then the chain without a self-signed root.
  std::string ChainPem(const Certificate& leaf) const;

 private:
  CertificateAuthority(std::vector<Certificate> chain, PrivateKey key)
      : chain_(std::move(chain)), key_(std::move(key)) {}

  std::vector<Certificate> chain_;
  PrivateKey key_;
};

// A certificate signed by its own key; with is_ca the beginning of a CA. Same serial, identifiers
// and hash rules as Issue; when is_ca, the authority key identifier is the subject's own, and where
// key_usages is empty, keyCertSign and cRLSign are written.
// Errors: InvalidArgument, Internal as Issue.
absl::StatusOr<Certificate> SelfSign(const PrivateKey& key, const CertificateTemplate& wanted);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_ISSUE_H_
