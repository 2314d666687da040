#include "pkg/kube/schema/changes.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "pkg/kube/schema/compare.h"

namespace calico::kube {
namespace {

using codec::KeyOf;
using Holds = FieldType::Holds;

// One element of `field` as a field of its own.
FieldType ElementOf(const FieldType& field) {
  FieldType element = field;
  element.holds = Holds::kOne;
  return element;
}

class Walk {
 public:
  // NOLINTNEXTLINE(misc-no-recursion): as deep as the parser let it be.
  void Structs(const StructType* type, const json::object& live, const json::object& desired,
               const std::string& path) {
    for (const json::key_value_pair& member : desired) {
      Field(FieldOf(type, KeyOf(member)), live.if_contains(member.key()), member.value(),
            JoinPath(path, KeyOf(member)));
    }
  }

  std::vector<FieldChange> Take() { return std::move(changes_); }

 private:
  // NOLINTNEXTLINE(misc-no-recursion): as deep as the parser let it be.
  void Field(const FieldType& field, const json::value* live, const json::value& desired,
             const std::string& path) {
    const json::value absent;
    const json::value& now = live == nullptr ? absent : *live;
    if (!FieldDiffers(field, now, desired)) return;
    const size_t before = changes_.size();
    if (now.is_object() && desired.is_object()) {
      Objects(field, now.get_object(), desired.get_object(), path);
    } else if (now.is_array() && desired.is_array() && field.holds == Holds::kKeyedList) {
      KeyedLists(field, now.get_array(), desired.get_array(), path);
    }
    // Whatever differs in another way is told as a whole.
    if (changes_.size() == before) changes_.push_back({path, now, desired});
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the parser let it be.
  void Objects(const FieldType& field, const json::object& live, const json::object& desired,
               const std::string& path) {
    if (field.holds == Holds::kOne && !IsOneValue(field)) {
      Structs(field.type, live, desired, path);
    } else if (field.holds == Holds::kMap) {
      const FieldType element = ElementOf(field);
      for (const json::key_value_pair& member : desired) {
        Field(element, live.if_contains(member.key()), member.value(),
              JoinPath(path, KeyOf(member)));
      }
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the parser let it be.
  void KeyedLists(const FieldType& list, const json::array& live, const json::array& desired,
                  const std::string& path) {
    const FieldType element = ElementOf(list);
    for (const json::value& wanted : desired) {
      if (!wanted.is_object()) return;
      const auto* const found =
          std::find_if(live.begin(), live.end(),
                       [&](const json::value& other) { return HaveSameKeys(list, other, wanted); });
      const std::string where =
          JoinPath(path, fmt::format("[{}]", KeyText(list, wanted.get_object(), list.keys[0])));
      Field(element, found == live.end() ? nullptr : found, wanted, where);
    }
    json::array now = Names(list, live, desired);
    json::array wanted = Names(list, desired, desired);
    if (now == wanted || now.size() < wanted.size()) return;
    changes_.push_back({path + " (order)", std::move(now), std::move(wanted)});
  }

  // The keys of those elements that `others` has, too.
  static json::array Names(const FieldType& list, const json::array& elements,
                           const json::array& others) {
    json::array names;
    for (const json::value& element : elements) {
      const bool is_meant =
          std::any_of(others.begin(), others.end(),
                      [&](const json::value& other) { return HaveSameKeys(list, other, element); });
      if (is_meant) names.emplace_back(KeyTexts(list, element.get_object()));
    }
    return names;
  }

  std::vector<FieldChange> changes_;
};

}  // namespace

std::vector<FieldChange> Changes(const Schema& schema, const json::object& live,
                                 const json::object& desired) {
  const std::optional<Difference> first = FirstDifference(schema, live, desired);
  if (!first.has_value()) return {};
  const KindSchema* const kind = schema.Find(desired);
  Walk walk;
  walk.Structs(kind == nullptr ? nullptr : kind->type, live, desired, "");
  std::vector<FieldChange> changes = walk.Take();
  if (!changes.empty()) return changes;
  // More than is wanted, in an object that is compared whole.
  const std::string member = first->path.substr(0, first->path.find_first_of(".["));
  const json::value* const now = live.if_contains(member);
  const json::value* const wanted = desired.if_contains(member);
  changes.push_back({first->path, now == nullptr ? json::value() : *now,
                     wanted == nullptr ? json::value() : *wanted});
  return changes;
}

}  // namespace calico::kube
