// Releases: every Calico release that this binary can install, by version.
//
//   Releases& releases = Releases::Embedded();
//   absl::StatusOr<const Release*> release = releases.Find(releases.newest());
#ifndef CALICO_OPERATOR_RENDER_RELEASES_H_
#define CALICO_OPERATOR_RENDER_RELEASES_H_

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "operator/render/release.h"
#include "pkg/base/embedded_file.h"

namespace calico::render {

// Not thread-safe.
class Releases {
 public:
  // Every folder manifests/<version>/ of `files`; none is read yet. What is in manifests/shared/ is
  // for all of them. Errors: InvalidArgument: no folder, one that is not named like a release, two
  // of the same number. Lifetime: `files` outlive the result.
  static absl::StatusOr<Releases> Open(std::span<const base::EmbeddedFile> files);
  // Those inside this binary. Lifetime: static.
  static Releases& Embedded();

  // By folder: "v3.32". Read at the first call, and rendered once for an Installation that says
  // nothing and once for one that gives every value, so that a place that a value does not find
  // shows here; every combination of facts is tried by releases_test. Lifetime: this object's.
  // Errors: NotFound; InvalidArgument naming release, file, object and path.
  absl::StatusOr<const Release*> Find(std::string_view version);
  // Reads all of them. Errors: as Find; also for a shared file that no release lists.
  absl::Status CheckAll();

  // The oldest first; never empty.
  const std::vector<std::string>& versions() const { return versions_; }
  // What is installed unless another one is asked for.
  const std::string& newest() const { return versions_.back(); }

 private:
  std::span<const base::EmbeddedFile> files_;
  std::vector<std::string> versions_;
  std::map<std::string, Release, std::less<>> read_;  // by version
};

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_RELEASES_H_
