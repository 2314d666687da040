#include "pkg/kube/apply/take_over.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "pkg/kube/schema/compare.h"

namespace calico::kube {
namespace {

using codec::TextAt;

constexpr std::string_view kField = "f:";
// What others may go on to set.
constexpr std::string_view kTheirs[] = {"f:metadata", "f:status"};

// The fields of an entry of managedFields; null for one that has none.
json::object* FieldsOf(json::value& entry) {
  if (!entry.is_object()) return nullptr;
  json::value* const fields = entry.get_object().if_contains("fieldsV1");
  return fields == nullptr ? nullptr : fields->if_object();
}

// Of which each entry is somebody's.
constexpr std::string_view kMaps[] = {"f:annotations", "f:labels"};

bool IsMap(std::string_view field) {
  return std::find(std::begin(kMaps), std::end(kMaps), field) != std::end(kMaps);
}

// Moves the fields of `from` that `what` says to `into`; true if there were any. `{}` is a field
// that is owned, and not a node without any, so nodes that lose all of theirs go too.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the parser let it be.
bool MoveFields(json::object& into, json::object& from, TakeOver what, bool is_map) {
  bool moved = false;
  std::vector<std::string> gone;
  for (auto& member : from) {
    const std::string_view key = codec::KeyOf(member);
    json::value* const mine = into.if_contains(key);
    json::object* const theirs = member.value().if_object();
    if (mine != nullptr && (theirs == nullptr || theirs->empty() || !mine->is_object())) continue;
    if (mine != nullptr) {
      if (!MoveFields(mine->get_object(), *theirs, what, IsMap(key))) continue;
      moved = true;
      if (theirs->empty()) gone.emplace_back(key);
      continue;
    }
    if (what == TakeOver::kBesideOwn && (is_map || key.starts_with("k:"))) continue;
    moved = true;
    gone.emplace_back(key);
    into.emplace(key, std::move(member.value()));
  }
  for (const std::string& key : gone) from.erase(key);
  return moved;
}

// Whether an entry is what `manager` has set by updates of the object itself.
bool IsUpdatedBy(const json::value& entry, std::string_view manager) {
  return entry.is_object() && TextAt(entry.get_object(), "manager") == manager &&
         TextAt(entry.get_object(), "operation") == "Update" &&
         TextAt(entry.get_object(), "subresource").empty();
}

// The list of an object without any is empty.
json::array ManagedFieldsOf(const json::object& object) {
  const json::object* const metadata = codec::FindObject(object, "metadata");
  const json::array* const list =
      metadata == nullptr ? nullptr : codec::FindArray(*metadata, "managedFields");
  return list == nullptr ? json::array() : *list;
}

// Takes what others may go on to set out of `fields`.
json::object TakeTheirs(json::object& fields) {
  json::object theirs;
  for (const std::string_view key : kTheirs) {
    const auto member = fields.find(key);
    if (member == fields.end()) continue;
    theirs.insert(*member);
    fields.erase(member);
  }
  return theirs;
}

// Walks what one manager has set beside the object, the wanted one, and what others have set, and
// takes out of the object what only that manager wants.
class FieldsRemoval {
 public:
  using Others = std::vector<const json::object*>;

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the parser let it be.
  void Struct(const StructType* type, const json::object& owned, const Others& others,
              json::object& live, const json::object* desired) {
    for (const json::key_value_pair& member : owned) {
      std::string_view key = codec::KeyOf(member);
      const json::object* const below = member.value().if_object();
      if (!key.starts_with("f:") || below == nullptr) continue;
      key.remove_prefix(kField.size());
      json::value* const value = live.if_contains(key);
      if (value == nullptr) continue;
      const FieldType& field = FieldOf(type, key);
      const json::value* const wanted = desired == nullptr ? nullptr : desired->if_contains(key);
      if (wanted == nullptr && IsAsIfAbsent(field, live, *value)) continue;
      if (Goes(field, *below, Below(others, codec::KeyOf(member)), *value, wanted)) live.erase(key);
    }
  }

  bool found() const { return found_; }

