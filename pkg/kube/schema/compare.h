// Would applying an object change anything? Answered here, so that an idle program sends nothing,
// and so that nothing that was changed by hand stays.
//
// What is live is the only witness. metadata.managedFields says who set a field last, not what it
// holds: a mutating webhook changes values without taking them, and whoever may write the object
// may write that list too.
#ifndef CALICO_PKG_KUBE_SCHEMA_COMPARE_H_
#define CALICO_PKG_KUBE_SCHEMA_COMPARE_H_

#include <optional>
#include <string>
#include <string_view>

#include "pkg/codec/json.h"
#include "pkg/kube/schema/schema.h"

namespace calico::kube {

struct Difference {
  enum class Kind {
    kAbsent,  // `desired` has it, `live` has not
    kOther,   // both have it, with different values
    kExtra,   // `live` has it, and nothing else may be there
  };
  Kind kind = Kind::kOther;
  std::string path;  // "spec.template.spec.containers[calico-node].image"

  friend bool operator==(const Difference&, const Difference&) = default;
};

// Whether nothing but metadata may be added to objects of this one's kind.
bool IsComparedWhole(const json::object& object);

// The first field of `desired` that `live` does not hold; nullopt when it holds them all.
//
// `live` may hold more where the API merges: defaults, fields, map entries and list elements of
// other managers. It may not
//   - within what the API treats as one value (x-kubernetes-map-type and -list-type atomic: a
//     nodeSelector, a Service's selector, a label selector, tolerations, rules, subjects);
//   - in a variable of a container: `valueFrom` beside an empty `value`;
//   - anywhere outside of the metadata of a role, a binding, an admission policy and its binding, a
//     NetworkPolicy, a PodDisruptionBudget or an APIService: one more condition switches a policy
//     off, one more field makes a budget another one. Known defaults of the server are no addition.
// Elements of a list with keys are in the order of `desired`, and none of them is there twice: the
// last of two variables of one name counts, and init containers run one after the other.
//
// An empty text, list or object, null, false and 0 equal an absent field, unless the field is a
// pointer in Go (`allowPrivilegeEscalation: false`). Quantities are compared by amount.
std::optional<Difference> FirstDifference(const Schema& schema, const json::object& live,
                                          const json::object& desired);

// Whether `live` as the value of one field does not hold `desired`; null is an absent field.
bool FieldDiffers(const FieldType& field, const json::value& live, const json::value& desired);

// Whether `parent`, without the field that has this value, would be the same for the API server: it
// is empty, or what the server fills in itself.
bool IsAsIfAbsent(const FieldType& field, const json::object& parent, const json::value& value);

// Whether a field's value, or an element of it, is replaced as a whole.
bool IsOneValue(const FieldType& field);

// What the schema knows of a member of `type`; of an unknown one, or with null, that it knows
// nothing. Lifetime: the schema's.
const FieldType& FieldOf(const StructType* type, std::string_view key);

// The path of the first field that must change and that the API server refuses to change, so that
// the object must be made anew: a binding's roleRef, a workload's selector, a Secret's type, and
// `immutable` of a ConfigMap or Secret that was closed. nullopt: none.
std::optional<std::string> ImmutableDifference(const Schema& schema, const json::object& live,
                                               const json::object& desired);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_SCHEMA_COMPARE_H_
