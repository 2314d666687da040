#include "operator/provision/pair_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include <absl/cleanup/cleanup.h>
#include <fmt/format.h>

#include "pkg/base/status_macros.h"

namespace calico::provision {
namespace {

constexpr std::string_view kDataLink = "..data";
constexpr std::string_view kSetPrefix = "..set_";

absl::Status FileError(std::string_view verb, const std::string& path) {
  const int error = errno;
  std::string message = fmt::format("{} {}: {}", verb, path, strerror(error));
  if (error == EACCES || error == EPERM || error == EROFS) {
    return absl::PermissionDeniedError(message);
  }
  if (error == ENOSPC || error == EDQUOT) return absl::ResourceExhaustedError(message);
  if (error == ENOENT) return absl::NotFoundError(message);
  return absl::UnavailableError(message);
}

absl::Status WriteAll(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError("write", path);
    content.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

enum class Sync { kNo, kYes };

absl::Status WriteNew(const std::string& path, std::string_view content, unsigned mode, Sync sync) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return FileError("create", path);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  if (fchmod(fd, mode) != 0) return FileError("chmod", path);
  CALICO_RETURN_IF_ERROR(WriteAll(fd, content, path));
  if (sync == Sync::kYes && fsync(fd) != 0) return FileError("fsync", path);
  return absl::OkStatus();
}

absl::Status SyncDirectory(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FileError("open", path);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  if (fsync(fd) != 0 && errno != EINVAL) return FileError("fsync", path);
  return absl::OkStatus();
}

// Makes `path` a symbolic link to `target`, replacing what is there in one step.
absl::Status ReplaceLink(const std::string& target, const std::string& path) {
  const std::string temporary = path + ".new";
  if (unlink(temporary.c_str()) != 0 && errno != ENOENT) return FileError("remove", temporary);
  if (symlink(target.c_str(), temporary.c_str()) != 0) return FileError("link", temporary);
  if (rename(temporary.c_str(), path.c_str()) != 0) return FileError("rename", path);
  return absl::OkStatus();
}

bool PointsTo(const std::string& path, const std::string& target) {
  char buffer[4096];
  const ssize_t length = readlink(path.c_str(), buffer, sizeof(buffer));
  return length > 0 && std::string_view(buffer, static_cast<size_t>(length)) == target;
}

void RemoveFolder(const std::string& path) {
  DIR* folder = opendir(path.c_str());
  if (folder == nullptr) return;
  while (const dirent* entry = readdir(folder)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") unlink((path + "/" + entry->d_name).c_str());
  }
  closedir(folder);
  rmdir(path.c_str());
}

// Sets left behind by a crash or replaced just now; failing to remove one is harmless.
void RemoveOtherSets(const std::string& directory, const std::string& keep) {
  DIR* folder = opendir(directory.c_str());
  if (folder == nullptr) return;
  std::vector<std::string> others;
  while (const dirent* entry = readdir(folder)) {
    const std::string_view name = entry->d_name;
    if (name.substr(0, kSetPrefix.size()) == kSetPrefix && name != keep) others.emplace_back(name);
  }
  closedir(folder);
  for (const std::string& name : others) RemoveFolder(directory + "/" + name);
}

}  // namespace

absl::Status ReplaceSet(const std::string& directory, const std::vector<SetFile>& files) {
  std::string set = fmt::format("{}/{}XXXXXX", directory, kSetPrefix);
  if (mkdtemp(set.data()) == nullptr) return FileError("create folder in", directory);
  const std::string set_name = set.substr(directory.size() + 1);
  absl::Cleanup remove_set = [&set] { RemoveFolder(set); };
  // mkdtemp makes it 0700; other containers of the pod may run as another user and read tls.crt.
  if (chmod(set.c_str(), 0755) != 0) return FileError("chmod", set);
  for (const SetFile& file : files) {
    CALICO_RETURN_IF_ERROR(WriteNew(set + "/" + file.name, file.content, file.mode, Sync::kYes));
  }
  CALICO_RETURN_IF_ERROR(SyncDirectory(set));
  for (const SetFile& file : files) {
    const std::string target = fmt::format("{}/{}", kDataLink, file.name);
    const std::string path = directory + "/" + file.name;
    if (!PointsTo(path, target)) CALICO_RETURN_IF_ERROR(ReplaceLink(target, path));
  }
  CALICO_RETURN_IF_ERROR(ReplaceLink(set_name, fmt::format("{}/{}", directory, kDataLink)));
  std::move(remove_set).Cancel();
  CALICO_RETURN_IF_ERROR(SyncDirectory(directory));
  RemoveOtherSets(directory, set_name);
  return absl::OkStatus();
}

absl::Status ReplaceFile(const std::string& path, std::string_view content, unsigned mode) {
  const std::string temporary = path + ".new";
  if (unlink(temporary.c_str()) != 0 && errno != ENOENT) return FileError("remove", temporary);
  absl::Cleanup remove_temporary = [&temporary] { unlink(temporary.c_str()); };
  CALICO_RETURN_IF_ERROR(WriteNew(temporary, content, mode, Sync::kNo));
  if (rename(temporary.c_str(), path.c_str()) != 0) return FileError("rename", path);
  std::move(remove_temporary).Cancel();
  return absl::OkStatus();
}

}  // namespace calico::provision
