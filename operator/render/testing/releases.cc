#include "operator/render/testing/releases.h"

#include <algorithm>
#include <set>
#include <string>

#include <fmt/format.h>

#include "operator/render/manifests.h"
#include "operator/render/testing/second_release.h"
#include "pkg/base/check.h"

namespace calico::render {
namespace {

constexpr std::string_view kFirst = "manifests/v3.32/";

// Keeps the names, which files only point to.
std::string_view NameOfSecond(std::string_view file) {
  static auto& names = *new std::set<std::string>;
  return *names.insert(fmt::format("manifests/{}/{}", kSecondRelease, file)).first;
}

}  // namespace

std::vector<base::EmbeddedFile> FilesOfTwoReleases() {
  static const auto& files = *new std::vector<base::EmbeddedFile>([] {
    std::vector<base::EmbeddedFile> all;
    for (const base::EmbeddedFile& file : Manifests()) {
      all.push_back(file);
      if (!file.name.starts_with(kFirst)) continue;
      const std::string_view rest = file.name.substr(kFirst.size());
      if (rest == "release.yaml") continue;
      all.push_back({NameOfSecond(rest), file.content});
    }
    for (const base::EmbeddedFile& file : SecondRelease()) all.push_back(file);
    return all;
  }());
  return files;
}

std::vector<base::EmbeddedFile> WithFile(std::string_view name, std::string_view content) {
  std::vector<base::EmbeddedFile> files = FilesOfTwoReleases();
  const std::string_view full_name = NameOfSecond(name);
  std::erase_if(files, [&](const auto& file) { return file.name == full_name; });
  if (!content.empty()) files.push_back({full_name, content});
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
