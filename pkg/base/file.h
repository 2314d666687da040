// Small files, read whole and with a bound: configuration, certificates, keys, tokens.
#ifndef CALICO_PKG_BASE_FILE_H_
#define CALICO_PKG_BASE_FILE_H_

#include <cstddef>
#include <functional>
#include <string>

#include <absl/status/statusor.h>

#include "pkg/base/secret_string.h"

namespace calico::base {

// What we read has a few kilobytes.
inline constexpr size_t kMaxFileBytes = 1 << 20;

// The whole content of the regular file `path`, at most `max_bytes`; a file without a size of its
// own (in /proc) is read to its end.
// Errors, all with the path: NotFound; PermissionDenied; InvalidArgument for what is no regular
// file or is larger; Unavailable for everything else.
// Blocking. Threading: may run on any thread.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes = kMaxFileBytes);
// The same for keys and tokens, at most kMaxFileBytes: no copy is left elsewhere in memory.
absl::StatusOr<SecretString> ReadSecretFile(const std::string& path);

// How files are read: ReadSecretFile, or what a test puts in its place.
using FileReader = std::function<absl::StatusOr<SecretString>(const std::string& path)>;

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_FILE_H_
