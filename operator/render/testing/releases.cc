#include "operator/render/testing/releases.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "operator/render/manifests.h"
#include "operator/render/testing/second_release.h"
#include "pkg/base/check.h"

namespace calico::render {
namespace {

constexpr std::string_view kFirst = "manifests/v3.32/";

std::string NameOfSecond(std::string_view file) {
  return fmt::format("manifests/{}/{}", kSecondRelease, file);
}

}  // namespace

std::vector<base::EmbeddedFile> FilesOfTwoReleases() {
  static const auto& files = *new std::vector<base::EmbeddedFile>([] {
    std::vector<base::EmbeddedFile> all;
    for (const base::EmbeddedFile& file : Manifests()) {
      all.push_back(file);
      const std::string_view rest = file.name.substr(kFirst.size());
      if (rest == "release.yaml") continue;
      all.push_back({*new std::string(NameOfSecond(rest)), file.content});
    }
    for (const base::EmbeddedFile& file : SecondRelease()) all.push_back(file);
    return all;
  }());
  return files;
}

std::vector<base::EmbeddedFile> WithFile(std::string_view name, std::string_view content) {
  static auto& names = *new std::vector<std::string*>;
  std::vector<base::EmbeddedFile> files = FilesOfTwoReleases();
  names.push_back(new std::string(NameOfSecond(name)));
  std::erase_if(files, [&](const auto& file) { return file.name == *names.back(); });
  if (!content.empty()) files.push_back({*names.back(), content});
  return files;
}

std::string_view ContentOf(std::string_view name) {
  const std::vector<base::EmbeddedFile> files = FilesOfTwoReleases();
  const auto found = std::find_if(files.begin(), files.end(), [&](const auto& file) {
    return file.name == NameOfSecond(name);
  });
  CALICO_CHECK(found != files.end());
  return found->content;
}

}  // namespace calico::render
