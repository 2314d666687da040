#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "operator/calico_config/calico_metadata.h"
#include "operator/calico_config/planning.h"

namespace calico::calico_config {
namespace {

// By their names in managedFields: this operator and Tigera's.
constexpr std::string_view kOperators[] = {"calico-operator", "operator"};
constexpr std::string_view kSomebody = "somebody";

const json::object* MetadataOf(const json::object& object) {
  return codec::FindObject(object, "metadata");
}

bool OwnsSpecField(const json::object& entry, std::string_view field) {
  const json::object* const fields = codec::FindObject(entry, "fieldsV1");
  const json::object* const spec =
      fields == nullptr ? nullptr : codec::FindObject(*fields, "f:spec");
  return spec != nullptr && spec->contains(fmt::format("f:{}", field));
}

// Who else has set spec.<field>, as managedFields say; empty when it was the operator alone.
std::string OthersOf(const json::object& object, std::string_view field) {
  const json::object* const metadata = MetadataOf(object);
  const json::array* const entries =
      metadata == nullptr ? nullptr : codec::FindArray(*metadata, "managedFields");
  if (entries == nullptr) return std::string(kSomebody);
  bool is_ours = false;
  for (const json::value& entry : *entries) {
    if (!entry.is_object() || !OwnsSpecField(entry.get_object(), field)) continue;
    const std::string_view manager = codec::TextAt(entry.get_object(), "manager");
    if (std::find(std::begin(kOperators), std::end(kOperators), manager) == std::end(kOperators)) {
      return std::string(manager.empty() ? kSomebody : manager);
    }
    is_ours = true;
  }
  return is_ours ? "" : std::string(kSomebody);
}

}  // namespace

Settings::Settings(std::string_view kind, const std::vector<json::object>& live) : kind_(kind) {
  for (const json::object& object : live) {
    const json::object* const metadata = MetadataOf(object);
    if (metadata != nullptr && codec::TextAt(*metadata, "name") == kDefaultName) live_ = &object;
  }
}

const json::value* Settings::Find(std::string_view field) const {
  const json::object* const spec = live_ == nullptr ? nullptr : codec::FindObject(*live_, "spec");
  const json::value* const value = spec == nullptr ? nullptr : spec->if_contains(field);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string Settings::Annotation(std::string_view key) const {
  return live_ == nullptr ? "" : AnnotationOf(*live_, key);
}

void Settings::Annotate(std::string_view key, std::string_view value) {
  const json::object none;
  calico_config::Annotate(live_ == nullptr ? none : *live_, key, value, annotations_);
}

void Settings::Default(std::string_view field, json::value value) {
  if (Find(field) == nullptr) Set(field, std::move(value));
}

std::string Settings::Claim(std::string_view field, std::string_view value,
                            std::string_view served_default) {
  const json::value* const found = Find(field);
  const auto is = [found](std::string_view text) {
    return found != nullptr && found->is_string() && codec::View(found->get_string()) == text;
  };
  if (is(value)) return "";
  std::string others;
  if (found != nullptr && (served_default.empty() || !is(served_default))) {
    others = OthersOf(*live_, field);
  }
  if (others.empty()) spec_[field] = value;
  return others;
}

void Settings::AddTo(Plan& plan) && {
  if (spec_.empty() && annotations_.empty()) return;
  json::object object = Identity(kApiVersion, kind_, kDefaultName);
  json::object& metadata = object["metadata"].as_object();
  if (!annotations_.empty()) metadata["annotations"] = std::move(annotations_);
  if (!spec_.empty()) object["spec"] = std::move(spec_);
  if (live_ == nullptr) {
    plan.writes.push_back({Write::Verb::kCreate, std::move(object)});
    return;
  }
  metadata["resourceVersion"] = codec::TextAt(*MetadataOf(*live_), "resourceVersion");
  plan.writes.push_back({Write::Verb::kPatch, std::move(object)});
}

}  // namespace calico::calico_config
