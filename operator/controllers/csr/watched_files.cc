#include "operator/controllers/csr/watched_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace calico::csr {
namespace {

constexpr size_t kMostBytes = 1 << 20;

absl::Status FileError(const std::string& path, int error) {
  const std::string text = fmt::format("read {}: {}", path, std::strerror(error));
  if (error == ENOENT) return absl::NotFoundError(text);
  if (error == EACCES) return absl::PermissionDeniedError(text);
  return absl::UnavailableError(text);
}

// Reads until the end of the file or of `buffer`; the number of bytes, or -1.
ssize_t ReadAll(int file, pki::SecretString& buffer) {
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

bool WatchedFiles::Changed() {
  std::string now;
  for (const std::string& path : paths_) {
    struct stat file{};
    if (stat(path.c_str(), &file) != 0) {
      now += "absent;";
      continue;
    }
    now += fmt::format("{}:{}:{}:{}.{:09}:{}.{:09};", file.st_dev, file.st_ino, file.st_size,
                       file.st_mtim.tv_sec, file.st_mtim.tv_nsec, file.st_ctim.tv_sec,
                       file.st_ctim.tv_nsec);
  }
  if (now == last_) return false;
  last_ = std::move(now);
  return true;
}

absl::StatusOr<pki::SecretString> ReadFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return FileError(path, errno);
  // The size of a special file says nothing, so the bound is what counts.
  pki::SecretString content = pki::SecretString::OfSize(kMostBytes + 1);
  const ssize_t size = ReadAll(file, content);
  const int error = errno;
  close(file);
  if (size < 0) return FileError(path, error);
  if (static_cast<size_t>(size) > kMostBytes) {
    return absl::ResourceExhaustedError(fmt::format("read {}: more than 1 MiB", path));
  }
  content.Shorten(static_cast<size_t>(size));
  return content;
}

}  // namespace calico::csr
