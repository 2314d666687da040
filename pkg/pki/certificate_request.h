// PKCS#10 certificate requests: make one for a key of ours, read one from a stranger.
//
// CertificateRequest only reads; it judges nothing but the form. Whoever signs must call
// VerifySignature (proof of possession), public_key().CheckStrength(), and decide on every name.
// Values come as they are in the request: compare them exactly, never by prefix.
#ifndef CALICO_PKG_PKI_CERTIFICATE_REQUEST_H_
#define CALICO_PKG_PKI_CERTIFICATE_REQUEST_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "pkg/base/ip_address.h"
#include "pkg/pki/key.h"
#include "pkg/pki/usage.h"

namespace calico::pki {

namespace internal {
struct Extensions;
struct X509ReqHandle;
}  // namespace internal

// What to ask for. The defaults are those of a TLS server that is also a client.
struct CertificateRequestTemplate {
  std::string common_name;             // empty: no CN; at most 64 characters
  std::vector<NameAttribute> subject;  // further attributes, encoded before the CN
  std::vector<std::string> dns_names;
  std::vector<base::IpAddress> ip_addresses;
  std::vector<std::string> emails;
  std::vector<std::string> uris;
  // Absent: SHA-256 with the key's own family. Must be absent for Ed25519.
  std::optional<SignatureAlgorithm> signature_algorithm;
  bool is_ca = false;  // basicConstraints is always written, critical
  KeyUsages key_usages = {KeyUsage::kDigitalSignature, KeyUsage::kKeyEncipherment,
                          KeyUsage::kKeyAgreement};  // critical; empty: no such extension
  // Object identifiers; empty: no such extension.
  std::vector<std::string> extended_key_usages = {std::string(kOidServerAuth),
                                                  std::string(kOidClientAuth)};
};

// A request signed by `key`, as one PEM block `CERTIFICATE REQUEST`.
// Errors: InvalidArgument: signature and key of different families, a name that cannot be encoded.
absl::StatusOr<std::string> CreateCertificateRequest(const PrivateKey& key,
                                                     const CertificateRequestTemplate& request);

// A value; copies share what the library decoded.
class CertificateRequest {
 public:
  // Reads exactly one PEM block `CERTIFICATE REQUEST` with nothing but white space around it; at
  // most 64 KiB. The signature is not verified.
  // Errors: InvalidArgument (ResourceExhausted when too large): not PEM, not PKCS#10, bytes left
  // over, anything that is BER but not DER (in the extensions shown here and in an RSA key too),
  // duplicate or undecodable extensions, several extension requests, a name with a NUL or a byte
  // that is not ASCII where the standard wants ASCII.
  static absl::StatusOr<CertificateRequest> ParsePem(std::string_view pem);
  static absl::StatusOr<CertificateRequest> ParseDer(std::string_view der);

  // Proof of possession: the request is signed by its own key, with SHA-256 or better.
  // Errors: InvalidArgument.
  absl::Status VerifySignature() const;

  const std::string& der() const { return der_; }
  const PublicKey& public_key() const { return public_key_; }

  // The first CN, empty if there is none. A request with several is suspect: see the count.
  const std::string& common_name() const { return common_name_; }
  int common_name_count() const { return common_name_count_; }
  // Every subject attribute in order, the CN included.
  const std::vector<NameAttribute>& subject() const { return subject_; }
  // Those that are not CN.
  std::vector<NameAttribute> other_subject_attributes() const;
  // RFC 4514 text of the whole subject.
  const std::string& subject_text() const { return subject_text_; }

  // Subject alternative names by kind; other_san_kinds() has a word for each name of a
  // further kind: otherName, x400Address, directoryName, ediPartyName, registeredID.
  const std::vector<std::string>& dns_names() const { return dns_names_; }
  const std::vector<base::IpAddress>& ip_addresses() const { return ip_addresses_; }
  const std::vector<std::string>& emails() const { return emails_; }
  const std::vector<std::string>& uris() const { return uris_; }
  const std::vector<std::string>& other_san_kinds() const { return other_san_kinds_; }

  // basicConstraints asks for cA TRUE.
  bool requests_ca() const { return requests_ca_; }
  // basicConstraints has a path length.
  bool requests_path_length() const { return requests_path_length_; }
  KeyUsages key_usages() const { return key_usages_; }
  // Object identifiers.
  const std::vector<std::string>& extended_key_usages() const { return extended_key_usages_; }
  // Identifiers of every attribute beside the extension request (PKCS#9's: Microsoft's own, which
  // readers differ about, is one of these), such as a challenge password's.
  const std::vector<std::string>& attributes() const { return attributes_; }
  // Identifiers of every requested extension; and of the critical ones that no accessor shows.
  const std::vector<std::string>& extensions() const { return extensions_; }
  const std::vector<std::string>& unknown_critical_extensions() const {
    return unknown_critical_extensions_;
  }

 private:
  explicit CertificateRequest(PublicKey public_key) : public_key_(std::move(public_key)) {}
  void SetSubject(std::vector<NameAttribute> attributes);
  absl::Status ReadRequestedExtensions();

  std::string der_;
  std::shared_ptr<const internal::X509ReqHandle> handle_;
  PublicKey public_key_;
  std::string common_name_;
  int common_name_count_ = 0;
  std::vector<NameAttribute> subject_;
  std::string subject_text_;
  std::vector<std::string> dns_names_;
  std::vector<base::IpAddress> ip_addresses_;
  std::vector<std::string> emails_;
  std::vector<std::string> uris_;
  std::vector<std::string> other_san_kinds_;
  bool requests_ca_ = false;
  bool requests_path_length_ = false;
  KeyUsages key_usages_;
  std::vector<std::string> extended_key_usages_;
  std::vector<std::string> attributes_;
  std::vector<std::string> extensions_;
  std::vector<std::string> unknown_critical_extensions_;
};

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_CERTIFICATE_REQUEST_H_
