#include "pkg/kube/apply/field_owner.h"

#include <algorithm>
#include <vector>

#include <absl/strings/ascii.h>

namespace calico::kube {
namespace {

constexpr size_t kMostManagerBytes = 128;
constexpr std::string_view kField = "f:";

// Whether `key` ("k:{\"name\":\"calico-node\"}", "v:\"x\"") is the element of a list that a path
// calls `element` ("calico-node", "80,TCP").
bool IsElement(std::string_view key, std::string_view element) {
  if (!key.starts_with("k:") && !key.starts_with("v:")) return false;
  while (true) {
    const size_t comma = element.find(',');
    const std::string_view part = element.substr(0, comma);
    if (key.find(part) == std::string_view::npos) return false;
    if (comma == std::string_view::npos) return true;
    element.remove_prefix(comma + 1);
  }
}

// Takes the dot that separates what was matched from the rest; false in the middle of a name.
bool TakeSeparator(std::string_view& rest) {
  if (rest.empty() || rest.front() == '[') return true;
  if (rest.front() != '.') return false;
  rest.remove_prefix(1);
  return true;
}

// A name in a path may hold dots itself (annotations), so every member that fits is followed.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the parser let it be.
bool Owns(const json::object& fields, std::string_view path) {
  if (path.empty() || fields.empty()) return true;
  if (path.front() == '[') {
    const size_t end = path.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view element = path.substr(1, end - 1);
    std::string_view rest = path.substr(end + 1);
    if (!TakeSeparator(rest)) return false;
    return std::any_of(fields.begin(), fields.end(), [&](const auto& member) {
      const json::object* const below = member.value().if_object();
      return below != nullptr && IsElement(codec::KeyOf(member), element) && Owns(*below, rest);
    });
  }
  return std::any_of(fields.begin(), fields.end(), [&](const auto& member) {
    std::string_view key = codec::KeyOf(member);
    const json::object* const below = member.value().if_object();
    if (below == nullptr || !key.starts_with(kField)) return false;
    key.remove_prefix(kField.size());
    if (!path.starts_with(key)) return false;
    std::string_view rest = path.substr(key.size());
    return TakeSeparator(rest) && Owns(*below, rest);
  });
}

std::string Printable(std::string_view text) {
  std::string result(text.substr(0, kMostManagerBytes));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return !absl::ascii_isprint(c); }, '?');
  return result;
}

}  // namespace

std::string OwnerOfField(const json::array& managed_fields, std::string_view path) {
  for (const json::value& entry : managed_fields) {
    if (!entry.is_object()) continue;
    const json::object* const fields = codec::FindObject(entry.get_object(), "fieldsV1");
    if (fields == nullptr || fields->empty() || !Owns(*fields, path)) continue;
    const std::string_view manager = codec::TextAt(entry.get_object(), "manager");
    if (!manager.empty()) return Printable(manager);
  }
  return "";
}

}  // namespace calico::kube