 private:
  static Others Below(const Others& others, std::string_view key) {
    Others below;
    for (const json::object* const fields : others) {
      const json::object* const inside = codec::FindObject(*fields, key);
      if (inside != nullptr) below.push_back(inside);
    }
    return below;
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the parser let it be.
  bool Goes(const FieldType& field, const json::object& owned, const Others& others,
            json::value& live, const json::value* desired) {
    if (desired == nullptr && others.empty()) {
      found_ = true;
      return true;
    }
    if (owned.empty()) return false;  // somebody else has set it too, or it is wanted
    if (live.is_object()) {
      // Entries of a map are fields of a struct of which nothing is known.
      Struct(field.type, owned, others, live.get_object(),
             desired == nullptr ? nullptr : desired->if_object());
    } else if (live.is_array() && field.holds == FieldType::Holds::kKeyedList) {
      List(field, owned, others, live.get_array(),
           desired == nullptr ? nullptr : desired->if_array());
    }
    return false;
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the parser let it be.
  void List(const FieldType& list, const json::object& owned, const Others& others,
            json::array& live, const json::array* desired) {
    FieldType element = list;
    element.holds = FieldType::Holds::kOne;
    for (const json::key_value_pair& member : owned) {
      const std::string_view key = codec::KeyOf(member);
      const json::object* const below = member.value().if_object();
      if (!key.starts_with("k:") || below == nullptr) continue;
      const absl::StatusOr<json::value> keys = codec::ParseJson(key.substr(2));
      if (!keys.ok() || !keys->is_object()) continue;
      const auto is_it = [&](const json::value& other) { return HaveSameKeys(list, other, *keys); };
      auto* const found = std::find_if(live.begin(), live.end(), is_it);
      if (found == live.end()) continue;
      const json::value* wanted = nullptr;
      if (desired != nullptr) {
        const auto* const same = std::find_if(desired->begin(), desired->end(), is_it);
        if (same != desired->end()) wanted = same;
      }
      if (Goes(element, *below, Below(others, key), *found, wanted)) live.erase(found);
    }
  }

  bool found_ = false;
};

}  // namespace

bool IsAppliedBy(const json::value& entry, std::string_view manager) {
  return entry.is_object() && TextAt(entry.get_object(), "manager") == manager &&
         TextAt(entry.get_object(), "operation") == "Apply" &&
         TextAt(entry.get_object(), "subresource").empty();
}

std::optional<json::array> TakeOverFields(const json::object& live, std::string_view manager,
                                          TakeOver what) {
  const json::object* const metadata = codec::FindObject(live, "metadata");
  const json::array* const list =
      metadata == nullptr ? nullptr : codec::FindArray(*metadata, "managedFields");
  if (list == nullptr) return std::nullopt;
  json::array managed = *list;
  auto* const own = std::find_if(managed.begin(), managed.end(), [&](const json::value& entry) {
    return IsAppliedBy(entry, manager);
  });
  if (own == managed.end() || FieldsOf(*own) == nullptr) return std::nullopt;
  bool found = false;
  for (json::value& entry : managed) {
    json::object* const fields = FieldsOf(entry);
    if (&entry == own || fields == nullptr) continue;
    if (!TextAt(entry.get_object(), "subresource").empty()) continue;
    const json::object theirs = TakeTheirs(*fields);
    found = MoveFields(*FieldsOf(*own), *fields, what, false) || found;
    for (const auto& member : theirs) fields->insert(member);
  }
  if (!found) return std::nullopt;
  const auto is_empty = [](json::value& entry) {
    const json::object* const fields = FieldsOf(entry);
    return fields != nullptr && fields->empty();
  };
  managed.erase(std::remove_if(managed.begin(), managed.end(), is_empty), managed.end());
  return managed;
}

std::optional<json::array> TransferFields(const json::object& live, std::string_view from,
                                          std::string_view to) {
  json::array managed = ManagedFieldsOf(live);
  json::object taken;
  std::string api_version;
  for (json::value& entry : managed) {
    json::object* const fields = FieldsOf(entry);
    if (fields == nullptr || !IsUpdatedBy(entry, from)) continue;
    json::object theirs = TakeTheirs(*fields);
    if (fields->empty()) {
      *fields = std::move(theirs);
      continue;
    }
    api_version = TextAt(entry.get_object(), "apiVersion");
    MoveFields(taken, *fields, TakeOver::kEverything, false);
    *fields = std::move(theirs);
  }
  if (taken.empty()) return std::nullopt;
  const auto is_empty = [](json::value& entry) {
    const json::object* const fields = FieldsOf(entry);
    return fields != nullptr && fields->empty();
  };
  managed.erase(std::remove_if(managed.begin(), managed.end(), is_empty), managed.end());
  auto* const own = std::find_if(managed.begin(), managed.end(),
                                 [&](const json::value& entry) { return IsAppliedBy(entry, to); });
  if (own != managed.end() && FieldsOf(*own) != nullptr) {
    MoveFields(*FieldsOf(*own), taken, TakeOver::kEverything, false);
  } else {
    managed.push_back(json::object{{"manager", to},
                                   {"operation", "Apply"},
                                   {"apiVersion", api_version},
                                   {"fieldsType", "FieldsV1"},
                                   {"fieldsV1", std::move(taken)}});
  }
  return managed;
}

std::optional<json::object> WithoutFieldsOf(const Schema& schema, const json::object& live,
                                            const json::object& desired, std::string_view from) {
  const json::array managed = ManagedFieldsOf(live);
  FieldsRemoval::Others others;
  for (const json::value& entry : managed) {
    if (!entry.is_object() || IsUpdatedBy(entry, from)) continue;
    const json::object* const fields = codec::FindObject(entry.get_object(), "fieldsV1");
    if (fields != nullptr) others.push_back(fields);
  }
  const KindSchema* const kind = schema.Find(desired);
  FieldsRemoval removal;
  json::object rest = live;
  for (const json::value& entry : managed) {
    if (!IsUpdatedBy(entry, from)) continue;
    const json::object* const fields = codec::FindObject(entry.get_object(), "fieldsV1");
    if (fields == nullptr) continue;
    json::object owned = *fields;
    TakeTheirs(owned);
    removal.Struct(kind == nullptr ? nullptr : kind->type, owned, others, rest, &desired);
  }
  if (!removal.found()) return std::nullopt;
  return rest;
}

}  // namespace calico::kube
