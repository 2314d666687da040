#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include <absl/strings/numbers.h>
#include <fmt/format.h>

#include "pkg/api/operator/installation_fields.h"
#include "pkg/base/release_order.h"

namespace calico::api {
namespace {

// Null, [], {} and objects of nothing else ask for nothing, wherever they are.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the parser allows.
bool IsHollow(const json::value& value) {
  if (value.is_array()) return value.get_array().empty();
  if (!value.is_object()) return value.is_null();
  return std::all_of(value.get_object().begin(), value.get_object().end(),
                     [](const auto& member) { return IsHollow(member.value()); });
}

// So does "" in a field; in a map, as a label's value, it is one like any other.
bool SaysNothing(const json::value& value) {
  return IsHollow(value) || (value.is_string() && value.get_string().empty());
}

// "100Mi", "1" and 1 as a number; nullopt for other texts.
std::optional<double> Quantity(const json::value& value) {
  if (value.is_int64()) return static_cast<double>(value.get_int64());
  if (!value.is_string()) return std::nullopt;
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}};
  std::string_view text = codec::View(value.get_string());
  double factor = 1;
  for (const auto& [suffix, unit] : kUnits) {
    if (!text.ends_with(suffix)) continue;
    text.remove_suffix(suffix.size());
    factor = unit;
    break;
  }
  double number = 0;
  if (!absl::SimpleAtod({text.data(), text.size()}, &number)) return std::nullopt;
  return number * factor;
}

std::string_view WithoutLastSlash(std::string_view path) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

// The same to Kubernetes: 1 and "1", 100Mi and 102400Ki, a folder with and without its last slash.
bool MeansTheSame(const json::value& value, const json::value& expected) {
  if (value == expected) return true;
  const std::optional<double> quantity = Quantity(value);
  if (quantity.has_value() && quantity == Quantity(expected)) return true;
  if (!value.is_string() || !expected.is_string()) return false;
  const std::string_view path = codec::View(value.get_string());
  return path.starts_with('/') &&
         WithoutLastSlash(path) == WithoutLastSlash(codec::View(expected.get_string()));
}

bool HasFixedValue(const json::value& value, std::string_view fixed) {
  const absl::StatusOr<json::value> expected = codec::ParseJson(fixed);
  if (!expected.ok()) return false;
  if (!expected->is_array()) return MeansTheSame(value, *expected);
  const json::array& several = expected->get_array();
  return std::any_of(several.begin(), several.end(),
                     [&value](const json::value& one) { return MeansTheSame(value, one); });
}

enum class Effect { kNone, kAsWanted, kLookDeeper };

Effect EffectOf(const std::string& path, const json::value& value, std::string_view release) {
  const InstallationField* const field = FindInstallationField(path);
  if (field == nullptr) return Effect::kNone;
  switch (field->use) {
    case InstallationField::Use::kParent:
      return Effect::kLookDeeper;
    case InstallationField::Use::kRendered:
      if (field->since.empty() || !base::IsLaterRelease(field->since, release)) {
        return Effect::kAsWanted;
      }
      [[fallthrough]];
    case InstallationField::Use::kFixed:
      return HasFixedValue(value, field->fixed) ? Effect::kAsWanted : Effect::kNone;
    case InstallationField::Use::kIgnored:
      break;
  }
  return Effect::kNone;
}

// NOLINTNEXTLINE(misc-no-recursion): goes no deeper than the paths of the tables.
void Collect(const json::object& object, const std::string& path, std::string_view release,
             std::set<std::string>& ignored) {
  for (const auto& member : object) {
    const json::value& value = member.value();
    if (SaysNothing(value)) continue;
    const std::string_view key(member.key().data(), member.key().size());
    const std::string child = fmt::format("{}.{}", path, key);
    const Effect effect = EffectOf(child, value, release);
    if (effect == Effect::kNone) ignored.insert(child);
    if (effect != Effect::kLookDeeper) continue;
    if (value.is_object()) Collect(value.get_object(), child, release, ignored);
    if (!value.is_array()) continue;
    for (const json::value& element : value.get_array()) {
      if (element.is_object()) Collect(element.get_object(), child + "[]", release, ignored);
    }
  }
}

}  // namespace

std::vector<std::string> IgnoredFields(const json::object& spec, std::string_view release) {
  std::set<std::string> ignored;
  Collect(spec, "spec", release, ignored);
  return {ignored.begin(), ignored.end()};
}

}  // namespace calico::api
