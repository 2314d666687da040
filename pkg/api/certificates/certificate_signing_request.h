// certificates.k8s.io/v1 CertificateSigningRequest, for those who ask, approve, sign and report.
#ifndef CALICO_PKG_API_CERTIFICATES_CERTIFICATE_SIGNING_REQUEST_H_
#define CALICO_PKG_API_CERTIFICATES_CERTIFICATE_SIGNING_REQUEST_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/api/meta/condition.h"
#include "pkg/api/meta/object_meta.h"

namespace calico::api {

inline constexpr std::string_view kCsrApproved = "Approved";
inline constexpr std::string_view kCsrDenied = "Denied";
inline constexpr std::string_view kCsrFailed = "Failed";

// Keys of `extra` that the API server fills in for a token bound to a pod.
inline constexpr std::string_view kExtraPodName = "authentication.kubernetes.io/pod-name";
inline constexpr std::string_view kExtraPodUid = "authentication.kubernetes.io/pod-uid";

struct CertificateSigningRequest {
  // All of it but managedFields, because approval and status are written with the whole object.
  ObjectMeta meta;

  // spec
  std::string request_pem;  // PKCS#10 in PEM, base64 decoded.
  std::string signer_name;
  std::vector<std::string> usages;
  std::optional<std::int32_t> expiration_seconds;
  std::string username;
  std::string uid;  // spec.uid: of the user, not of this object.
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>, std::less<>> extra;

  // status
  std::vector<Condition> conditions;
  std::string certificate_pem;  // PEM, base64 decoded; empty until issued.

  // The condition Approved, Denied or Failed with status True, or nullptr.
  const Condition* Approved() const;
  const Condition* Denied() const;
  const Condition* Failed() const;
  bool IsApproved() const { return Approved() != nullptr; }
  bool IsDenied() const { return Denied() != nullptr; }
  bool IsFailed() const { return Failed() != nullptr; }
  bool IsIssued() const { return !certificate_pem.empty(); }
  // The only value of extra[key]; empty when there is none or more than one.
  std::string_view SingleExtra(std::string_view key) const;

  // Errors: InvalidArgument with every wrong field's path. Bytes never show in it.
  static absl::StatusOr<CertificateSigningRequest> Decode(const json::object& object);

  // A new request for `POST`: metadata (name, labels, annotations) and the fields of spec that a
  // client may set.
  json::object EncodeNew() const;
  // The object for PUT .../approval and PUT .../status: metadata with resourceVersion, spec, and
  // status with all conditions and the certificate.
  json::object Encode() const;
};

}  // namespace calico::api

#endif  // CALICO_PKG_API_CERTIFICATES_CERTIFICATE_SIGNING_REQUEST_H_
