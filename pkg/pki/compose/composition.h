// Requests and certificates put together part by part, exactly as told: for tools that stand in for
// other people's, and must give the same bytes. It decides nothing about lifetimes, names or CAs:
// a signer of a cluster uses issue.h, which refuses what no peer would take.
//
//   CALICO_ASSIGN_OR_RETURN(std::string der, ComposeCertificate(request.public_key(), parts,
//                                                               {&ca_certificate, &ca_key}));
#ifndef CALICO_PKG_PKI_COMPOSE_COMPOSITION_H_
#define CALICO_PKG_PKI_COMPOSE_COMPOSITION_H_

#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/base/ip_address.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/certificate_request.h"
#include "pkg/pki/key.h"
#include "pkg/pki/usage.h"

namespace calico::pki {

// A relative distinguished name: nearly always one attribute, several make one multi-valued name.
using RelativeName = std::vector<NameAttribute>;
using SubjectName = std::vector<RelativeName>;

// Written in this order of kinds, each kind in the order of its list. An empty DNS name is written
// as one. Errors are for whoever uses them: text that is not ASCII, or longer than 2,048 bytes.
struct AlternativeNameLists {
  std::vector<std::string> dns_names;
  std::vector<std::string> emails;
  std::vector<base::IpAddress> ip_addresses;
  std::vector<std::string> uris;

  bool empty() const {
    return dns_names.empty() && emails.empty() && ip_addresses.empty() && uris.empty();
  }
};

struct CaConstraints {
  bool is_ca = false;
  std::optional<int> path_length;
};

struct RawExtension {
  std::string oid;
  bool critical = false;
  std::string der;  // of the value

  friend bool operator==(const RawExtension&, const RawExtension&) = default;
};

struct RequestParts {
  SubjectName subject;
  AlternativeNameLists names;
  std::optional<CaConstraints> constraints;
  std::vector<RawExtension> extensions;  // after the others
};

struct PolicyQualifier {
  enum class Kind { kCps, kUserNotice };
  Kind kind = Kind::kCps;
  std::string value;  // a URI; or explicit text
};

struct CertificatePolicy {
  std::string oid;
  std::vector<PolicyQualifier> qualifiers;
};

struct CertificateParts {
  SubjectName subject;
  AlternativeNameLists names;  // critical when the subject is empty (RFC 5280 4.2.1.6)
  absl::Time not_before;
  absl::Time not_after;
  // Positive, as raw bytes; empty: 159 random bits.
  std::string serial;
  KeyUsages key_usages;                          // critical; empty: no such extension
  std::vector<std::string> extended_key_usages;  // in this order, twice where given twice
  std::optional<CaConstraints> constraints;      // critical
  std::vector<std::string> ocsp_servers;         // URLs
  std::vector<std::string> issuer_urls;
  std::vector<std::string> crl_urls;
  std::vector<CertificatePolicy> policies;
  std::vector<RawExtension> extensions;  // after the others
};

// Who signs. `certificate` is null when the certificate is its own issuer: then it has no authority
// key identifier.
struct IssuerView {
  const Certificate* certificate = nullptr;
  const PrivateKey* key = nullptr;
};

// DER of a request signed by `key`. The hash goes by the key: SHA-256 for RSA below 3072 bits and
// P-256, SHA-384 for RSA below 4096 and P-384, else SHA-512; Ed25519 has its own.
// Errors: InvalidArgument for what cannot be encoded, naming it; Internal.
absl::StatusOr<std::string> ComposeRequest(const PrivateKey& key, const RequestParts& parts);

// DER of a certificate for `key`. The hash goes by the issuer's key as above. The subject key
// identifier is SHA-1 of the key's bit string (RFC 5280 4.2.1.2 method 1), a name and no proof.
// Errors: InvalidArgument for what cannot be encoded, naming it, and when the issuer's certificate
// is not for its key; Internal.
absl::StatusOr<std::string> ComposeCertificate(const PublicKey& key, const CertificateParts& parts,
                                               IssuerView issuer);

// 20 random bytes, positive. Errors: Internal.
absl::StatusOr<std::string> NewSerial();

// The subject as the request or certificate groups it. Errors: InvalidArgument, as ReadName.
absl::StatusOr<SubjectName> SubjectNameOf(const CertificateRequest& request);
absl::StatusOr<SubjectName> SubjectNameOf(const Certificate& certificate);
absl::StatusOr<SubjectName> IssuerNameOf(const Certificate& certificate);

// Every extension with its value, in order. Errors: Internal.
absl::StatusOr<std::vector<RawExtension>> ExtensionsOf(const CertificateRequest& request);
absl::StatusOr<std::vector<RawExtension>> ExtensionsOf(const Certificate& certificate);

// What basicConstraints of the request asks for; absent when it has none. Errors: InvalidArgument.
absl::StatusOr<std::optional<CaConstraints>> ConstraintsOf(const CertificateRequest& request);

// A dotted object identifier, such as "1.2.840.113549".
bool IsObjectIdentifier(std::string_view text);

// One DER element and nothing behind it: what an extension's value must be.
bool IsDerElement(std::string_view bytes);

// The serial number in decimal, as many tools print it. Requires: what Certificate::serial gives.
std::string DecimalSerial(std::string_view hex);
// Of raw bytes, as in CertificateParts.
std::string DecimalOfBytes(std::string_view serial);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_COMPOSE_COMPOSITION_H_
