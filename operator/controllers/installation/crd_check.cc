#include "operator/controllers/installation/crd_check.h"

#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/installation.h"

namespace calico::installation {
namespace {

constexpr size_t kMostNamed = 4;
constexpr std::string_view kArray = "[]";

const json::object* SchemaOf(const json::object& definition) {
  const json::object* const spec = codec::FindObject(definition, "spec");
  const json::array* const versions =
      spec == nullptr ? nullptr : codec::FindArray(*spec, "versions");
  if (versions == nullptr) return nullptr;
  for (const json::value& version : *versions) {
    if (!version.is_object()) continue;
    if (codec::TextAt(version.get_object(), "name") != api::kInstallations.version) continue;
    const json::object* const schema = codec::FindObject(version.get_object(), "schema");
    return schema == nullptr ? nullptr : codec::FindObject(*schema, "openAPIV3Schema");
  }
  return nullptr;
}

// Everything below is kept, whatever it is.
bool KeepsAll(const json::object& schema) {
  const json::value* const keeps = schema.if_contains("x-kubernetes-preserve-unknown-fields");
  return keeps != nullptr && keeps->is_bool() && keeps->get_bool();
}

// Whether a field at `path` ("spec.calicoNetwork.ipPools[].cidr") is kept.
bool Keeps(const json::object& root, std::string_view path) {
  const json::object* schema = &root;
  while (!path.empty()) {
    if (KeepsAll(*schema)) return true;
    const size_t dot = path.find('.');
    std::string_view name = path.substr(0, dot);
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    const bool is_array = name.ends_with(kArray);
    if (is_array) name.remove_suffix(kArray.size());
    const json::object* const properties = codec::FindObject(*schema, "properties");
    schema = properties == nullptr ? nullptr : codec::FindObject(*properties, name);
    if (schema == nullptr) return false;
    if (!is_array) continue;
    if (KeepsAll(*schema)) return true;
    schema = codec::FindObject(*schema, "items");
    if (schema == nullptr) return false;
  }
  return true;
}

}  // namespace

std::vector<std::string> PrunedFields(const json::object& definition) {
  std::vector<std::string> pruned;
  const json::object* const schema = SchemaOf(definition);
  if (schema == nullptr) return pruned;
  for (const api::InstallationField& field : api::InstallationFields()) {
    if (field.use != api::InstallationField::Use::kRendered) continue;
    if (!Keeps(*schema, field.path)) pruned.emplace_back(field.path);
  }
  return pruned;
}

aio::Task<absl::Status> CheckInstallationCrd(kube::Client& client) {
  const std::string name =
      fmt::format("{}.{}", api::kInstallations.plural, api::kInstallations.group);
  const absl::StatusOr<json::object> definition =
      co_await client.Get(api::kCustomResourceDefinitions, {"", name});
  if (absl::IsPermissionDenied(definition.status()) || absl::IsNotFound(definition.status())) {
    co_return absl::OkStatus();
  }
  if (!definition.ok()) co_return definition.status();
  std::vector<std::string> pruned = PrunedFields(*definition);
  if (pruned.empty()) co_return absl::OkStatus();
  const size_t more = pruned.size() > kMostNamed ? pruned.size() - kMostNamed : 0;
  pruned.resize(pruned.size() - more);
  co_return absl::FailedPreconditionError(fmt::format(
      "CustomResourceDefinition {} is older than this operator and drops {}{}: run `kubectl apply "
      "--server-side --force-conflicts -f crds.yaml` with the crds.yaml of this version (also from "
      "`calico-operator --print-crds`), then apply the Installation again; until then nothing is "
      "changed",
      name, fmt::join(pruned, ", "), more == 0 ? "" : fmt::format(" and {} more", more)));
}

}  // namespace calico::installation
