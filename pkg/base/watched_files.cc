#include "pkg/base/watched_files.h"

#include <utility>

#include <absl/hash/hash.h>

#include "pkg/base/status_macros.h"

namespace calico::base {
namespace {

size_t HashOf(std::span<const SecretString> contents) {
  std::vector<absl::string_view> views;
  views.reserve(contents.size());
  for (const SecretString& content : contents) {
    views.emplace_back(content.view().data(), content.size());
  }
  return absl::HashOf(views);
}

}  // namespace

absl::StatusOr<std::vector<SecretString>> WatchedFiles::Read() const {
  std::vector<SecretString> contents;
  contents.reserve(paths_.size());
  for (const std::string& path : paths_) {
    CALICO_ASSIGN_OR_RETURN(SecretString content, read_(path));
    contents.push_back(std::move(content));
  }
  return contents;
}

WatchedFiles::News WatchedFiles::Refresh(Take take) {
  const absl::StatusOr<std::vector<SecretString>> contents = Read();
  absl::Status status = contents.status();
  if (contents.ok()) {
    const size_t hash = HashOf(*contents);
    if (status_.ok() && taken_ == hash) return News::kNone;
    status = take(*contents);
    if (status.ok()) taken_ = hash;
  }
  const bool is_same_error = status == status_;
  status_ = std::move(status);
  if (status_.ok()) return News::kTaken;
  return is_same_error ? News::kNone : News::kFailed;
}

}  // namespace calico::base
