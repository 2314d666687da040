// Files that somebody may replace while we run: ConfigMaps, Secrets, a CA on disk.
#ifndef CALICO_OPERATOR_CONTROLLERS_CSR_WATCHED_FILES_H_
#define CALICO_OPERATOR_CONTROLLERS_CSR_WATCHED_FILES_H_

#include <string>
#include <utility>
#include <vector>

namespace calico::csr {

// Whether files, or what the links to them point to, have changed. The kubelet replaces the files
// of a volume by renaming a link, so name and size tell nothing; inode and times do.
class WatchedFiles {
 public:
  explicit WatchedFiles(std::vector<std::string> paths) : paths_(std::move(paths)) {}

  // True if something is different from the last call, and the first time.
  bool Changed();

 private:
  std::vector<std::string> paths_;
  std::string last_;
};

}  // namespace calico::csr

#endif  // CALICO_OPERATOR_CONTROLLERS_CSR_WATCHED_FILES_H_
