#include "operator/render/release.h"

#include <algorithm>
#include <utility>

#include <absl/strings/match.h>
#include <absl/strings/strip.h>
#include <fmt/format.h>

#include "operator/render/manifests.h"
#include "operator/render/object_path.h"
#include "pkg/base/check.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"
#include "pkg/codec/yaml.h"

namespace calico::render {
namespace {

constexpr std::string_view kImagesFile = "images";

bool IsDefault(std::string_view value) { return value.empty() || value == api::kUseDefault; }

// "manifests/v3.32/calico-node.yaml" -> "calico-node".
std::string_view BaseName(std::string_view file) {
  file.remove_prefix(file.rfind('/') + 1);
  return file.substr(0, file.rfind('.'));
}

std::string_view TrimSlashes(std::string_view text) {
  while (text.starts_with('/')) text.remove_prefix(1);
  while (text.ends_with('/')) text.remove_suffix(1);
  return text;
}

}  // namespace

ImageSource ImageSource::Of(const api::Installation& installation) {
  return {installation.registry, installation.image_path, installation.image_prefix};
}

absl::StatusOr<ImageTable> ImageTable::Parse(const json::object& table) {
  codec::Decoder decoder("images");
  const codec::ObjectReader reader = decoder.Read(table);
  ImageTable result;
  result.registry_ = reader.RequiredString("registry");
  result.path_ = reader.RequiredString("path");
  const codec::ObjectReader images = reader.RequiredObject("images");
  if (images.exists()) {
    for (const auto& entry : images.object()) {
      const codec::ObjectReader image = images.RequiredObject(entry.key());
      result.images_.emplace(std::string(entry.key()),
                             Image{image.RequiredString("image"), image.RequiredString("tag")});
    }
  }
  CALICO_RETURN_IF_ERROR(decoder.status());
  return result;
}

std::string ImageTable::Reference(std::string_view key, const ImageSource& source) const {
  const auto found = images_.find(key);
  CALICO_CHECK(found != images_.end());
  const std::string_view registry =
      TrimSlashes(IsDefault(source.registry) ? registry_ : source.registry);
  const std::string_view path = TrimSlashes(IsDefault(source.path) ? path_ : source.path);
  const std::string_view prefix = IsDefault(source.prefix) ? std::string_view() : source.prefix;
  return fmt::format("{}{}{}{}{}{}:{}", registry, registry.empty() ? "" : "/", path,
                     path.empty() ? "" : "/", prefix, found->second.name, found->second.tag);
}

std::vector<std::string> ImageTable::References(const ImageSource& source) const {
  std::vector<std::string> references;
  references.reserve(images_.size());
  for (const auto& [key, image] : images_) references.push_back(Reference(key, source));
  std::sort(references.begin(), references.end());
  return references;
}

absl::StatusOr<Release> Release::Load(std::span<const base::EmbeddedFile> files) {
  Release release;
  for (const base::EmbeddedFile& file : files) {
    absl::StatusOr<std::vector<json::value>> documents = codec::ParseYamlDocuments(file.content);
    if (!documents.ok()) return base::Annotate(documents.status(), std::string(file.name));
    std::vector<json::object> objects;
    for (json::value& document : *documents) {
      if (!document.is_object()) {
        return absl::InvalidArgumentError(fmt::format("{}: not an object", file.name));
      }
      objects.push_back(std::move(document.get_object()));
    }
    if (BaseName(file.name) == kImagesFile && objects.size() == 1) {
      CALICO_ASSIGN_OR_RETURN(release.images_, ImageTable::Parse(objects.front()));
      release.calico_version_ = TextAt(objects.front(), "calicoVersion");
      continue;
    }
    for (const json::object& object : objects) {
      if (KindOf(object).empty() || NameOf(object).empty()) {
        return absl::InvalidArgumentError(
            fmt::format("{}: an object without kind or name", file.name));
      }
    }
    release.manifests_.emplace(std::string(BaseName(file.name)), std::move(objects));
  }
  if (release.calico_version_.empty()) {
    return absl::InvalidArgumentError("images.yaml: calicoVersion is missing");
  }
  return release;
}

const Release& Release::Current() {
  static const Release release = [] {
    absl::StatusOr<Release> loaded = Load(Manifests());
    CALICO_CHECK(loaded.ok());
    return *std::move(loaded);
  }();
  return release;
}

const std::vector<json::object>& Release::Manifest(std::string_view name) const {
  const auto found = manifests_.find(name);
  CALICO_CHECK(found != manifests_.end());
  return found->second;
}

}  // namespace calico::render
