// The trusted bundle: whose certificates felix, typha and the others take, and the text and hashes
// that tell pods of it.
//
// Public roots are a file of their own (ca-bundle.crt): one of them in tigera-ca-bundle.crt could
// mint a certificate that typha takes.
#ifndef CALICO_OPERATOR_CERTIFICATES_TRUST_H_
#define CALICO_OPERATOR_CERTIFICATES_TRUST_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pkg/api/meta/object_meta.h"
#include "pkg/codec/json.h"

namespace calico::certificates {

// In calico-system.
inline constexpr std::string_view kTrustedBundle = "tigera-ca-bundle";
inline constexpr std::string_view kBundleNamespace = "calico-system";
// The keys of its data.
inline constexpr std::string_view kBundleKey = "tigera-ca-bundle.crt";
inline constexpr std::string_view kCaKey = "ca.crt";  // the same, under its usual name
inline constexpr std::string_view kSystemRootsKey = "ca-bundle.crt";

// How a release writes what it has. Before v3.32 there was less.
struct ReleaseForm {
  bool has_ca_key = true;           // the bundle has ca.crt too
  bool has_secret_metadata = true;  // Secrets tell issuer and end in labels and annotations
  bool requests_repeat_ca = true;   // a pair that is asked for stands in the bundle as caCert
};
ReleaseForm FormOf(std::string_view release);

// Somebody who is trusted. The text is kept as it is, since hashes are over it.
struct TrustMember {
  std::string ns;
  std::string name;
  std::string pem;

  friend bool operator==(const TrustMember&, const TrustMember&) = default;
};

struct TrustedBundle {
  std::vector<TrustMember> members;                 // by name
  std::shared_ptr<const std::string> system_roots;  // null: none
  std::string text;                                 // of the members
  // "<namespace>.hash.operator.tigera.io/<name>" of each member, and of the roots: for the
  // ConfigMap and for the templates of pods that mount it.
  api::StringMap annotations;
  bool has_ca_key = true;

  // ca-bundle.crt is there to be mounted.
  bool HasSystemRoots() const { return system_roots != nullptr; }
  size_t size() const;  // bytes of the data
};

// Sorts the members and fills in text and annotations.
TrustedBundle MakeBundle(std::vector<TrustMember> members,
                         std::shared_ptr<const std::string> system_roots, const ReleaseForm& form);

// The members of a text that MakeBundle or Calico's operator has made; what stands before the first
// comment line belongs to none.
std::vector<TrustMember> ReadBundle(std::string_view text);

// ConfigMap calico-system/tigera-ca-bundle with data and annotations.
json::object ToObject(const TrustedBundle& bundle);

}  // namespace calico::certificates

#endif  // CALICO_OPERATOR_CERTIFICATES_TRUST_H_
