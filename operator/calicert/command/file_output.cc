#include "operator/calicert/command/file_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace calico::calicert {
namespace {

absl::Status Failed(const std::string& path, int error) {
  const std::string text = fmt::format("write {}: {}", path, strerror(error));
  if (error == ENOENT || error == ENOTDIR) {
    return absl::NotFoundError(text + "; make its folder first");
  }
  if (error == EACCES || error == EPERM || error == EROFS) return absl::PermissionDeniedError(text);
  return absl::UnavailableError(text);
}

bool WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

mode_t WithUmask(mode_t mode) {
  const mode_t mask = umask(0);
  umask(mask);
  return mode & ~mask;
}

// What a chain of links ends in; `path` itself when there is nothing yet.
std::string Resolved(const std::string& path) {
  const std::unique_ptr<char, decltype(&free)> real(realpath(path.c_str(), nullptr), free);
  return real == nullptr ? path : std::string(real.get());
}

// A file beside its place, which is removed in the end: the new one, unless it gets there, or the
// old one, which changes places with it where it may have to come back.
class Staged {
 public:
  explicit Staged(const OutputFile& file) : path_(file.path), target_(Resolved(file.path)) {}
  ~Staged() {
    if (!temporary_.empty()) unlink(temporary_.c_str());
  }
  Staged(const Staged&) = delete;
  Staged& operator=(const Staged&) = delete;

  absl::Status Write(const OutputFile& file) {
    struct stat old{};
    exists_ = stat(target_.c_str(), &old) == 0;
    if (exists_ && S_ISDIR(old.st_mode)) return Failed(path_, EISDIR);
    if (exists_ && !S_ISREG(old.st_mode)) return WriteThrough(file.content);
    std::string name = target_ + ".XXXXXX";
    const int fd = mkostemp(name.data(), O_CLOEXEC);
    if (fd < 0) return Failed(path_, errno);
    temporary_ = std::move(name);
    // Giving a file away is root's right; where it is refused the file is the user's own.
    if (exists_ && fchown(fd, old.st_uid, old.st_gid) != 0) errno = 0;
    const mode_t mode =
        exists_ && file.keep_mode ? old.st_mode & (file.mode | 0770) & 0777 : WithUmask(file.mode);
    const bool written = fchmod(fd, mode) == 0 && WriteAll(fd, file.content) && fsync(fd) == 0;
    const int error = errno;
    close(fd);
    return written ? absl::OkStatus() : Failed(path_, error);
  }

  // With `may_return` Undo() is possible afterwards.
  absl::Status Publish(bool may_return) {
    if (temporary_.empty()) return absl::OkStatus();
    // Not every file system can exchange two names; what then fails is told all the same.
    if (may_return && exists_ && Exchange()) {
      published_ = Published::kExchanged;
      return absl::OkStatus();
    }
    if (rename(temporary_.c_str(), target_.c_str()) != 0) return Failed(path_, errno);
    temporary_.clear();
    if (!exists_) published_ = Published::kNew;
    return absl::OkStatus();
  }

  void Undo() {
    if (published_ == Published::kExchanged) Exchange();
    if (published_ == Published::kNew) unlink(target_.c_str());
  }

 private:
  enum class Published { kNo, kExchanged, kNew };

  bool Exchange() const {
    return renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, target_.c_str(), RENAME_EXCHANGE) == 0;
  }

  absl::Status WriteThrough(std::string_view content) const {
    const int fd = open(target_.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return Failed(path_, errno);
    const bool written = WriteAll(fd, content);
    const int error = errno;
    close(fd);
    return written ? absl::OkStatus() : Failed(path_, error);
  }

  std::string path_;
  std::string target_;
  std::string temporary_;
  bool exists_ = false;
  Published published_ = Published::kNo;
};

}  // namespace

absl::Status WriteFile(const std::string& path, std::string_view content, mode_t mode) {
  const OutputFile file{.path = path, .content = content, .mode = mode};
  return WriteFiles({&file, 1});
}

absl::Status WriteFiles(absl::Span<const OutputFile> files) {
  std::vector<std::unique_ptr<Staged>> staged;
  for (const OutputFile& file : files) {
    staged.push_back(std::make_unique<Staged>(file));
    if (absl::Status status = staged.back()->Write(file); !status.ok()) return status;
  }
  for (const std::unique_ptr<Staged>& file : staged) {
    const absl::Status status = file->Publish(staged.size() > 1);
    if (status.ok()) continue;
    for (const std::unique_ptr<Staged>& changed : staged) changed->Undo();
    return status;
  }
  return absl::OkStatus();
}

}  // namespace calico::calicert
