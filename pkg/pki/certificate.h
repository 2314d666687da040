// X.509 certificates as values: read once, then plain fields. Reading judges nothing but the form;
// VerifyChain (verify.h) judges.
#ifndef CALICO_PKG_PKI_CERTIFICATE_H_
#define CALICO_PKG_PKI_CERTIFICATE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/base/ip_address.h"
#include "pkg/pki/key.h"
#include "pkg/pki/usage.h"

namespace calico::pki {

namespace internal {
struct CertificateAccess;
struct Extensions;
struct X509Handle;
}  // namespace internal

// May there be text between, before and after PEM blocks? Hand-made bundles of roots have comments;
// in a field that a user pastes, text is more often a mistake.
enum class SurroundingText { kRefuse, kAllow };

// A value; copies share what the library decoded.
class Certificate {
 public:
  // Errors: InvalidArgument (ResourceExhausted when larger than 128 KiB): not a certificate, bytes
  // left over, duplicate or undecodable extensions, a malformed name or time.
  static absl::StatusOr<Certificate> ParseDer(std::string_view der);

  // Exactly one PEM block `CERTIFICATE`, nothing but white space around it.
  static absl::StatusOr<Certificate> ParsePem(std::string_view pem);

  // One or more `CERTIFICATE` blocks in order; at most 4 MiB and 1024 blocks. A block of any other
  // kind is an error that names its label, so that a private key pasted in does not go unnoticed.
  // Errors: InvalidArgument with the number of the bad block; also when there is none.
  static absl::StatusOr<std::vector<Certificate>> ParsePemBundle(
      std::string_view pem, SurroundingText text = SurroundingText::kRefuse);

  // One `CERTIFICATE` block.
  std::string pem() const;
  const std::string& der() const { return der_; }

  // RFC 4514 text, for instance "CN=typha-server,O=Example".
  const std::string& subject() const { return subject_; }
  const std::string& issuer() const { return issuer_; }
  const std::vector<NameAttribute>& subject_attributes() const { return subject_attributes_; }
  // The first CN of the subject, empty if there is none.
  const std::string& common_name() const { return common_name_; }
  // The same of the issuer: a name, which proves nothing (see IsIssuedBy).
  const std::string& issuer_common_name() const { return issuer_common_name_; }
  // Upper-case hexadecimal, as `openssl x509 -serial` prints it.
  const std::string& serial() const { return serial_; }
  absl::Time not_before() const { return not_before_; }
  absl::Time not_after() const { return not_after_; }

  // basicConstraints cA TRUE, and its path length.
  bool is_ca() const { return is_ca_; }
  std::optional<int> path_length() const { return path_length_; }
  // Empty when the extension is absent, which allows every usage: see AllowsKeyUsage.
  KeyUsages key_usages() const { return key_usages_; }
  bool AllowsKeyUsage(KeyUsage usage) const {
    return key_usages_.empty() || key_usages_.Has(usage);
  }
  // Object identifiers; empty when the extension is absent, which allows every purpose.
  const std::vector<std::string>& extended_key_usages() const { return extended_key_usages_; }
  bool HasExtendedKeyUsage(std::string_view oid) const;

  const std::vector<std::string>& dns_names() const { return dns_names_; }
  const std::vector<base::IpAddress>& ip_addresses() const { return ip_addresses_; }
  const std::vector<std::string>& emails() const { return emails_; }
  const std::vector<std::string>& uris() const { return uris_; }

  const PublicKey& public_key() const { return public_key_; }
  // Raw bytes; empty when absent.
  const std::string& subject_key_id() const { return subject_key_id_; }
  const std::string& authority_key_id() const { return authority_key_id_; }
  // Subject equals issuer and the signature verifies with the certificate's own key.
  bool is_self_signed() const { return is_self_signed_; }

  friend bool operator==(const Certificate& a, const Certificate& b) { return a.der_ == b.der_; }

 private:
  friend struct internal::CertificateAccess;
  explicit Certificate(PublicKey public_key) : public_key_(std::move(public_key)) {}
  void SetSubject(std::vector<NameAttribute> attributes);
  void SetExtensions(internal::Extensions extensions);

  std::string der_;
  std::shared_ptr<const internal::X509Handle> handle_;
  PublicKey public_key_;
  std::string subject_;
  std::string issuer_;
  std::vector<NameAttribute> subject_attributes_;
  std::string common_name_;
  std::string issuer_common_name_;
  std::string serial_;
  absl::Time not_before_;
  absl::Time not_after_;
  bool is_ca_ = false;
  std::optional<int> path_length_;
  KeyUsages key_usages_;
  std::vector<std::string> extended_key_usages_;
  std::vector<std::string> dns_names_;
  std::vector<base::IpAddress> ip_addresses_;
  std::vector<std::string> emails_;
  std::vector<std::string> uris_;
  std::string subject_key_id_;
  std::string authority_key_id_;
  bool is_self_signed_ = false;
};

// The blocks of all certificates, one after the other.
std::string ToPemBundle(const std::vector<Certificate>& certificates);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_CERTIFICATE_H_
