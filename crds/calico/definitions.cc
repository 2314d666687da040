#include "crds/calico/definitions.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "crds/calico/files.h"
#include "pkg/base/release_order.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"
#include "pkg/codec/yaml.h"

namespace calico::crds {
namespace {

constexpr std::string_view kList = "releases.yaml";

std::optional<std::string_view> FindFile(std::string_view name) {
  for (const base::EmbeddedFile& file : CalicoFiles()) {
    if (file.name == name) return file.content;
  }
  return std::nullopt;
}

struct Listed {
  std::string release;
  std::vector<std::string> names;
};

// What releases.yaml says about the newest release that is not newer than `release`.
absl::StatusOr<Listed> Find(std::string_view release) {
  const std::optional<std::string_view> text = FindFile(kList);
  if (!text.has_value()) return absl::InvalidArgumentError("crds/calico: no releases.yaml");
  CALICO_ASSIGN_OR_RETURN(const json::value document, codec::ParseYaml(*text));
  const json::object root{{"releases", document}};
  codec::Decoder decoder(kList);
  Listed found;
  decoder.Read(root).ForEach("releases", [&](const codec::ObjectReader& entry) {
    std::string name = entry.RequiredString("release");
    const bool fits = found.release.empty() || !base::IsLaterRelease(name, release);
    if (fits) found = {std::move(name), entry.StringList("definitions")};
  });
  CALICO_RETURN_IF_ERROR(decoder.status());
  return found;
}

// The text of each definition of `release`.
absl::StatusOr<std::vector<std::string_view>> TextsOf(std::string_view release) {
  CALICO_ASSIGN_OR_RETURN(const Listed listed, Find(release));
  std::vector<std::string_view> texts;
  for (const std::string& name : listed.names) {
    std::optional<std::string_view> text =
        FindFile(fmt::format("{}/{}.yaml", listed.release, name));
    if (!text.has_value()) text = FindFile(fmt::format("shared/{}.yaml", name));
    if (!text.has_value()) {
      return absl::InvalidArgumentError(
          fmt::format("crds/calico: {} has no file {}.yaml", listed.release, name));
    }
    texts.push_back(*text);
  }
  return texts;
}

}  // namespace

absl::StatusOr<std::vector<json::object>> CalicoDefinitions(std::string_view release) {
  CALICO_ASSIGN_OR_RETURN(const std::vector<std::string_view> texts, TextsOf(release));
  std::vector<json::object> definitions;
  for (const std::string_view text : texts) {
    CALICO_ASSIGN_OR_RETURN(json::value definition, codec::ParseYaml(text));
    if (!definition.is_object()) {
      return absl::InvalidArgumentError("crds/calico: a definition is no object");
    }
    definitions.push_back(std::move(definition.get_object()));
  }
  return definitions;
}

absl::StatusOr<std::string> CalicoManifests(std::string_view release) {
  CALICO_ASSIGN_OR_RETURN(const std::vector<std::string_view> texts, TextsOf(release));
  std::string manifests;
  for (const std::string_view text : texts) {
    manifests += fmt::format("{}{}", manifests.empty() ? "" : "---\n", text);
  }
  return manifests;
}

}  // namespace calico::crds
