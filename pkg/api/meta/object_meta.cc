#include "pkg/api/meta/object_meta.h"

#include <utility>

#include "pkg/base/status_macros.h"

namespace calico::api {
namespace {

OwnerReference ReadOwnerReference(const codec::ObjectReader& owner) {
  return {.api_version = owner.String("apiVersion"),
          .kind = owner.String("kind"),
          .name = owner.String("name"),
          .uid = owner.String("uid"),
          .controller = owner.Bool("controller"),
          .block_owner_deletion = owner.Bool("blockOwnerDeletion")};
}

json::object EncodeStrings(const StringMap& map) {
  json::object object;
  for (const auto& [key, value] : map) object[key] = value;
  return object;
}

bool Contains(absl::Span<const std::string_view> keys, std::string_view key) {
  for (const std::string_view candidate : keys) {
    if (candidate == key) return true;
  }
  return false;
}

}  // namespace

json::object OwnerReference::Encode() const {
  json::object object{{"apiVersion", api_version}, {"kind", kind}, {"name", name}, {"uid", uid}};
  if (controller) object["controller"] = true;
  if (block_owner_deletion) object["blockOwnerDeletion"] = true;
  return object;
}

const OwnerReference* ObjectMeta::Controller() const {
  for (const OwnerReference& owner : owner_references) {
    if (owner.controller) return &owner;
  }
  return nullptr;
}

std::string_view ObjectMeta::Label(std::string_view key) const {
  const auto label = labels.find(key);
  return label == labels.end() ? std::string_view() : std::string_view(label->second);
}

ObjectMeta ReadObjectMeta(const codec::ObjectReader& object, const MetaFields& fields) {
  const codec::ObjectReader metadata = object.RequiredObject("metadata");
  ObjectMeta meta{.name = metadata.RequiredString("name"),
                  .ns = metadata.String("namespace"),
                  .uid = metadata.String("uid"),
                  .resource_version = metadata.String("resourceVersion"),
                  .generation = metadata.Int64("generation"),
                  .deletion_timestamp = metadata.Time("deletionTimestamp")};
  if (const auto created = metadata.Time("creationTimestamp")) meta.creation_timestamp = *created;
  if (!fields.label_keys.empty()) {
    metadata.ForEachEntry("labels", [&](std::string_view key, std::string_view value) {
      if (Contains(fields.label_keys, key)) meta.labels.emplace(key, value);
    });
  } else if (fields.labels) {
    meta.labels = metadata.Strings("labels");
  }
  if (fields.annotations) meta.annotations = metadata.Strings("annotations");
  if (fields.finalizers) meta.finalizers = metadata.StringList("finalizers");
  if (fields.owner_references) {
    metadata.ForEach("ownerReferences", [&meta](const codec::ObjectReader& owner) {
      meta.owner_references.push_back(ReadOwnerReference(owner));
    });
  }
  return meta;
}

ObjectMeta ObjectMetaOf(const json::object& object) {
  codec::Decoder decoder("object");  // its complaints are dropped
  return ReadObjectMeta(decoder.Read(object), {});
}

json::object EncodeObjectMeta(const ObjectMeta& meta) {
  json::object object{{"name", meta.name}};
  if (!meta.ns.empty()) object["namespace"] = meta.ns;
  if (!meta.uid.empty()) object["uid"] = meta.uid;
  if (!meta.resource_version.empty()) object["resourceVersion"] = meta.resource_version;
  if (!meta.labels.empty()) object["labels"] = EncodeStrings(meta.labels);
  if (!meta.annotations.empty()) object["annotations"] = EncodeStrings(meta.annotations);
  if (!meta.finalizers.empty()) {
    object["finalizers"] = json::array(meta.finalizers.begin(), meta.finalizers.end());
  }
  json::array owners;
  for (const OwnerReference& owner : meta.owner_references) owners.push_back(owner.Encode());
  if (!owners.empty()) object["ownerReferences"] = std::move(owners);
  return object;
}

absl::StatusOr<ObjectIdentity> ObjectIdentity::Decode(const json::object& object) {
  codec::Decoder decoder("object");
  const codec::ObjectReader reader = decoder.Read(object);
  ObjectIdentity identity{.api_version = reader.RequiredString("apiVersion"),
                          .kind = reader.RequiredString("kind"),
                          .meta = ReadObjectMeta(reader, {.owner_references = true})};
  CALICO_RETURN_IF_ERROR(decoder.status());
  return identity;
}

json::object NewObject(const Resource& resource, const ObjectKey& key,
                       std::string_view resource_version) {
  json::object metadata{{"name", key.name}};
  if (!key.ns.empty()) metadata["namespace"] = key.ns;
  if (!resource_version.empty()) metadata["resourceVersion"] = json::string(resource_version);
  return {{"apiVersion", resource.ApiVersion()},
          {"kind", json::string(resource.kind)},
          {"metadata", std::move(metadata)}};
}

}  // namespace calico::api
