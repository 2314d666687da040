#include "pkg/kube/auth/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <absl/cleanup/cleanup.h>
#include <absl/status/status.h>
#include <fmt/format.h>

namespace calico::kube {
namespace {

absl::Status SystemError(int error, const std::string& path) {
  return absl::ErrnoToStatus(error, "read " + path);
}

}  // namespace

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  // O_NONBLOCK: opening a named pipe must not wait for its writer.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return SystemError(errno, path);
  const absl::Cleanup close_file = [fd] { close(fd); };
  struct stat info = {};
  if (fstat(fd, &info) != 0) return SystemError(errno, path);
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(fmt::format("read {}: it is no regular file", path));
  }
  std::string content;
  char buffer[16384];
  for (;;) {
    const ssize_t count = read(fd, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError(errno, path);
    if (count == 0) return content;
    content.append(buffer, static_cast<size_t>(count));
    if (content.size() > kMaxFileBytes) {
      return absl::InvalidArgumentError(
          fmt::format("read {}: it is larger than {} bytes", path, kMaxFileBytes));
    }
  }
}

std::string ResolvePath(std::string_view folder, std::string_view path) {
  if (path.empty() || path.starts_with('/')) return std::string(path);
  return fmt::format("{}/{}", folder, path);
}

std::string FolderOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

}  // namespace calico::kube
