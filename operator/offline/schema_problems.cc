#include "operator/offline/schema_problems.h"

#include <string_view>

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
  for (const base::EmbeddedFile& file : crds::Crds()) {
    if (file.name.find(kOurFiles) == std::string_view::npos) continue;
    const absl::StatusOr<json::value> definition = codec::ParseYaml(file.content);
    if (!definition.ok() || !definition->is_object()) continue;
    const json::object* const schema = crds::SchemaOf(*definition);
    if (schema == nullptr) continue;
    for (const json::object* object : world.OfKind(KindOf(definition->get_object()))) {
      AddProblems(*schema, *object, problems);
    }
  }
  return problems;
}

}  // namespace calico::offline
