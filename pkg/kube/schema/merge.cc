#include "pkg/kube/schema/merge.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "pkg/base/status_macros.h"
#include "pkg/kube/schema/shape.h"

namespace calico::kube {
namespace {

using codec::KeyOf;

constexpr std::string_view kDirective = "$patch";

enum class Directive { kMerge, kReplace, kDelete };

absl::Status Bad(std::string_view path, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("{}: {}", path, what));
}

absl::StatusOr<Directive> DirectiveOf(const json::object& patch, const std::string& path) {
  const json::value* const text = patch.if_contains(kDirective);
  if (text == nullptr) return Directive::kMerge;
  if (*text == "merge") return Directive::kMerge;
  if (*text == "replace") return Directive::kReplace;
  if (*text == "delete") return Directive::kDelete;
  return Bad(JoinPath(path, kDirective), "expected merge, replace or delete");
}

absl::Status MergeOne(const FieldType& field, json::value& base, const json::value& patch,
                      const std::string& path);

// Into a field or entry that may not be there yet.
absl::Status MergeValue(const FieldType& field, json::value& base, const json::value& patch,
                        const std::string& path);

absl::Status MergeMember(const StructType& type, json::object& base,
                         const json::key_value_pair& patch, const std::string& path) {
  const std::string where = JoinPath(path, KeyOf(patch));
  const FieldType* const field = type.Find(KeyOf(patch));
  if (field == nullptr) return UnknownField(where, type);
  if (patch.value().is_null()) {
    base.erase(patch.key());
    return absl::OkStatus();
  }
  if (patch.value().is_object() && field->holds == FieldType::Holds::kOne) {
    CALICO_ASSIGN_OR_RETURN(const Directive directive,
                            DirectiveOf(patch.value().get_object(), where));
    if (directive == Directive::kDelete) {
      base.erase(patch.key());
      return absl::OkStatus();
    }
  }
  return MergeValue(*field, base[patch.key()], patch.value(), where);
}

absl::Status MergeStruct(const StructType& type, json::object& base, const json::object& patch,
                         const std::string& path) {
  CALICO_ASSIGN_OR_RETURN(const Directive directive, DirectiveOf(patch, path));
  if (directive == Directive::kDelete) return Bad(path, "$patch: delete is not possible here");
  if (directive == Directive::kReplace) base.clear();
  for (const json::key_value_pair& member : patch) {
    if (KeyOf(member) == kDirective) continue;
    CALICO_RETURN_IF_ERROR(MergeMember(type, base, member, path));
  }
  return absl::OkStatus();
}

// A value of the patch that is taken as it is.
absl::Status Replace(const FieldType& field, json::value& base, const json::value& patch,
                     const std::string& path) {
  if (patch.is_object() && patch.get_object().contains(kDirective)) {
    return Bad(JoinPath(path, kDirective), "this is one value, which is always replaced");
  }
  CALICO_RETURN_IF_ERROR(CheckShape(field, patch, path));
  base = patch;
  return absl::OkStatus();
}

absl::Status MergeOne(const FieldType& field, json::value& base, const json::value& patch,
                      const std::string& path) {
  CALICO_RETURN_IF_ERROR(CheckElement(field, patch, path));
  const bool is_one_value = field.is_atomic || (field.type != nullptr && field.type->is_atomic);
  if (field.type == nullptr || is_one_value) {
    FieldType element = field;
    element.holds = FieldType::Holds::kOne;
    return Replace(element, base, patch, path);
  }
  if (!base.is_object()) base.emplace_object();
  return MergeStruct(*field.type, base.get_object(), patch.get_object(), path);
}

absl::Status MergeMap(const FieldType& field, json::value& base, const json::value& patch,
                      const std::string& path) {
  if (!patch.is_object()) return Bad(path, "expected object");
  if (!base.is_object()) base.emplace_object();
  CALICO_ASSIGN_OR_RETURN(const Directive directive, DirectiveOf(patch.get_object(), path));
  if (directive != Directive::kMerge) base.get_object().clear();
  for (const json::key_value_pair& member : patch.get_object()) {
    if (KeyOf(member) == kDirective) continue;
    if (member.value().is_null()) {
      base.get_object().erase(member.key());
      continue;
    }
    CALICO_RETURN_IF_ERROR(MergeOne(field, base.get_object()[member.key()], member.value(),
                                    JoinPath(path, KeyOf(member))));
  }
  return absl::OkStatus();
}

absl::Status MergeSet(const FieldType& field, json::value& base, const json::value& patch,
                      const std::string& path) {
  CALICO_RETURN_IF_ERROR(CheckShape(field, patch, path));
  if (!base.is_array()) base.emplace_array();
  json::array& into = base.get_array();
  for (const json::value& element : patch.get_array()) {
    if (std::find(into.begin(), into.end(), element) == into.end()) into.push_back(element);
  }
  return absl::OkStatus();
}

// The element `{$patch: replace}` or `{$patch: merge}` of a list, with nothing else in it.
bool IsListDirective(const json::value& element) {
  return element.is_object() && element.get_object().size() == 1 &&
         element.get_object().contains(kDirective);
}

absl::Status MergeElement(const FieldType& list, json::array& into, const json::value& patch,
                          const std::string& path) {
  if (!patch.is_object()) return CheckElement(list, patch, path);
  for (const std::string& key : list.keys) {
    if (KeyText(list, patch.get_object(), key).empty()) {
      return Bad(path, fmt::format("no {}", key));
    }
  }
  const std::string where =
      fmt::format("{}[{}]", path, KeyText(list, patch.get_object(), list.keys.front()));
  CALICO_ASSIGN_OR_RETURN(const Directive directive, DirectiveOf(patch.get_object(), where));
  auto* const found = std::find_if(into.begin(), into.end(), [&](const json::value& element) {
    return HaveSameKeys(list, element, patch);
  });
  if (directive == Directive::kDelete) {
    if (found == into.end()) return Bad(where, "is not there to be deleted");
    into.erase(found);
    return absl::OkStatus();
  }
  json::value& element = found == into.end() ? into.emplace_back(json::object()) : *found;
  return MergeOne(list, element, patch, where);
}

absl::Status MergeKeyedList(const FieldType& list, json::value& base, const json::value& patch,
                            const std::string& path) {
  if (!patch.is_array()) return Bad(path, "expected array");
  if (!base.is_array()) base.emplace_array();
  for (const json::value& element : patch.get_array()) {
    if (!IsListDirective(element)) continue;
    CALICO_ASSIGN_OR_RETURN(const Directive directive, DirectiveOf(element.get_object(), path));
    if (directive == Directive::kDelete) return Bad(path, "an element without its key");
    if (directive == Directive::kReplace) base.get_array().clear();
  }
  for (const json::value& element : patch.get_array()) {
    if (IsListDirective(element)) continue;
    CALICO_RETURN_IF_ERROR(MergeElement(list, base.get_array(), element, path));
  }
  return absl::OkStatus();
}

// `[{$patch: append}, ...]`: what follows comes after what is there. For lists that the API takes
// for one value, whose elements have no key to add them by.
bool IsAppending(const json::value& patch) {
  if (!patch.is_array() || patch.get_array().empty()) return false;
  const json::value& first = patch.get_array().front();
  return IsListDirective(first) && first.get_object().at(kDirective) == "append";
}

absl::Status Append(const FieldType& field, json::value& base, const json::value& patch,
                    const std::string& path) {
  const json::array& with_directive = patch.get_array();
  const json::array added(with_directive.begin() + 1, with_directive.end());
  CALICO_RETURN_IF_ERROR(CheckShape(field, added, path));
  if (!base.is_array()) base.emplace_array();
  base.get_array().insert(base.get_array().end(), added.begin(), added.end());
  return absl::OkStatus();
}

absl::Status MergeValue(const FieldType& field, json::value& base, const json::value& patch,
                        const std::string& path) {
  switch (field.holds) {
    case FieldType::Holds::kOne:
      return MergeOne(field, base, patch, path);
    case FieldType::Holds::kMap:
      return MergeMap(field, base, patch, path);
    case FieldType::Holds::kSet:
      return MergeSet(field, base, patch, path);
    case FieldType::Holds::kKeyedList:
      return MergeKeyedList(field, base, patch, path);
    case FieldType::Holds::kAtomicList:
      if (IsAppending(patch)) return Append(field, base, patch, path);
      return Replace(field, base, patch, path);
    case FieldType::Holds::kAtomicMap:
      return Replace(field, base, patch, path);
  }
  return absl::OkStatus();
}

// A patch may name the kind that it is for.
absl::Status CheckSameKind(const json::object& base, const json::object& patch) {
  for (const std::string_view key : {"apiVersion", "kind"}) {
    const json::value* const named = patch.if_contains(key);
    if (named != nullptr && (!base.contains(key) || *named != base.at(key))) {
      return Bad(key, "not that of the object");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<json::object> Merge(const Schema& schema, json::object base,
                                   const json::object& patch) {
  const KindSchema* const kind = schema.Find(base);
  if (kind == nullptr) return absl::InvalidArgumentError("unknown kind");
  CALICO_RETURN_IF_ERROR(CheckSameKind(base, patch));
  CALICO_RETURN_IF_ERROR(MergeStruct(*kind->type, base, patch, ""));
  return base;
}

}  // namespace calico::kube
