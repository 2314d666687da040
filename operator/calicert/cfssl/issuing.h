// Keys, requests and certificates as cfssl makes them, from what its files say.
//
//   CALICO_ASSIGN_OR_RETURN(pki::PrivateKey key, MakeKey(request.key));
//   CALICO_ASSIGN_OR_RETURN(std::string csr_pem, MakeRequest(request, key));
//   CALICO_ASSIGN_OR_RETURN(Signer signer, Signer::Create(ca, std::move(ca_key), config, now));
//   CALICO_ASSIGN_OR_RETURN(Signed leaf, signer.Sign({.request = &csr, .profile = "peer"}, now));
//
// Certificates are those of cfssl byte for byte, apart from keys, serial numbers, times and
// signatures. Unlike cfssl, a CA that nobody accepts (expired, without the CA bit, a weak key) does
// not sign. What is likely a mistake comes back as a warning.
#ifndef CALICO_OPERATOR_CALICERT_CFSSL_ISSUING_H_
#define CALICO_OPERATOR_CALICERT_CFSSL_ISSUING_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/calicert/cfssl/request_json.h"
#include "operator/calicert/cfssl/signing_config.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/certificate_request.h"
#include "pkg/pki/compose/composition.h"
#include "pkg/pki/key.h"

namespace calico::calicert::cfssl {

inline constexpr absl::Duration kDefaultCaExpiry = absl::Hours(43800);
inline constexpr absl::Duration kDefaultBackdate = absl::Minutes(5);

// Errors: code 2400 for an algorithm or size that there is not. Blocking: CPU only; seconds for
// RSA keys of 4096 bits and more.
absl::StatusOr<pki::PrivateKey> MakeKey(const KeyRequest& wanted);
// Whether making it takes long enough to tell somebody who waits.
bool IsSlow(const KeyRequest& wanted);

// One PEM block `CERTIFICATE REQUEST`. With request.ca, basicConstraints is asked for.
// Errors: code 9003 for what cannot be encoded.
absl::StatusOr<std::string> MakeRequest(const Request& request, const pki::PrivateKey& key);

struct Signed {
  std::string pem;
  std::string serial;  // decimal
  absl::Time not_before;
  absl::Time not_after;
  std::vector<std::string> warnings;
};

// Whether a CA of it would have a name. Errors: code 5300.
absl::Status CheckSubjectOfCa(const Request& request);

// A self-signed CA: keyCertSign and cRLSign, ca.expiry or five years, valid from five minutes ago.
// Of the alternative names only IP addresses are taken, as by cfssl.
// Errors: code 5300 for a request without a subject; InvalidArgument for an expiry that is over
// before it begins.
absl::StatusOr<Signed> MakeCa(const Request& request, const pki::PrivateKey& key, absl::Time now);

// A new certificate with the subject, key and length of validity of `ca`, valid from now.
// Errors: code 2300 when the key is another's; InvalidArgument when `ca` is no CA.
absl::StatusOr<Signed> RenewCa(const pki::Certificate& ca, const pki::PrivateKey& key,
                               absl::Time now);

// A certificate signed by its own key, for tests: signing, key encipherment, server auth and client
// auth unless `profile` says otherwise; a quarter of a year. `names` are all that it gets.
absl::StatusOr<Signed> SelfSign(const Subject& subject, const pki::AlternativeNameLists& names,
                                const pki::PrivateKey& key, const Profile& profile, absl::Time now);

// What is to be signed, and how.
struct SigningOrder {
  const pki::CertificateRequest* request = nullptr;  // of Sign
  std::string profile;                               // empty: the default
  // Take the place of the request's names.
  std::optional<pki::AlternativeNameLists> names;
  // Of its types C, ST, L, O, OU, CN and serialNumber, those that it has take the place of the
  // request's; the others stay.
  std::optional<Subject> subject;
  // May the certificate outlive its CA? cfssl lets it, with our warning; false cuts it.
  bool may_outlive_ca = true;
};

// A CA with a signing configuration. Threading: const methods may be called from several threads.
class Signer {
 public:
  // Errors: code 1000 when key and certificate do not match, 1210 for a certificate that is no CA
  // or may not sign, 1211 when it is expired or not yet valid at `now`.
  static absl::StatusOr<Signer> Create(pki::Certificate ca, pki::PrivateKey key,
                                       SigningConfig config, absl::Time now);

  // Errors: as ChooseProfile; code 9300 when the request's signature is wrong; 5300 when it asks
  // for a CA where the profile makes none, or the path length of the issuer forbids one; 5500 when
  // a name does not match the whitelist; InvalidArgument for a weak key, or a validity that is over
  // before it begins.
  absl::StatusOr<Signed> Sign(const SigningOrder& order, absl::Time now) const;

  // A certificate for a key of ours, without the way through a request: the same as Sign gives for
  // MakeRequest(request, key). `order.request` and `order.subject` are not looked at.
  // Errors: as Sign.
  absl::StatusOr<Signed> SignOwn(const Request& request, const pki::PublicKey& key,
                                 const SigningOrder& order, absl::Time now) const;

  const pki::Certificate& ca() const { return ca_; }
  const pki::PrivateKey& key() const { return key_; }
  const SigningConfig& config() const { return config_; }

 private:
  Signer(pki::Certificate ca, pki::PrivateKey key, SigningConfig config)
      : ca_(std::move(ca)), key_(std::move(key)), config_(std::move(config)) {}
  absl::StatusOr<Signed> Issue(const pki::PublicKey& key, const Profile& profile,
                               pki::CertificateParts parts, const SigningOrder& order,
                               std::vector<std::string> warnings, absl::Time now) const;

  pki::Certificate ca_;
  pki::PrivateKey key_;
  SigningConfig config_;
};

// A certificate request as people have it: labelled CERTIFICATE REQUEST or NEW CERTIFICATE REQUEST,
// text around it, or DER.
// Errors: code 9002 for what is no PEM, 9300 for a block of another kind, 9003 for one that does
// not parse.
absl::StatusOr<pki::CertificateRequest> ReadCertificateRequest(std::string_view text);

}  // namespace calico::calicert::cfssl

#endif  // CALICO_OPERATOR_CALICERT_CFSSL_ISSUING_H_
