// Schema: what the API server knows about the fields of each kind: which lists merge by key, which
// lists and maps are one value, what is a quantity, which empty values mean something, what can
// never be changed.
//
//   const KindSchema* kind = Schema::Kubernetes().Find("apps/v1", "DaemonSet");
//   const FieldType* spec = kind->type->Find("spec");
//
// The data are kubernetes.yaml beside this file, which tools/schema cuts out of a real server's
// OpenAPI v3 document. On it stand compare.h, merge.h and shape.h; a kind that is not in it is
// treated as if nothing were known: structs merge, lists are one value, empty equals absent.
#ifndef CALICO_PKG_KUBE_SCHEMA_SCHEMA_H_
#define CALICO_PKG_KUBE_SCHEMA_SCHEMA_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/codec/json.h"

namespace calico::kube {

struct StructType;

// One field of a struct, or one element of a list or map.
struct FieldType {
  enum class Value {
    kString,
    kInteger,
    kNumber,
    kBoolean,
    kQuantity,     // "100m" and "0.1" are the same
    kIntOrString,  // a port, a percentage
    kAny,          // free JSON
    kStruct,
  };
  enum class Holds {
    kOne,
    kAtomicList,  // x-kubernetes-list-type: atomic, or none
    kSet,         // ... set
    kKeyedList,   // ... map, with x-kubernetes-list-map-keys
    kMap,         // additionalProperties, each entry for itself
    kAtomicMap,   // x-kubernetes-map-type: atomic
  };
  Value value = Value::kAny;
  Holds holds = Holds::kOne;
  const StructType* type = nullptr;  // of kStruct; as long as the schema lives
  std::vector<std::string> keys;     // of kKeyedList
  // A pointer in Go: absent is something else than false, 0, "" and {}.
  bool is_pointer = false;
  // A struct that is one value for this field.
  bool is_atomic = false;
  // What the server fills in; null: nothing.
  json::value default_value;
  // Only where the field of that name beside it has one of these values; none: always.
  std::string default_when_field;
  std::vector<std::string> default_when_values;
};

struct StructType {
  std::string name;
  bool is_atomic = false;  // x-kubernetes-map-type: atomic
  std::map<std::string, FieldType, std::less<>> fields;

  // Null for a field that is not known. Lifetime: the type's.
  const FieldType* Find(std::string_view field) const;
};

using FieldPath = std::vector<std::string>;

struct KindSchema {
  const StructType* type = nullptr;  // never null in a schema
  std::vector<FieldPath> immutable;  // fields that the server refuses to change
};

class Schema {
 public:
  // Errors: InvalidArgument naming type and field.
  static absl::StatusOr<Schema> Parse(std::string_view yaml);
  // The one inside this binary. Lifetime: static.
  static const Schema& Kubernetes();

  // Null for a kind that is not known. Lifetime: the schema's.
  const KindSchema* Find(std::string_view api_version, std::string_view kind) const;
  // By the object's apiVersion and kind.
  const KindSchema* Find(const json::object& object) const;
  const std::map<std::pair<std::string, std::string>, KindSchema>& kinds() const { return kinds_; }

 private:
  friend class SchemaReader;

  std::map<std::pair<std::string, std::string>, KindSchema> kinds_;
  std::map<std::string, std::unique_ptr<StructType>, std::less<>> types_;
};

// How a key of a keyed list's element reads, with the server's default where it is absent:
// `5473` and `TCP` of a port. Two elements with equal texts for every key are one for the server.
std::string KeyText(const FieldType& list, const json::object& element, std::string_view key);
// All of them, for messages: "5473,TCP".
std::string KeyTexts(const FieldType& list, const json::object& element);
// Whether both are objects with equal keys.
bool HaveSameKeys(const FieldType& list, const json::value& a, const json::value& b);

// A path for messages: `rest` is a field, an element ("[calico-node]") or empty.
std::string JoinPath(std::string_view parent, std::string_view rest);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_SCHEMA_SCHEMA_H_
