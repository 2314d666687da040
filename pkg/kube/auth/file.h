// Bounded reads of small configuration files.
#ifndef CALICO_PKG_KUBE_AUTH_FILE_H_
#define CALICO_PKG_KUBE_AUTH_FILE_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

namespace calico::kube {

// Kubeconfigs, certificates and tokens are a few kilobytes.
inline constexpr size_t kMaxFileBytes = 1 << 20;

// How files are read; tests give their own.
using FileReader = std::function<absl::StatusOr<std::string>(const std::string& path)>;

// The content of `path`. Errors: kNotFound; kPermissionDenied; kInvalidArgument for what is no
// regular file or larger than kMaxFileBytes. Blocking.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path);

// `path`, put after `folder` when it is relative.
std::string ResolvePath(std::string_view folder, std::string_view path);

// The part before the last slash; `.` when there is none.
std::string FolderOf(std::string_view path);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_AUTH_FILE_H_
