#include "operator/offline/world.h"

#include <optional>

#include <absl/status/statusor.h>
#include <fmt/format.h>

#include "pkg/base/status_macros.h"
#include "pkg/codec/yaml.h"

namespace calico::offline {
namespace {

absl::Status Invalid(std::string_view file, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("{}: {}", file, what));
}

}  // namespace

absl::Status World::Add(std::string_view file, json::object object) {
  const std::string kind(codec::TextAt(object, "kind"));
  const json::object* const metadata = codec::FindObject(object, "metadata");
  const std::string_view name = metadata == nullptr ? "" : codec::TextAt(*metadata, "name");
  if (kind.empty() || name.empty()) {
    return Invalid(file,
                   fmt::format("an object without {}", kind.empty() ? "kind" : "metadata.name"));
  }
  api::ObjectKey key{std::string(codec::TextAt(*metadata, "namespace")), std::string(name)};
  std::string identity = fmt::format("{} {}", kind, key.ToString());
  if (!objects_.try_emplace({kind, std::move(key)}, std::move(object)).second) {
    return Invalid(file, fmt::format("{} is given twice", identity));
  }
  return absl::OkStatus();
}

absl::Status World::Add(std::string_view file, std::string_view text) {
  bytes_ += text.size();
  if (bytes_ > kMaxWorldBytes) {
    return absl::ResourceExhaustedError(
        fmt::format("{}: more than {} bytes of objects", file, kMaxWorldBytes));
  }
  absl::StatusOr<std::vector<json::value>> documents =
      codec::ParseYamlDocuments(text, {.max_bytes = kMaxWorldBytes, .max_nodes = 2'000'000});
  if (!documents.ok()) {
    return absl::Status(documents.status().code(),
                        fmt::format("{}: {}", file, std::string(documents.status().message())));
  }
  for (json::value& document : *documents) {
    if (!document.is_object()) return Invalid(file, "a document that is no object");
    json::object& object = document.get_object();
    json::value* const items = object.if_contains("items");
    if (items == nullptr || !items->is_array() ||
        !codec::TextAt(object, "kind").ends_with("List")) {
      CALICO_RETURN_IF_ERROR(Add(file, std::move(object)));
      continue;
    }
    for (json::value& item : items->get_array()) {
      if (!item.is_object()) return Invalid(file, "an item of a List that is no object");
      CALICO_RETURN_IF_ERROR(Add(file, std::move(item.get_object())));
    }
  }
  return absl::OkStatus();
}

const json::object* World::Find(std::string_view kind, const api::ObjectKey& key) const {
  const auto found = objects_.find({std::string(kind), key});
  return found == objects_.end() ? nullptr : &found->second;
}

std::vector<const json::object*> World::OfKind(std::string_view kind) const {
  std::vector<const json::object*> found;
  for (const auto& [identity, object] : objects_) {
    if (identity.first == kind) found.push_back(&object);
  }
  return found;
}

}  // namespace calico::offline
