#include "operator/controllers/definitions/crd_decision.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "crds/calico/definitions.h"
#include "operator/render/names.h"
#include "pkg/base/release_order.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"
#include "pkg/codec/yaml.h"
#include "pkg/kube/schema/compare.h"

namespace calico::definitions {
namespace {

constexpr size_t kMostFields = 16;
constexpr size_t kMostNamed = 4;

const json::object kNone;

const json::object& ObjectIn(const json::object& object, std::string_view key) {
  const json::object* const found = codec::FindObject(object, key);
  return found == nullptr ? kNone : *found;
}

std::string_view NameOf(const json::object& object) {
  return codec::TextAt(ObjectIn(object, "metadata"), "name");
}

std::string_view SourceOf(const json::object& definition) {
  return codec::TextAt(ObjectIn(ObjectIn(definition, "metadata"), "annotations"),
                       kSourceAnnotation);
}

void SetSource(json::object& definition, std::string_view source) {
  json::object& metadata = definition["metadata"].as_object();
  if (codec::FindObject(metadata, "annotations") == nullptr) {
    metadata["annotations"] = json::object();
  }
  metadata["annotations"].as_object()[kSourceAnnotation] = source;
}

const json::object* FindVersion(const json::object& definition, std::string_view name) {
  const json::array* const versions = codec::FindArray(ObjectIn(definition, "spec"), "versions");
  if (versions == nullptr) return nullptr;
  for (const json::value& version : *versions) {
    if (version.is_object() && codec::TextAt(version.get_object(), "name") == name) {
      return &version.get_object();
    }
  }
  return nullptr;
}

const json::object& SchemaOf(const json::object& version) {
  return ObjectIn(ObjectIn(version, "schema"), "openAPIV3Schema");
}

bool IsTrue(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

// Collects what `from` describes and `to` does not keep.
class FieldWalk {
 public:
  // `counts_unknown`: whether that all fields are kept is something to lose.
  explicit FieldWalk(bool counts_unknown) : counts_unknown_(counts_unknown) {}

  void Compare(const json::object& from, const json::object& to, const std::string& path) {
    if (lost_.size() >= kMostFields || IsTrue(to, kKeepsUnknown)) return;
    if (counts_unknown_ && IsTrue(from, kKeepsUnknown)) return Lose(path + ".*");
    CompareProperties(from, to, path);
    for (const std::string_view key : {"items", "additionalProperties"}) {
      const json::object* const before = codec::FindObject(from, key);
      if (before == nullptr) continue;
      const json::object* const after = codec::FindObject(to, key);
      const std::string below = path + (key == "items" ? "[]" : ".*");
      if (after == nullptr) {
        if (!to.contains(key)) Lose(below);
        continue;
      }
      Compare(*before, *after, below);
    }
  }
  std::vector<std::string> Take() && { return std::move(lost_); }

 private:
  static constexpr std::string_view kKeepsUnknown = "x-kubernetes-preserve-unknown-fields";

  void Lose(std::string path) {
    if (lost_.size() < kMostFields) lost_.push_back(std::move(path));
  }
  void CompareProperties(const json::object& from, const json::object& to,
                         const std::string& path) {
    const json::object& properties = ObjectIn(to, "properties");
    for (const auto& member : ObjectIn(from, "properties")) {
      const std::string_view name = codec::KeyOf(member);
      // What every object has is no matter of the schema.
      if (path.empty() && (name == "metadata" || name == "apiVersion" || name == "kind")) continue;
      const std::string below = path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
      const json::object* const kept = codec::FindObject(properties, name);
      if (kept == nullptr) {
        Lose(below);
      } else if (member.value().is_object()) {
        Compare(member.value().get_object(), *kept, below);
      }
    }
  }

  const bool counts_unknown_;
  std::vector<std::string> lost_;
};

// Fields that `wanted` names and `live` drops.
std::vector<std::string> Dropped(const json::object& wanted, const json::object& live) {
  FieldWalk walk(/*counts_unknown=*/false);
  walk.Compare(wanted, live, "");
  return std::move(walk).Take();
}

std::string Named(std::vector<std::string> fields) {
  const size_t more = fields.size() > kMostNamed ? fields.size() - kMostNamed : 0;
  fields.resize(fields.size() - more);
  return fmt::format("{}{}", fmt::join(fields, ", "), more == 0 ? "" : " and more");
}

// Who else has set something of the definition; empty: nobody.
std::string OtherManager(const json::object& live) {
  const json::array* const entries = codec::FindArray(ObjectIn(live, "metadata"), "managedFields");
  if (entries == nullptr) return "somebody";
  for (const json::value& entry : *entries) {
    if (!entry.is_object()) continue;
    const std::string_view manager = codec::TextAt(entry.get_object(), "manager");
    const bool has_spec = ObjectIn(entry.get_object(), "fieldsV1").contains("f:spec");
    if (has_spec && manager != render::kFieldManager) return std::string(manager);
  }
  return "";
}

// A version in which objects are stored and which `wanted` does not have.
std::optional<std::string> StoredBeyond(const json::object& live, const json::object& wanted) {
  const json::array* const stored = codec::FindArray(ObjectIn(live, "status"), "storedVersions");
  if (stored == nullptr) return std::nullopt;
  for (const json::value& version : *stored) {
    if (!version.is_string()) continue;
    const std::string_view name = codec::View(version.get_string());
    if (FindVersion(wanted, name) == nullptr) return std::string(name);
  }
  return std::nullopt;
}

bool IsSpecEqual(const json::object& live, const json::object& wanted) {
  json::object spec_only{{"apiVersion", wanted.at("apiVersion")}, {"kind", wanted.at("kind")}};
  spec_only["metadata"] = json::object{{"name", json::string(NameOf(wanted))}};
  spec_only["spec"] = wanted.at("spec");
  return !kube::FirstDifference(kube::Schema::Kubernetes(), live, spec_only).has_value();
}

// The versions that `wanted` serves, against those of a definition that stays.
CrdDecision Keep(const WantedCrd& wanted, const json::object& live, std::string_view manager) {
  const json::array* const versions = codec::FindArray(ObjectIn(wanted.object, "spec"), "versions");
  if (versions == nullptr) return {};
  for (const json::value& version : *versions) {
    if (!version.is_object() || !IsTrue(version.get_object(), "served")) continue;
    const std::string_view name = codec::TextAt(version.get_object(), "name");
    const json::object* const there = FindVersion(live, name);
    if (there == nullptr || !IsTrue(*there, "served")) {
      return {.problem = fmt::format("CustomResourceDefinition {}, which {} manages, does not "
                                     "serve version {}: apply the definitions of this release, or "
                                     "give their file with --calico-crds",
                                     wanted.name, manager, name)};
    }
    std::vector<std::string> dropped = Dropped(SchemaOf(version.get_object()), SchemaOf(*there));
    if (!dropped.empty()) {
      return {.problem = fmt::format("CustomResourceDefinition {}, which {} manages, is older than "
                                     "this release and drops {}: apply the definitions of this "
                                     "release, or give their file with --calico-crds",
                                     wanted.name, manager, Named(std::move(dropped)))};
    }
  }
  return {};
}

CrdDecision Replace(const WantedCrd& wanted, const json::object& live) {
  if (const std::optional<std::string> version = StoredBeyond(live, wanted.object)) {
    return {.problem = fmt::format("CustomResourceDefinition {} stays as it is: objects are stored "
                                   "as version {}, which the new one does not have; store them "
                                   "anew, and take {} out of its status.storedVersions",
                                   wanted.name, *version, *version)};
  }
  return {.is_applied = true};
}

CrdDecision DecideFile(const WantedCrd& wanted, const json::object& live) {
  if (IsSpecEqual(live, wanted.object)) return {};
  // Ours keeps everything; who gives a file knows that it does not.
  if (!OtherManager(live).empty() || SourceOf(live).empty()) {
    const json::array& versions = wanted.object.at("spec").at("versions").as_array();
    for (const json::value& version : versions) {
      const std::string_view name = codec::TextAt(version.as_object(), "name");
      const json::object* const there = FindVersion(live, name);
      if (there == nullptr) continue;
      std::vector<std::string> lost = LostFields(SchemaOf(*there), SchemaOf(version.get_object()));
      if (lost.empty()) continue;
      return {.problem = fmt::format("CustomResourceDefinition {} stays as it is: the one of the "
                                     "file of --calico-crds is older and drops {}; give the file "
                                     "of the newest release in use",
                                     wanted.name, Named(std::move(lost)))};
    }
  }
  return Replace(wanted, live);
}

bool IsDefinition(const json::object& object) {
  const json::array* const versions = codec::FindArray(ObjectIn(object, "spec"), "versions");
  return codec::TextAt(object, "kind") == "CustomResourceDefinition" && versions != nullptr &&
         std::all_of(versions->begin(), versions->end(),
                     [](const json::value& version) { return version.is_object(); });
}

}  // namespace

std::vector<std::string> LostFields(const json::object& from, const json::object& to) {
  FieldWalk walk(/*counts_unknown=*/true);
  walk.Compare(from, to, "");
  return std::move(walk).Take();
}

absl::StatusOr<std::vector<WantedCrd>> WantedCrds(std::string_view release, std::string_view file) {
  CALICO_ASSIGN_OR_RETURN(std::vector<json::object> definitions, crds::CalicoDefinitions(release));
  std::vector<WantedCrd> wanted;
  for (json::object& definition : definitions) {
    std::string name(NameOf(definition));
    SetSource(definition, release);
    wanted.push_back({std::move(name), std::move(definition)});
  }
  if (file.empty()) return wanted;
  CALICO_ASSIGN_OR_RETURN(std::vector<json::value> documents, codec::ParseYamlDocuments(file));
  bool has_any = false;
  for (json::value& document : documents) {
    if (!document.is_object() || !IsDefinition(document.get_object())) continue;
    json::object& definition = document.get_object();
    const auto found = std::find_if(wanted.begin(), wanted.end(), [&](const WantedCrd& crd) {
      return crd.name == NameOf(definition);
    });
    if (found == wanted.end()) continue;
    definition.erase("status");
    SetSource(definition, kFromFile);
    found->object = std::move(definition);
    found->is_from_file = true;
    has_any = true;
  }
  if (has_any) return wanted;
  return absl::InvalidArgumentError("it has none of Calico's CustomResourceDefinitions");
}

CrdDecision Decide(const WantedCrd& wanted, const json::object& live) {
  if (wanted.is_from_file) return DecideFile(wanted, live);
  const std::string_view source = SourceOf(live);
  const std::string others = OtherManager(live);
  if (source.empty() || !others.empty()) {
    return Keep(wanted, live, others.empty() ? "somebody" : std::string_view(others));
  }
  if (source == kFromFile) return Keep(wanted, live, "a file of --calico-crds");
  if (base::IsLaterRelease(source, SourceOf(wanted.object))) return {};
  const bool is_equal =
      source == SourceOf(wanted.object)
          ? !kube::FirstDifference(kube::Schema::Kubernetes(), live, wanted.object).has_value()
          : IsSpecEqual(live, wanted.object);
  if (is_equal) return {};
  return Replace(wanted, live);
}

}  // namespace calico::definitions
