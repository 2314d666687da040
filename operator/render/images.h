// The names of a release's images.
#ifndef CALICO_OPERATOR_RENDER_IMAGES_H_
#define CALICO_OPERATOR_RENDER_IMAGES_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/api/operator/image_set.h"
#include "pkg/api/operator/installation.h"
#include "pkg/codec/json.h"

namespace calico::render {

// spec.registry, imagePath and imagePrefix; empty or "UseDefault": the release's own.
struct ImageSource {
  std::string registry;
  std::string path;
  std::string prefix;

  static ImageSource Of(const api::Installation& installation);
};

// The images of release.yaml. Keys are what manifests write after `image:`, and names in an
// ImageSet.
class ImageTable {
 public:
  // Errors: InvalidArgument when a field is missing.
  static absl::StatusOr<ImageTable> Parse(const json::object& release);

  // "quay.io/calico/node:v3.32.1", or with a set "quay.io/calico/node@sha256:...". Our own image
  // has its tag in any case: a set that was made for Calico's own operator names another image
  // under that name. A set names an image once, whether it is that for FIPS mode or not.
  // Errors: NotFound for a key that the table lacks; that of api::FindDigest for one that the set
  // lacks.
  absl::StatusOr<std::string> Reference(std::string_view key, const ImageSource& source,
                                        const api::ImageSet* set = nullptr) const;
  // Every image, sorted.
  std::vector<std::string> References(const ImageSource& source) const;
  // The keys, by what Reference says without a set.
  std::map<std::string, std::string, std::less<>> KeysByReference(const ImageSource& source) const;

 private:
  struct Image {
    std::string name;
    std::string tag;
    std::string registry;  // empty: that of the release
  };
  // Without tag.
  std::string NameOf(const Image& image, const ImageSource& source) const;

  std::string registry_;
  std::string path_;
  std::map<std::string, Image, std::less<>> images_;
};

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_IMAGES_H_
