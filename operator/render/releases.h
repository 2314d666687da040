// Releases: every Calico release that this binary can install, by version.
//
//   const absl::StatusOr<Releases>& releases = Releases::Embedded();
//   const Release& release = releases->Default();
#ifndef CALICO_OPERATOR_RENDER_RELEASES_H_
#define CALICO_OPERATOR_RENDER_RELEASES_H_

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "operator/render/release.h"
#include "pkg/base/embedded_file.h"

namespace calico::render {

// What is installed unless another release is asked for.
inline constexpr std::string_view kDefaultRelease = "v3.32";

class Releases {
 public:
  // Every folder manifests/<version>/ of `files`; what is in manifests/shared/ is for all of them.
  // Each release is rendered once for an Installation that says nothing and once for one that gives
  // every value, so that a place that a value does not find shows here; every combination of facts
  // is tried by releases_test. Errors: InvalidArgument naming release, file, object and path; also
  // when there is no release, and for a shared file that no release lists.
  static absl::StatusOr<Releases> Load(std::span<const base::EmbeddedFile> files);
  // Those inside this binary, loaded at the first call. Lifetime: static.
  static const absl::StatusOr<Releases>& Embedded();

  // By folder: "v3.32". Null if there is none. Lifetime: this object's.
  const Release* Find(std::string_view version) const;
  // kDefaultRelease, or the newest where there is no such folder. Lifetime: this object's.
  const Release& Default() const;
  // The oldest first.
  std::vector<std::string> versions() const;

 private:
  std::map<std::vector<int>, Release> by_number_;  // {3, 32}; never empty
};

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_RELEASES_H_
