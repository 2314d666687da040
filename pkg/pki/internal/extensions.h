// The extensions that requests and certificates share, read strictly and written.
#ifndef CALICO_PKG_PKI_INTERNAL_EXTENSIONS_H_
#define CALICO_PKG_PKI_INTERNAL_EXTENSIONS_H_

#include <optional>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "pkg/openssl/handles.h"
#include "pkg/pki/internal/names.h"
#include "pkg/pki/usage.h"

namespace calico::pki::internal {

struct Extensions {
  std::vector<std::string> oids;              // of all, in order
  std::vector<std::string> unknown_critical;  // critical, and not one of the first four below
  std::optional<bool> is_ca;                  // absent: no basicConstraints
  std::optional<int> path_length;
  KeyUsages key_usages;
  std::vector<std::string> extended_key_usages;  // object identifiers
  AlternativeNames names;
  std::string subject_key_id;    // raw bytes
  std::string authority_key_id;  // raw bytes
};

// `stack` may be null. Every known extension must use all its bytes.
// Errors: InvalidArgument: one that appears twice, does not decode, or makes no sense (a keyUsage
// without a bit, a negative path length).
absl::StatusOr<Extensions> ReadExtensions(const STACK_OF(X509_EXTENSION) * stack);

// Encodes what is set: basicConstraints (critical) if is_ca has a value, keyUsage (critical),
// extendedKeyUsage, subjectAltName (critical if `subject_is_empty`, RFC 5280 4.2.1.6), key
// identifiers. The fields `oids` and `unknown_critical` are ignored.
// Errors: InvalidArgument for a name or identifier that cannot be encoded; Internal.
absl::StatusOr<openssl::ExtensionStackPtr> WriteExtensions(const Extensions& extensions,
                                                           bool subject_is_empty);

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_INTERNAL_EXTENSIONS_H_
