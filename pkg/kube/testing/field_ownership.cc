#include "pkg/kube/testing/field_ownership.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "pkg/kube/testing/field_set.h"
#include "pkg/kube/testing/selectors.h"

namespace calico::kube {
namespace {

struct Entry {
  std::string manager;
  std::string operation;  // Apply or Update
  std::string subresource;
  std::string api_version;
  std::string time;
  FieldSet fields;

  bool IsOf(const FieldWriter& writer, std::string_view op) const {
    return manager == writer.manager && operation == op && subresource == writer.subresource;
  }
};

const json::array* ManagedFields(const json::object& object) {
  const json::value* metadata = object.if_contains("metadata");
  if (metadata == nullptr || !metadata->is_object()) return nullptr;
  const json::value* list = metadata->get_object().if_contains("managedFields");
  return list == nullptr ? nullptr : list->if_array();
}

std::vector<Entry> ReadEntries(const json::object& object) {
  std::vector<Entry> entries;
  const json::array* list = ManagedFields(object);
  if (list == nullptr) return entries;
  for (const json::value& value : *list) {
    const json::object* item = value.if_object();
    if (item == nullptr) continue;
    Entry entry{.manager = std::string(TextAt(*item, {"manager"})),
                .operation = std::string(TextAt(*item, {"operation"})),
                .subresource = std::string(TextAt(*item, {"subresource"})),
                .api_version = std::string(TextAt(*item, {"apiVersion"})),
                .time = std::string(TextAt(*item, {"time"}))};
    const json::value* fields = item->if_contains("fieldsV1");
    if (fields != nullptr && fields->is_object()) entry.fields = DecodeFields(fields->get_object());
    entries.push_back(std::move(entry));
  }
  return entries;
}

void WriteEntries(const std::vector<Entry>& entries, json::object& object) {
  json::array list;
  for (const Entry& entry : entries) {
    if (entry.fields.empty()) continue;
    json::object item{{"manager", entry.manager},        {"operation", entry.operation},
                      {"apiVersion", entry.api_version}, {"time", entry.time},
                      {"fieldsType", "FieldsV1"},        {"fieldsV1", EncodeFields(entry.fields)}};
    if (!entry.subresource.empty()) item["subresource"] = entry.subresource;
    list.push_back(std::move(item));
  }
  json::value& metadata = object["metadata"];
  if (!metadata.is_object()) metadata = json::object();
  metadata.get_object()["managedFields"] = std::move(list);
}

void Subtract(FieldSet& fields, const FieldSet& gone) {
  for (const FieldPath& path : gone) fields.erase(path);
}

// The writer's entry, made when there is none yet.
Entry& EntryOf(std::vector<Entry>& entries, const FieldWriter& writer, std::string_view operation) {
  for (Entry& entry : entries) {
    if (entry.IsOf(writer, operation)) return entry;
  }
  entries.push_back({.manager = writer.manager,
                     .operation = std::string(operation),
                     .subresource = writer.subresource,
                     .api_version = writer.api_version,
                     .time = writer.time});
  return entries.back();
}

bool DiffersAt(const json::object& live, const json::object& applied, const FieldPath& path) {
  if (path.back() == ".") return false;
  const json::value* live_value = FindField(live, path);
  return live_value == nullptr || *live_value != *FindField(applied, path);
}

std::vector<FieldConflict> FindConflicts(const std::vector<Entry>& entries, const FieldSet& differ,
                                         const FieldWriter& writer) {
  std::vector<FieldConflict> conflicts;
  for (const Entry& entry : entries) {
    if (entry.IsOf(writer, "Apply")) continue;
    for (const FieldPath& path : differ) {
      if (!entry.fields.contains(path)) continue;
      conflicts.push_back({entry.manager, entry.api_version, PrintField(path)});
    }
  }
  return conflicts;
}

// Removes what the writer applied before and does not any more, unless somebody else owns it.
void RemoveAbandoned(json::object& object, const std::vector<Entry>& entries,
                     const FieldSet& before, const FieldSet& now, const FieldWriter& writer) {
  FieldSet abandoned = before;
  Subtract(abandoned, now);
  for (const Entry& entry : entries) {
    if (!entry.IsOf(writer, "Apply")) Subtract(abandoned, entry.fields);
  }
  // Whole items first: their other fields, the keys among them, go with them.
  for (const FieldPath& path : abandoned) {
    if (path.back() == ".") RemoveField(object, path);
  }
  for (const FieldPath& path : abandoned) {
    const json::value* value = FindField(object, path);
    // What was an empty map when it was applied may have become somebody else's.
    const bool filled = value != nullptr && value->is_object() && !value->get_object().empty();
    if (path.back() != "." && !filled) RemoveField(object, path);
  }
}

json::object WithoutBookkeeping(const json::object& object) {
  json::object copy = object;
  if (json::value* metadata = copy.if_contains("metadata");
      metadata != nullptr && metadata->is_object()) {
    metadata->get_object().erase("managedFields");
    metadata->get_object().erase("resourceVersion");
  }
  return copy;
}

}  // namespace

void RecordUpdate(const json::object& before, json::object& after, const FieldWriter& writer) {
  std::vector<Entry> entries = ReadEntries(before);
  const FieldSet changed = ChangedFields(before, after);
  FieldSet gone = FieldsOf(before);
  Subtract(gone, FieldsOf(after));
  for (Entry& entry : entries) {
    Subtract(entry.fields, gone);
    if (!entry.IsOf(writer, "Update")) Subtract(entry.fields, changed);
  }
  if (!changed.empty()) {
    Entry& own = EntryOf(entries, writer, "Update");
    own.fields.insert(changed.begin(), changed.end());
    own.time = writer.time;
  }
  WriteEntries(entries, after);
}

ApplyOutcome ApplyFields(const json::object& live, const json::object& applied,
                         const FieldWriter& writer, bool force) {
  std::vector<Entry> entries = ReadEntries(live);
  const FieldSet now = FieldsOf(applied);
  FieldSet differ;
  for (const FieldPath& path : now) {
    if (DiffersAt(live, applied, path)) differ.insert(path);
  }
  ApplyOutcome outcome{.object = live, .conflicts = FindConflicts(entries, differ, writer)};
  if (!outcome.conflicts.empty() && !force) return outcome;
  outcome.conflicts.clear();

  const FieldSet before = EntryOf(entries, writer, "Apply").fields;
  for (Entry& entry : entries) {
    if (!entry.IsOf(writer, "Apply")) Subtract(entry.fields, differ);
  }
  RemoveAbandoned(outcome.object, entries, before, now, writer);
  MergeApplied(outcome.object, applied);
  Entry& own = EntryOf(entries, writer, "Apply");
  own.fields = now;
  own.time = writer.time;
  WriteEntries(entries, outcome.object);
  return outcome;
}

bool SameContent(const json::object& a, const json::object& b) {
  return WithoutBookkeeping(a) == WithoutBookkeeping(b);
}

bool SameOwnership(const json::object& a, const json::object& b) {
  std::vector<Entry> left = ReadEntries(a);
  std::vector<Entry> right = ReadEntries(b);
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const Entry& x, const Entry& y) {
                      return x.manager == y.manager && x.operation == y.operation &&
                             x.subresource == y.subresource && x.fields == y.fields;
                    });
}

}  // namespace calico::kube
