// operator.tigera.io/v1 ImageSet: images by digest instead of by tag, for one release of Calico.
//
// The set of Calico v3.33.1 is called "calico-v3.33.1". No set at all is fine. Where there is one
// of another release of Calico, images by tag are not what the user wants: that is an error, and so
// is a set without an image that is rendered.
#ifndef CALICO_PKG_API_OPERATOR_IMAGE_SET_H_
#define CALICO_PKG_API_OPERATOR_IMAGE_SET_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include "pkg/api/meta/object_meta.h"

namespace calico::api {

struct ImageSet {
  ObjectMeta meta;  // No labels, annotations, owner references.
  // Of spec.images: "calico/node" -> "sha256:<64 hexadecimal digits>". The names are those of
  // images without registry; imagePath, imagePrefix and registry of the Installation are applied to
  // them as without a set. What is no digest is kept for ImageSetProblems to tell.
  std::map<std::string, std::string, std::less<>> digests;

  // Errors: InvalidArgument with every wrong field's path; an image that is named twice with
  // different digests is one.
  static absl::StatusOr<ImageSet> Decode(const json::object& object);
};

// "calico-v3.33.1"; `calico_version` is "v3.33.1".
std::string ImageSetName(std::string_view calico_version);

// The one of `sets` that is for `calico_version`; null when none is for Calico. Sets of other
// products (whose names do not begin with "calico") do not count.
// Errors: FailedPrecondition, naming what is there and what is missing.
// Lifetime: of `sets`.
absl::StatusOr<const ImageSet*> FindImageSet(absl::Span<const ImageSet> sets,
                                             std::string_view calico_version);

// What keeps `set` from being used for `images` ("calico/node"), one sentence for each image:
// missing, or with something else than a digest. What is in the set besides is not looked at: it
// may be for parts that are not installed.
std::vector<std::string> ImageSetProblems(const ImageSet& set,
                                          absl::Span<const std::string> images);

// The digest of `image`. Errors: NotFound and InvalidArgument, as ImageSetProblems says it.
absl::StatusOr<std::string_view> FindDigest(const ImageSet& set, std::string_view image);

}  // namespace calico::api

#endif  // CALICO_PKG_API_OPERATOR_IMAGE_SET_H_
