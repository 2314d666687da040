#include "pkg/api/operator/ignored_fields.h"

#include <set>
#include <string_view>

#include <fmt/format.h>

#include "pkg/api/operator/installation.h"

namespace calico::api {
namespace {

const InstallationField* FindField(std::string_view path) {
  for (const InstallationField& field : InstallationFields()) {
    if (field.path == path) return &field;
  }
  return nullptr;
}

// Null and {} change nothing.
bool SaysNothing(const json::value& value) {
  return value.is_null() || (value.is_object() && value.get_object().empty());
}

bool HasFixedValue(const json::value& value, std::string_view fixed) {
  const absl::StatusOr<json::value> expected = codec::ParseJson(fixed);
  return expected.ok() && value == *expected;
}

// NOLINTNEXTLINE(misc-no-recursion): goes no deeper than the paths of the table.
void Collect(const json::object& object, const std::string& path, std::set<std::string>& ignored) {
  for (const auto& member : object) {
    const json::value& value = member.value();
    if (SaysNothing(value)) continue;
    const std::string_view key(member.key().data(), member.key().size());
    const std::string child = fmt::format("{}.{}", path, key);
    const InstallationField* field = FindField(child);
    if (field == nullptr || field->use == InstallationField::Use::kNotYet ||
        (field->use == InstallationField::Use::kFixed && !HasFixedValue(value, field->fixed))) {
      ignored.insert(child);
    } else if (value.is_object()) {
      Collect(value.get_object(), child, ignored);
    } else if (value.is_array()) {
      for (const json::value& element : value.get_array()) {
        if (element.is_object()) Collect(element.get_object(), child + "[]", ignored);
      }
    }
  }
}

}  // namespace

std::vector<std::string> IgnoredFields(const json::object& spec) {
  std::set<std::string> ignored;
  Collect(spec, "spec", ignored);
  return {ignored.begin(), ignored.end()};
}

}  // namespace calico::api
