#include "pkg/kube/apply/take_over.h"

#include <algorithm>
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

// A set of fields is a tree without values, which a walk with a list of its own takes as deep as
// it goes.
void Unite(json::object& into, json::object from) {
  std::vector<std::pair<json::object*, json::object>> open;
  open.emplace_back(&into, std::move(from));
  while (!open.empty()) {
    auto [target, source] = std::move(open.back());
    open.pop_back();
    // Grown at once: what `open` points to must not move.
    target->reserve(target->size() + source.size());
    for (auto& member : source) {
      json::value& mine = (*target)[member.key()];
      if (!mine.is_object()) {
        mine = std::move(member.value());
      } else if (member.value().is_object()) {
        open.emplace_back(&mine.get_object(), std::move(member.value().get_object()));
      }
    }
  }
}

}  // namespace

bool IsAppliedBy(const json::value& entry, std::string_view manager) {
  return entry.is_object() && TextAt(entry.get_object(), "manager") == manager &&
         TextAt(entry.get_object(), "operation") == "Apply" &&
         TextAt(entry.get_object(), "subresource").empty();
}

std::optional<json::array> TakeOverFields(const json::object& live, std::string_view manager) {
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
    found = found || !fields->empty();
    Unite(*FieldsOf(*own), std::exchange(*fields, std::move(theirs)));
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
