#include "operator/controllers/definitions/crd_check.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "crds/crds.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/installation_fields.h"
#include "pkg/codec/yaml.h"

namespace calico::definitions {
namespace {

constexpr size_t kMostNamed = 4;
constexpr std::string_view kArray = "[]";
constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

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

// What `ours` has and `theirs` does not; below a path that is missing, nothing is named.
void AddMissing(const json::object& ours, const json::object& theirs, const std::string& path,
                std::vector<std::string>& missing) {
  if (KeepsAll(theirs)) return;
  if (const json::object* const items = codec::FindObject(ours, "items")) {
    const json::object* const their_items = codec::FindObject(theirs, "items");
    if (their_items != nullptr) AddMissing(*items, *their_items, path + "[]", missing);
    return;
  }
  const json::object* const properties = codec::FindObject(ours, "properties");
  if (properties == nullptr) return;
  const json::object* const their_properties = codec::FindObject(theirs, "properties");
  for (const json::key_value_pair& member : *properties) {
    const std::string_view name = codec::KeyOf(member);
    const std::string field = fmt::format("{}.{}", path, name);
    const json::object* const their_schema =
        their_properties == nullptr ? nullptr : codec::FindObject(*their_properties, name);
    if (their_schema == nullptr) {
      missing.push_back(field);
    } else if (member.value().is_object()) {
      AddMissing(member.value().get_object(), *their_schema, field, missing);
    }
  }
}

const json::object* SpecSchemaOf(const json::object& definition) {
  const json::object* const schema = SchemaOf(definition);
  const json::object* const properties =
      schema == nullptr ? nullptr : codec::FindObject(*schema, "properties");
  return properties == nullptr ? nullptr : codec::FindObject(*properties, "spec");
}

std::string DefinitionName(const api::Resource& resource) {
  return fmt::format("{}.{}", resource.plural, resource.group);
}

json::object OwnDefinition(const api::Resource& resource) {
  for (const base::EmbeddedFile& file : crds::Crds()) {
    absl::StatusOr<json::value> definition = codec::ParseYaml(file.content);
    if (!definition.ok() || !definition->is_object()) continue;
    const json::object* const metadata = codec::FindObject(definition->get_object(), "metadata");
    if (metadata != nullptr && codec::TextAt(*metadata, "name") == DefinitionName(resource)) {
      return std::move(definition->get_object());
    }
  }
  return {};
}

std::string Named(std::vector<std::string> fields) {
  const size_t more = fields.size() > kMostNamed ? fields.size() - kMostNamed : 0;
  fields.resize(fields.size() - more);
  return fmt::format("{}{}", fmt::join(fields, ", "),
                     more == 0 ? "" : fmt::format(" and {} more", more));
}

// Whether `object` has `path`, with `prefix` before each name ("f:" in managedFields).
bool Has(const json::object& object, std::string_view path, std::string_view prefix) {
  const json::object* at = &object;
  while (true) {
    const size_t dot = path.find('.');
    const json::value* const found =
        at->if_contains(fmt::format("{}{}", prefix, path.substr(0, dot)));
    if (found == nullptr) return false;
    if (dot == std::string_view::npos) return true;
    if (!found->is_object()) return false;
    at = &found->get_object();
    path.remove_prefix(dot + 1);
  }
}

// What somebody wrote once.
struct Writing {
  json::object fields;
  std::string_view prefix;  // of each name
};

std::vector<Writing> WritingsOf(const json::object& object) {
  std::vector<Writing> writings;
  const json::object* const metadata = codec::FindObject(object, "metadata");
  if (metadata == nullptr) return writings;
  if (const json::array* const managed = codec::FindArray(*metadata, "managedFields")) {
    for (const json::value& entry : *managed) {
      if (!entry.is_object()) continue;
      const json::object* const fields = codec::FindObject(entry.get_object(), "fieldsV1");
      if (fields != nullptr && fields->contains("f:spec")) writings.push_back({*fields, "f:"});
    }
  }
  const json::object* const annotations = codec::FindObject(*metadata, "annotations");
  if (annotations == nullptr) return writings;
  absl::StatusOr<json::object> applied =
      codec::ParseJsonObject(codec::TextAt(*annotations, kLastApplied));
  if (applied.ok()) writings.push_back({*std::move(applied), ""});
  return writings;
}

WholeDefinition IdOf(const json::object& definition) {
  api::ObjectMeta meta = api::ObjectMetaOf(definition);
  return {std::move(meta.uid), std::move(meta.resource_version)};
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

std::vector<std::string> MissingFields(const json::object& ours, const json::object& definition) {
  std::vector<std::string> missing;
  const json::object* const own_schema = SpecSchemaOf(ours);
  const json::object* const schema = SpecSchemaOf(definition);
  if (own_schema != nullptr && schema != nullptr) AddMissing(*own_schema, *schema, "spec", missing);
  return missing;
}

aio::Task<absl::StatusOr<std::vector<std::string>>> ReadPrunedFields(kube::Client& client,
                                                                     const api::Resource& resource,
                                                                     WholeDefinition& whole) {
  const api::ObjectKey key = {"", DefinitionName(resource)};
  if (!whole.uid.empty()) {
    const absl::StatusOr<json::object> metadata =
        co_await client.GetMetadata(api::kCustomResourceDefinitions, key);
    if (metadata.ok() && IdOf(*metadata) == whole) co_return std::vector<std::string>();
    whole = {};
  }
  const absl::StatusOr<json::object> definition =
      co_await client.Get(api::kCustomResourceDefinitions, key);
  if (absl::IsNotFound(definition.status())) co_return std::vector<std::string>();
  if (!definition.ok()) co_return definition.status();
  std::vector<std::string> pruned = resource == api::kInstallations
                                        ? PrunedFields(*definition)
                                        : MissingFields(OwnDefinition(resource), *definition);
  if (pruned.empty()) whole = IdOf(*definition);
  co_return pruned;
}

std::optional<std::vector<std::string>> LostFields(const json::object& object,
                                                   const std::vector<std::string>& fields) {
  const std::vector<Writing> writings = WritingsOf(object);
  if (writings.empty()) return std::nullopt;
  std::vector<std::string> lost;
  for (const std::string& field : fields) {
    // Elements of a list are not told apart.
    const std::string path = field.substr(0, field.find(kArray));
    const bool is_there = Has(object, path, "");
    if (is_there && path != field) return std::nullopt;
    const bool was_written = std::any_of(
        writings.begin(), writings.end(),
        [&](const Writing& writing) { return Has(writing.fields, path, writing.prefix); });
    if (was_written && !is_there) lost.push_back(field);
  }
  return lost;
}

std::string PrunedMessage(const api::Resource& resource, const std::vector<std::string>& fields) {
  return fmt::format(
      "CustomResourceDefinition {} is older than this operator and drops {}: run `kubectl apply "
      "--server-side --force-conflicts -f crds.yaml` with the crds.yaml of this version (also from "
      "`calico-operator --print-crds`); until then nothing is changed. What was dropped comes back "
      "by itself unless the {} was written meanwhile",
      DefinitionName(resource), Named(fields), resource.kind);
}

std::string LostMessage(const api::Resource& resource, std::string_view name,
                        const std::vector<std::string>& fields) {
  return fmt::format(
      "{} {} was stored by an older CustomResourceDefinition and may have lost {}: apply it again "
      "with all that it shall say; until then nothing is changed, because pods would be replaced. "
      "If it has lost nothing, restart the operator",
      resource.kind, name, Named(fields));
}

}  // namespace calico::definitions
