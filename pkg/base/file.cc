#include "pkg/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include <absl/cleanup/cleanup.h>
#include <absl/functional/function_ref.h>
#include <fmt/format.h>

namespace calico::base {
namespace {

absl::Status FileError(const std::string& path, int error) {
  const std::string text = fmt::format("read {}: {}", path, std::strerror(error));
  if (error == ENOENT) return absl::NotFoundError(text);
  if (error == EACCES || error == EPERM) return absl::PermissionDeniedError(text);
  return absl::UnavailableError(text);
}

// Room for the whole file and a byte more, which tells that there is more than the bound or that
// the file has grown meanwhile. Size 0 says nothing.
size_t BufferSize(off_t file_size, size_t max_bytes) {
  const size_t wanted = file_size > 0 ? static_cast<size_t>(file_size) : max_bytes;
  return std::min(wanted, max_bytes) + 1;
}

// Reads until the end of the file or of `buffer`; the number of bytes, or -1.
ssize_t ReadAll(int file, std::span<char> buffer) {
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

// Reads `path` into memory that `allocate` gives for a number of bytes; how many were needed.
absl::StatusOr<size_t> ReadInto(const std::string& path, size_t max_bytes,
                                absl::FunctionRef<std::span<char>(size_t)> allocate) {
  // O_NONBLOCK: opening a named pipe must not wait for its writer.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return FileError(path, errno);
  const absl::Cleanup close_file = [file] { close(file); };
  struct stat attributes{};
  if (fstat(file, &attributes) != 0) return FileError(path, errno);
  if (!S_ISREG(attributes.st_mode)) {
    return absl::InvalidArgumentError(fmt::format("read {}: it is no regular file", path));
  }
  const std::span<char> buffer = allocate(BufferSize(attributes.st_size, max_bytes));
  const ssize_t size = ReadAll(file, buffer);
  if (size < 0) return FileError(path, errno);
  if (static_cast<size_t>(size) > max_bytes) {
    return absl::InvalidArgumentError(
        fmt::format("read {}: it is larger than {} bytes", path, max_bytes));
  }
  if (static_cast<size_t>(size) == buffer.size()) {
    return absl::UnavailableError(fmt::format("read {}: it grew while it was read", path));
  }
  return static_cast<size_t>(size);
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes) {
  std::string content;
  const absl::StatusOr<size_t> size = ReadInto(path, max_bytes, [&content](size_t bytes) {
    content.resize(bytes);
    return std::span<char>(content);
  });
  if (!size.ok()) return size.status();
  content.resize(*size);
  content.shrink_to_fit();
  return content;
}

absl::StatusOr<SecretString> ReadSecretFile(const std::string& path) {
  SecretString content;
  const absl::StatusOr<size_t> size = ReadInto(path, kMaxFileBytes, [&content](size_t bytes) {
    content = SecretString::OfSize(bytes);
    return std::span<char>(content.data(), content.size());
  });
  if (!size.ok()) return size.status();
  content.Shorten(*size);
  return content;
}

}  // namespace calico::base
