// The extensions of composition.h in OpenSSL's form.
#ifndef CALICO_PKG_PKI_COMPOSE_COMPOSED_EXTENSIONS_H_
#define CALICO_PKG_PKI_COMPOSE_COMPOSED_EXTENSIONS_H_

#include <string_view>

#include <absl/status/statusor.h>

#include "pkg/openssl/handles.h"
#include "pkg/pki/compose/composition.h"

namespace calico::pki::internal {

// Errors: InvalidArgument for what cannot be encoded; Internal.
absl::StatusOr<openssl::ExtensionStackPtr> ComposeExtensions(const RequestParts& parts);
absl::StatusOr<openssl::ExtensionStackPtr> ComposeExtensions(const CertificateParts& parts,
                                                             std::string_view subject_key_id,
                                                             std::string_view authority_key_id);

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_COMPOSE_COMPOSED_EXTENSIONS_H_
