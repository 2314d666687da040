// Files that somebody may replace while we run: ConfigMaps, Secrets, a CA or a token on disk.
#ifndef CALICO_PKG_BASE_WATCHED_FILES_H_
#define CALICO_PKG_BASE_WATCHED_FILES_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "pkg/base/file.h"

namespace calico::base {

// Files that belong together, and whether they hold something new. The content decides: names,
// sizes and times tell too little about a volume whose files are links, or a file written twice
// within a moment. Of the content only a hash is kept.
//
// The owner keeps what it made of the files, so a set that cannot serve leaves the last good one.
// Threading: one thread at a time.
class WatchedFiles {
 public:
  enum class News {
    kNone,    // the same as at the last look, good or bad
    kTaken,   // `take` has accepted what the files hold now
    kFailed,  // status() is another error than at the last look
  };
  // Makes the owner's value of the files' content, in the order of the paths. Errors: of the
  // content, with the path; it is asked again at each look until it takes the files.
  using Take = absl::FunctionRef<absl::Status(std::span<const SecretString> contents)>;

  explicit WatchedFiles(std::vector<std::string> paths, FileReader read = ReadSecretFile)
      : paths_(std::move(paths)), read_(std::move(read)) {}

  // Reads all files, and hands them to `take` when they differ from those it took last, or when the
  // last look failed. Blocking: small files.
  News Refresh(Take take);
  // The next look hands the files to `take` whatever they hold, because what they are good for
  // changes with the time, say.
  void Forget() { taken_.reset(); }
  // How the last look ended. Errors: the reader's, with the path; those of `take`.
  const absl::Status& status() const { return status_; }

 private:
  absl::StatusOr<std::vector<SecretString>> Read() const;

  const std::vector<std::string> paths_;
  const FileReader read_;
  std::optional<size_t> taken_;
  absl::Status status_;
};

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_WATCHED_FILES_H_
