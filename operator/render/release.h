// Release: what one Calico release needs, as the manifests in manifests/<version>/ say it, parsed
// once; and the names of its images.
#ifndef CALICO_OPERATOR_RENDER_RELEASE_H_
#define CALICO_OPERATOR_RENDER_RELEASE_H_

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/api/operator/installation.h"
#include "pkg/base/embedded_file.h"
#include "pkg/codec/json.h"

namespace calico::render {

// spec.registry, imagePath and imagePrefix; empty or "UseDefault": the release's own.
struct ImageSource {
  std::string registry;
  std::string path;
  std::string prefix;

  static ImageSource Of(const api::Installation& installation);
};

// images.yaml. Keys are what manifests write after `image:`.
class ImageTable {
 public:
  // Errors: InvalidArgument when a field is missing.
  static absl::StatusOr<ImageTable> Parse(const json::object& table);

  // "quay.io/calico/node:v3.32.1". Requires: the table has `key`.
  std::string Reference(std::string_view key, const ImageSource& source) const;
  // Every image, sorted.
  std::vector<std::string> References(const ImageSource& source) const;

 private:
  struct Image {
    std::string name;
    std::string tag;
  };
  std::string registry_;
  std::string path_;
  std::map<std::string, Image, std::less<>> images_;
};

class Release {
 public:
  // Errors: InvalidArgument naming the file, for a manifest that is no YAML or has an object
  // without kind or name, and when images.yaml is absent.
  static absl::StatusOr<Release> Load(std::span<const base::EmbeddedFile> files);
  // The release inside this binary. Lifetime: static.
  static const Release& Current();

  // The objects of one manifest in their order. Requires: the manifest is there.
  const std::vector<json::object>& Manifest(std::string_view name) const;
  const ImageTable& images() const { return images_; }
  // Of Calico: "v3.32.1".
  const std::string& calico_version() const { return calico_version_; }

 private:
  std::map<std::string, std::vector<json::object>, std::less<>> manifests_;  // "namespace"
  ImageTable images_;
  std::string calico_version_;
};

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_RELEASE_H_
