// What people have when they want to ask for a certificate, and the request that comes of it.
#ifndef CALICO_OPERATOR_CALICERT_REQUESTS_REQUEST_SOURCE_H_
#define CALICO_OPERATOR_CALICERT_REQUESTS_REQUEST_SOURCE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/pki/key.h"

namespace calico::calicert::requests {

struct RequestSource {
  // One PEM block CERTIFICATE REQUEST; empty for a description.
  std::string request_pem;
  // The key that stood beside it (the answer of cfssl genkey).
  std::optional<pki::PrivateKey> key;
  // A CSR description in cfssl's JSON, of which key and request are made.
  std::string description;
  // Name, signer, usages, labels and the like of a manifest.
  std::optional<api::CertificateSigningRequest> manifest;
};

// Reads, by its content: PKCS#10 as PEM under either of its labels or as DER; the JSON answer of
// cfssl genkey; cfssl's JSON description; a CertificateSigningRequest in YAML or JSON. `file` is
// for messages. The text may hold a key: it is the caller's to wipe. Errors: InvalidArgument naming
// what was found instead; ResourceExhausted.
absl::StatusOr<RequestSource> ReadRequestSource(std::string_view text, const std::string& file);

struct MadeRequest {
  pki::PrivateKey key;
  std::string request_pem;
  std::vector<std::string> warnings;
};

// Makes the request of a description with `key`, whatever kind it is, or with a new one of
// the description's kind.
// Errors: InvalidArgument naming file, line and field; a key of another kind than the
// description's.
absl::StatusOr<MadeRequest> MakeRequest(const std::string& description, const std::string& file,
                                        std::optional<pki::PrivateKey> key);

// A description for these names, with a P-256 key: for those who have no file. `common_name` may be
// empty.
std::string DescriptionFor(const std::string& common_name, const std::vector<std::string>& hosts);

}  // namespace calico::calicert::requests

#endif  // CALICO_OPERATOR_CALICERT_REQUESTS_REQUEST_SOURCE_H_
