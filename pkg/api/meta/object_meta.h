// The part of metadata that we use.
#ifndef CALICO_PKG_API_META_OBJECT_META_H_
#define CALICO_PKG_API_META_OBJECT_META_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <absl/types/span.h>

#include "pkg/api/meta/object_key.h"
#include "pkg/api/meta/resource.h"
#include "pkg/codec/json.h"
#include "pkg/codec/object_reader.h"

namespace calico::api {

using codec::StringMap;

struct OwnerReference {
  std::string api_version;
  std::string kind;
  std::string name;
  std::string uid;
  bool controller = false;
  bool block_owner_deletion = false;

  json::object Encode() const;
  friend bool operator==(const OwnerReference&, const OwnerReference&) = default;
};

struct ObjectMeta {
  std::string name;
  std::string ns;
  std::string uid;
  std::string resource_version;  // Opaque: only equality means something.
  std::int64_t generation = 0;
  absl::Time creation_timestamp = absl::UnixEpoch();
  std::optional<absl::Time> deletion_timestamp;
  StringMap labels;
  StringMap annotations;
  std::vector<std::string> finalizers;
  std::vector<OwnerReference> owner_references;

  ObjectKey Key() const { return {ns, name}; }
  // The owner with `controller: true`, or nullptr.
  const OwnerReference* Controller() const;
  // The label's value, or empty.
  std::string_view Label(std::string_view key) const;
};

// What to keep besides name, namespace, uid, resourceVersion, generation and timestamps. Caches
// hold many objects: keep what is read, nothing else.
struct MetaFields {
  bool labels = false;
  // When not empty: only these labels (implies `labels`).
  absl::Span<const std::string_view> label_keys = {};
  bool annotations = false;
  bool finalizers = false;
  bool owner_references = false;

  // All that an update must send back, or it would be removed.
  static MetaFields All() {
    return {.labels = true, .annotations = true, .finalizers = true, .owner_references = true};
  }
};

// Reads `metadata` of `object`. A missing metadata or name is a problem of the decoder.
ObjectMeta ReadObjectMeta(const codec::ObjectReader& object, const MetaFields& fields);

// The same without labels and the like, as far as it is there: for code that handles kinds
// generically, and for objects that do not decode. What is missing or malformed is left empty.
ObjectMeta ObjectMetaOf(const json::object& object);

// `metadata` for an update: name, namespace, uid, resourceVersion, labels, annotations, finalizers
// and owner references, as far as they are set.
json::object EncodeObjectMeta(const ObjectMeta& meta);

// Identity of any object, for code that handles kinds generically.
// Errors: InvalidArgument when apiVersion, kind or metadata.name are missing.
struct ObjectIdentity {
  std::string api_version;
  std::string kind;
  ObjectMeta meta;  // With owner references; no labels, no annotations.

  static absl::StatusOr<ObjectIdentity> Decode(const json::object& object);
};

// {apiVersion, kind, metadata: {name, namespace, resourceVersion?}} to build an object on.
json::object NewObject(const Resource& resource, const ObjectKey& key,
                       std::string_view resource_version = {});

}  // namespace calico::api

#endif  // CALICO_PKG_API_META_OBJECT_META_H_
