#include "pkg/kube/testing/selectors.h"

#include <algorithm>
#include <utility>

#include <absl/status/status.h>
#include <fmt/format.h>

#include "pkg/base/status_macros.h"

namespace calico::kube {
namespace {

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Splits at commas outside of parentheses; empty parts are left out.
std::vector<std::string_view> SplitRequirements(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  size_t start = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '(') ++depth;
    if (i < text.size() && text[i] == ')') --depth;
    if (i < text.size() && (text[i] != ',' || depth > 0)) continue;
    const std::string_view part = Trim(text.substr(start, i - start));
    if (!part.empty()) parts.push_back(part);
    start = i + 1;
  }
  return parts;
}

// Splits `key OP value` at =, == or !=; false when there is no operator.
bool SplitEquality(std::string_view text, std::string_view& key, std::string_view& value,
                   bool& negated) {
  const size_t at = text.find('=');
  if (at == std::string_view::npos) return false;
  negated = at > 0 && text[at - 1] == '!';
  key = Trim(text.substr(0, negated ? at - 1 : at));
  value = text.substr(at + 1);
  if (value.starts_with('=')) value.remove_prefix(1);
  value = Trim(value);
  return true;
}

bool IsSelectable(std::string_view field, std::string_view plural) {
  if (field == "metadata.name" || field == "metadata.namespace") return true;
  if (plural == "certificatesigningrequests") return field == "spec.signerName";
  if (plural == "secrets") return field == "type";
  if (plural == "pods") return field == "spec.nodeName" || field == "status.phase";
  return false;
}

}  // namespace

std::string_view TextAt(const json::object& object, std::initializer_list<std::string_view> path) {
  const json::object* current = &object;
  const json::value* value = nullptr;
  for (std::string_view key : path) {
    if (current == nullptr) return {};
    value = current->if_contains(key);
    if (value == nullptr) return {};
    current = value->if_object();
  }
  if (value == nullptr || !value->is_string()) return {};
  return codec::View(value->get_string());
}

absl::StatusOr<Selectors::Requirement> Selectors::ParseLabel(std::string_view text) {
  std::string_view key;
  std::string_view value;
  bool negated = false;
  if (SplitEquality(text, key, value, negated)) {
    return Requirement{std::string(key), negated, false, {std::string(value)}};
  }
  if (text.starts_with('!')) return Requirement{std::string(Trim(text.substr(1))), true, true, {}};
  const size_t space = text.find(' ');
  if (space == std::string_view::npos) return Requirement{std::string(text), false, true, {}};
  const std::string_view rest = Trim(text.substr(space));
  const bool in = rest.starts_with("in");
  const size_t open = rest.find('(');
  if ((!in && !rest.starts_with("notin")) || open == std::string_view::npos ||
      !rest.ends_with(')')) {
    return absl::InvalidArgumentError(fmt::format("unable to parse requirement: {}", text));
  }
  Requirement requirement{std::string(text.substr(0, space)), !in, false, {}};
  for (std::string_view part : SplitRequirements(rest.substr(open + 1, rest.size() - open - 2))) {
    requirement.values.emplace_back(part);
  }
  return requirement;
}

absl::StatusOr<Selectors::Requirement> Selectors::ParseField(std::string_view text,
                                                             std::string_view plural) {
  std::string_view key;
  std::string_view value;
  bool negated = false;
  if (!SplitEquality(text, key, value, negated)) {
    return absl::InvalidArgumentError(
        fmt::format("invalid selector: '{}'; can't understand '{}'", text, text));
  }
  if (!IsSelectable(key, plural)) {
    return absl::InvalidArgumentError(fmt::format("field label not supported: {}", key));
  }
  return Requirement{std::string(key), negated, false, {std::string(value)}};
}

absl::StatusOr<Selectors> Selectors::Parse(std::string_view labels, std::string_view fields,
                                           std::string_view plural) {
  Selectors selectors;
  for (std::string_view part : SplitRequirements(labels)) {
    CALICO_ASSIGN_OR_RETURN(Requirement requirement, ParseLabel(part));
    selectors.labels_.push_back(std::move(requirement));
  }
  for (std::string_view part : SplitRequirements(fields)) {
    CALICO_ASSIGN_OR_RETURN(Requirement requirement, ParseField(part, plural));
    selectors.fields_.push_back(std::move(requirement));
  }
  return selectors;
}

bool Selectors::Match(const json::object& object) const {
  const auto is_one_of = [](const Requirement& requirement, std::string_view value) {
    return std::find(requirement.values.begin(), requirement.values.end(), value) !=
           requirement.values.end();
  };
  for (const Requirement& field : fields_) {
    const std::string_view key = field.key;
    const size_t dot = key.find('.');
    const std::string_view value = dot == std::string_view::npos
                                       ? TextAt(object, {key})
                                       : TextAt(object, {key.substr(0, dot), key.substr(dot + 1)});
    if (is_one_of(field, value) == field.negated) return false;
  }
  const json::value* metadata = object.if_contains("metadata");
  const json::value* labels = metadata == nullptr || !metadata->is_object()
                                  ? nullptr
                                  : metadata->get_object().if_contains("labels");
  for (const Requirement& label : labels_) {
    const json::value* value = labels == nullptr || !labels->is_object()
                                   ? nullptr
                                   : labels->get_object().if_contains(label.key);
    const bool there = value != nullptr && value->is_string();
    const bool match =
        there && (label.any_value || is_one_of(label, codec::View(value->get_string())));
    if (match == label.negated) return false;
  }
  return true;
}

}  // namespace calico::kube
