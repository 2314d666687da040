#include "operator/controllers/csr/watched_files.h"

#include <sys/stat.h>

#include <utility>

#include <fmt/format.h>

namespace calico::csr {
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

}  // namespace calico::csr
