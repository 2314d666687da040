// CsrPolicy: who may have which certificate. Deny by default: what no entry allows is refused.
//
// A policy is a list of entries. An entry names requesters (service accounts) and everything that a
// request of theirs may hold. A request passes when one entry allows all of it.
#ifndef CALICO_OPERATOR_CSR_POLICY_POLICY_H_
#define CALICO_OPERATOR_CSR_POLICY_POLICY_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "pkg/pki/usage.h"

namespace calico::csr_policy {

// The API server refuses less (certificates.k8s.io/v1, spec.expirationSeconds).
inline constexpr absl::Duration kShortestDuration = absl::Seconds(600);

// How a request may be named.
enum class CsrNameShape {
  kNamespacePodUid,  // `namespace:pod:uid6`, uid6 = the first six characters of the pod's UID
  kSecretPod,        // `secret:pod`, with a secret of the entry
  kNamespacePod,     // `namespace:pod`
};
// "namespace:pod:uid6", "secret:pod", "namespace:pod".
std::string_view ToString(CsrNameShape shape);
std::optional<CsrNameShape> CsrNameShapeOf(std::string_view text);

// The five usages of spec.usages that a certificate for TLS has use for.
struct Usage {
  std::string_view name;                   // as in spec.usages: "server auth"
  std::optional<pki::KeyUsage> key_usage;  // or else
  std::string_view extended;               // object identifier
};
std::span<const Usage> KnownUsages();
// Null if `name` is none of the five.
const Usage* FindUsage(std::string_view name);

// Names of the keys that may be certified (pki::PublicKey::Description).
std::span<const std::string_view> KnownKeys();

struct CsrPolicyEntry {
  std::string name;  // for logs
  // Empty: every signer name that the program serves.
  std::vector<std::string> signer_names;
  std::vector<std::string> namespaces;
  std::vector<std::string> service_accounts;
  std::vector<std::string> common_names;
  std::vector<std::string> dns_names;
  std::vector<CsrNameShape> csr_names = {CsrNameShape::kNamespacePodUid};
  std::vector<std::string> secret_names;  // for kSecretPod
  // Left out of the certificate without a word: "O", "OU", ..., or a dotted identifier, as
  // pki::NameAttribute::type has it, or "O=value" of that value only. Any other attribute than CN
  // is refused.
  std::vector<std::string> drop_subject_attributes;
  // Allowed; and those that must be there. Besides, server auth or client auth must be.
  std::vector<std::string> usages;
  std::vector<std::string> required_usages;
  std::vector<std::string> keys;
  // IP addresses of the request are not judged and left out of the certificate.
  bool drop_ip_addresses = false;
  // A request for less is denied, a request for more gets `max_duration`.
  absl::Duration min_duration = kShortestDuration;
  absl::Duration max_duration = absl::InfiniteDuration();

  bool AppliesTo(std::string_view signer_name, std::string_view ns,
                 std::string_view service_account) const;
};

struct CsrPolicy {
  // Signer names that the program serves.
  std::vector<std::string> signer_names;
  std::vector<CsrPolicyEntry> entries;

  // Each namespace that an entry names, once.
  std::vector<std::string> Namespaces() const;
};

}  // namespace calico::csr_policy

#endif  // CALICO_OPERATOR_CSR_POLICY_POLICY_H_
