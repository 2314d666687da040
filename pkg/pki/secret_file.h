// Keys and what stands beside them on disk, read without leaving a copy in memory.
#ifndef CALICO_PKG_PKI_SECRET_FILE_H_
#define CALICO_PKG_PKI_SECRET_FILE_H_

#include <string>

#include <absl/status/statusor.h>

#include "pkg/base/secret_string.h"

namespace calico::pki {

// The whole file, at most 1 MiB; a file without a size of its own (a pipe) is read to its end.
// Errors: NotFound, PermissionDenied, ResourceExhausted (larger), Unavailable, with the path.
// Blocking. Threading: may run on any thread.
absl::StatusOr<base::SecretString> ReadSecretFile(const std::string& path);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_SECRET_FILE_H_
