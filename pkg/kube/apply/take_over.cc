#include "pkg/kube/apply/take_over.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace calico::kube {
namespace {

using codec::TextAt;

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
    json::object theirs;
    for (const std::string_view key : kTheirs) {
      const auto member = fields->find(key);
      if (member == fields->end()) continue;
      theirs.insert(*member);
      fields->erase(member);
    }
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

}  // namespace calico::kube
