#include "operator/render/images.h"

#include <algorithm>

#include <fmt/format.h>

#include "operator/render/names.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"

namespace calico::render {
namespace {

// Another tag of the same image, which a set names once.
constexpr std::string_view kFipsSuffix = "-fips";

bool IsDefault(std::string_view value) { return value.empty() || value == api::kUseDefault; }

std::string_view TrimSlashes(std::string_view text) {
  while (text.starts_with('/')) text.remove_prefix(1);
  while (text.ends_with('/')) text.remove_suffix(1);
  return text;
}

}  // namespace

ImageSource ImageSource::Of(const api::Installation& installation) {
  return {installation.registry, installation.image_path, installation.image_prefix};
}

absl::StatusOr<ImageTable> ImageTable::Parse(const json::object& release) {
  codec::Decoder decoder("release");
  const codec::ObjectReader reader = decoder.Read(release);
  ImageTable result;
  result.registry_ = reader.RequiredString("registry");
  result.path_ = reader.RequiredString("path");
  const codec::ObjectReader images = reader.RequiredObject("images");
  if (images.exists()) {
    for (const auto& entry : images.object()) {
      const codec::ObjectReader image = images.RequiredObject(entry.key());
      result.images_.emplace(std::string(entry.key()),
                             Image{image.RequiredString("image"), image.RequiredString("tag"),
                                   image.String("registry")});
    }
  }
  CALICO_RETURN_IF_ERROR(decoder.status());
  return result;
}

std::string ImageTable::NameOf(const Image& image, const ImageSource& source) const {
  const std::string& own_registry = image.registry.empty() ? registry_ : image.registry;
  const std::string_view registry =
      TrimSlashes(IsDefault(source.registry) ? own_registry : source.registry);
  const std::string_view path = TrimSlashes(IsDefault(source.path) ? path_ : source.path);
  const std::string_view prefix = IsDefault(source.prefix) ? std::string_view() : source.prefix;
  return fmt::format("{}{}{}{}{}{}", registry, registry.empty() ? "" : "/", path,
                     path.empty() ? "" : "/", prefix, image.name);
}

absl::StatusOr<std::string> ImageTable::Reference(std::string_view key, const ImageSource& source,
                                                  const api::ImageSet* set) const {
  const auto found = images_.find(key);
  if (found == images_.end()) {
    return absl::NotFoundError(fmt::format("no image {} in the release", key));
  }
  const std::string name = NameOf(found->second, source);
  if (set == nullptr || key == kProvisionerImage) {
    return fmt::format("{}:{}", name, found->second.tag);
  }
  if (key.ends_with(kFipsSuffix)) key.remove_suffix(kFipsSuffix.size());
  CALICO_ASSIGN_OR_RETURN(const std::string_view digest, api::FindDigest(*set, key));
  return fmt::format("{}@{}", name, digest);
}

std::vector<std::string> ImageTable::References(const ImageSource& source) const {
  std::vector<std::string> references;
  references.reserve(images_.size());
  for (const auto& [key, image] : images_) {
    references.push_back(fmt::format("{}:{}", NameOf(image, source), image.tag));
  }
  std::sort(references.begin(), references.end());
  return references;
}

std::map<std::string, std::string, std::less<>> ImageTable::KeysByReference(
    const ImageSource& source) const {
  std::map<std::string, std::string, std::less<>> keys;
  for (const auto& [key, image] : images_) {
    keys[fmt::format("{}:{}", NameOf(image, source), image.tag)] = key;
  }
  return keys;
}

}  // namespace calico::render
