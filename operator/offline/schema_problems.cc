#include "operator/offline/schema_problems.h"

#include <string_view>
#include <utility>

#include <absl/status/statusor.h>
#include <fmt/format.h>

#include "crds/crds.h"
#include "crds/schema.h"
#include "pkg/api/operator/installation.h"
#include "pkg/codec/yaml.h"

namespace calico::offline {
namespace {

// Only definitions of this group: others are not ours to judge.
constexpr std::string_view kOurFiles = "operator.tigera.io_";

std::string_view KindOf(const json::object& definition) {
  const json::object* const spec = codec::FindObject(definition, "spec");
  const json::object* const names = spec == nullptr ? nullptr : codec::FindObject(*spec, "names");
  return names == nullptr ? std::string_view() : codec::TextAt(*names, "kind");
}

struct Definition {
  std::string kind;
  json::value content;
  const json::object* schema = nullptr;  // in `content`
};

// Read once: they are the program's own.
const std::vector<Definition>& OurDefinitions() {
  static const auto* const definitions = [] {
    auto* const read = new std::vector<Definition>;
    for (const base::EmbeddedFile& file : crds::Crds()) {
      if (file.name.find(kOurFiles) == std::string_view::npos) continue;
      absl::StatusOr<json::value> content = codec::ParseYaml(file.content);
      if (!content.ok() || !content->is_object()) continue;
      std::string kind(KindOf(content->get_object()));
      read->push_back({std::move(kind), *std::move(content)});
    }
    for (Definition& definition : *read) definition.schema = crds::SchemaOf(definition.content);
    return read;
  }();
  return *definitions;
}

// Violations name a path below the object: ".spec.x: ...".
void AddProblems(const json::object& schema, const json::object& object,
                 std::vector<std::string>& problems) {
  const json::object* const metadata = codec::FindObject(object, "metadata");
  const std::string_view name = metadata == nullptr ? "" : codec::TextAt(*metadata, "name");
  const std::string_view kind = codec::TextAt(object, "kind");
  const bool is_plain = kind == "Installation" && name == api::kInstallationName;
  for (const std::string& violation : crds::Violations(schema, object, "")) {
    const std::string_view text = std::string_view(violation).substr(violation.starts_with('.'));
    problems.push_back(is_plain ? std::string(text) : fmt::format("{} {}: {}", kind, name, text));
  }
}

}  // namespace

std::vector<std::string> SchemaProblems(const World& world) {
  std::vector<std::string> problems;
  for (const Definition& definition : OurDefinitions()) {
    if (definition.schema == nullptr) continue;
    for (const json::object* object : world.OfKind(definition.kind)) {
      AddProblems(*definition.schema, *object, problems);
    }
  }
  return problems;
}

}  // namespace calico::offline
