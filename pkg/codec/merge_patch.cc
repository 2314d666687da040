#include "pkg/codec/merge_patch.h"

#include <utility>

namespace calico::codec {
namespace {

const json::value* FindSet(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

}  // namespace

json::object MergePatch(const json::object& from, const json::object& to) {
  json::object patch;
  for (const json::key_value_pair& member : from) {
    if (!member.value().is_null() && FindSet(to, KeyOf(member)) == nullptr) {
      patch[member.key()] = nullptr;
    }
  }
  for (const json::key_value_pair& member : to) {
    if (member.value().is_null()) continue;
    const json::value* const before = FindSet(from, KeyOf(member));
    if (before != nullptr && before->is_object() && member.value().is_object()) {
      json::object inner = MergePatch(before->get_object(), member.value().get_object());
      if (!inner.empty()) patch[member.key()] = std::move(inner);
    } else if (before == nullptr || *before != member.value()) {
      patch[member.key()] = member.value();
    }
  }
  return patch;
}

}  // namespace calico::codec
