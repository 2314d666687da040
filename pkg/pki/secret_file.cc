#include "pkg/pki/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <absl/cleanup/cleanup.h>
#include <fmt/format.h>

namespace calico::pki {
namespace {

constexpr size_t kMostBytes = 1 << 20;

absl::Status FileError(const std::string& path, int error) {
  const std::string text = fmt::format("read {}: {}", path, std::strerror(error));
  if (error == ENOENT) return absl::NotFoundError(text);
  if (error == EACCES || error == EPERM) return absl::PermissionDeniedError(text);
  return absl::UnavailableError(text);
}

// Room for the whole file and a byte more, which tells that there is more than the bound or that
// the file has grown meanwhile. A special file's size says nothing.
size_t BufferSize(int file) {
  struct stat attributes{};
  const bool sized =
      fstat(file, &attributes) == 0 && S_ISREG(attributes.st_mode) && attributes.st_size > 0;
  return std::min(sized ? static_cast<size_t>(attributes.st_size) : kMostBytes, kMostBytes) + 1;
}

// Reads until the end of the file or of `buffer`; the number of bytes, or -1.
ssize_t ReadAll(int file, base::SecretString& buffer) {
  size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t got = read(file, buffer.data() + size, buffer.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  return static_cast<ssize_t>(size);
}

}  // namespace

absl::StatusOr<base::SecretString> ReadSecretFile(const std::string& path) {
  // O_NONBLOCK: opening a named pipe must not wait for its writer.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return FileError(path, errno);
  const absl::Cleanup close_file = [file] { close(file); };
  base::SecretString content = base::SecretString::OfSize(BufferSize(file));
  const ssize_t size = ReadAll(file, content);
  if (size < 0) return FileError(path, errno);
  if (static_cast<size_t>(size) > kMostBytes) {
    return absl::ResourceExhaustedError(fmt::format("read {}: more than 1 MiB", path));
  }
  if (static_cast<size_t>(size) == content.size()) {
    return absl::UnavailableError(fmt::format("read {}: it grew while it was read", path));
  }
  content.Shorten(static_cast<size_t>(size));
  return content;
}

}  // namespace calico::pki
