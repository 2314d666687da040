#include "pkg/api/operator/image_set.h"

#include <algorithm>

#include <absl/strings/ascii.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"

namespace calico::api {
namespace {

using codec::ObjectReader;

constexpr std::string_view kPrefix = "calico";
constexpr std::string_view kAlgorithm = "sha256:";
constexpr size_t kDigits = 64;
// A set is a dozen images; whoever makes a hundred sets does not need to see all of them named.
constexpr size_t kMostNamed = 4;

// As container runtimes take it: no capital letters.
bool IsDigest(std::string_view text) {
  if (!text.starts_with(kAlgorithm)) return false;
  text.remove_prefix(kAlgorithm.size());
  return text.size() == kDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

absl::StatusOr<ImageSet> ImageSet::Decode(const json::object& object) {
  codec::Decoder decoder("ImageSet");
  const ObjectReader root = decoder.Read(object);
  ImageSet set{.meta = ReadObjectMeta(root, {})};
  root.Object("spec").ForEach("images", [&set](const ObjectReader& entry) {
    const auto [known, added] =
        set.digests.emplace(entry.RequiredString("image"), entry.RequiredString("digest"));
    if (added || known->first.empty() || known->second == entry.StringView("digest")) return;
    entry.Fail("digest", fmt::format("{} is in the list before with another one", known->first));
  });
  CALICO_RETURN_IF_ERROR(decoder.status());
  return set;
}

std::string ImageSetName(std::string_view calico_version) {
  return fmt::format("{}-{}", kPrefix, calico_version);
}

absl::StatusOr<const ImageSet*> FindImageSet(absl::Span<const ImageSet> sets,
                                             std::string_view calico_version) {
  const std::string wanted = ImageSetName(calico_version);
  std::vector<std::string_view> others;
  for (const ImageSet& set : sets) {
    if (set.meta.name == wanted) return &set;
    if (set.meta.name.starts_with(kPrefix)) others.push_back(set.meta.name);
  }
  if (others.empty()) return nullptr;
  std::sort(others.begin(), others.end());
  const size_t more = others.size() > kMostNamed ? others.size() - kMostNamed : 0;
  others.resize(others.size() - more);
  return absl::FailedPreconditionError(fmt::format(
      "ImageSets of Calico exist ({}{}), but none named {}: create it with the digests of this "
      "release, or delete the others to use images by tag",
      fmt::join(others, ", "), more == 0 ? "" : fmt::format(" and {} more", more), wanted));
}

std::vector<std::string> ImageSetProblems(const ImageSet& set,
                                          absl::Span<const std::string> images) {
  std::vector<std::string> problems;
  for (const std::string& image : images) {
    const absl::Status status = FindDigest(set, image).status();
    if (!status.ok()) problems.emplace_back(status.message());
  }
  return problems;
}

absl::StatusOr<std::string_view> FindDigest(const ImageSet& set, std::string_view image) {
  const auto found = set.digests.find(image);
  if (found == set.digests.end()) {
    return absl::NotFoundError(
        fmt::format("ImageSet {} has no image {}: add it to spec.images with its digest",
                    set.meta.name, image));
  }
  if (!IsDigest(found->second)) {
    return absl::InvalidArgumentError(
        fmt::format("ImageSet {}: the digest of {} must be sha256: and 64 hexadecimal digits",
                    set.meta.name, image));
  }
  return found->second;
}

}  // namespace calico::api
