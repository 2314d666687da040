#include "operator/validation/spec_field.h"

#include <algorithm>
#include <limits>

#include <absl/strings/ascii.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace calico::validation {
namespace {

constexpr size_t kMostShownBytes = 100;

std::string Bounded(std::string_view text) {
  std::string shown(text.substr(0, kMostShownBytes));
  std::replace_if(
      shown.begin(), shown.end(),
      [](unsigned char c) { return absl::ascii_iscntrl(c) || c >= 0x80; }, '?');
  if (text.size() > kMostShownBytes) shown += "...";
  return shown;
}

}  // namespace

SpecField::SpecField(const json::value* value, std::string path)
    : value_(value),
      object_(value == nullptr ? nullptr : value->if_object()),
      path_(std::move(path)) {}

bool SpecField::set() const {
  if (object_ != nullptr) return true;
  if (value_ == nullptr || value_->is_null()) return false;
  return !value_->is_string() || !value_->get_string().empty();
}

SpecField SpecField::operator[](std::string_view key) const {
  const json::value* const value = object_ == nullptr ? nullptr : object_->if_contains(key);
  return {value, fmt::format("{}.{}", path_, key)};
}

std::vector<SpecField> SpecField::items() const {
  std::vector<SpecField> items;
  const json::array* const array = this->array();
  if (array == nullptr) return items;
  items.reserve(array->size());
  for (size_t i = 0; i < array->size(); ++i) {
    items.push_back(SpecField(&array->at(i), fmt::format("{}[{}]", path_, i)));
  }
  return items;
}

std::vector<SpecField> SpecField::members() const {
  std::vector<SpecField> members;
  if (object_ == nullptr) return members;
  for (const json::key_value_pair& member : *object_) {
    const std::string_view key = codec::KeyOf(member);
    members.push_back(SpecField(&member.value(), fmt::format("{}[{}]", path_, Bounded(key))));
    members.back().key_ = key;
  }
  return members;
}

std::string_view SpecField::text() const {
  return is_text() ? codec::View(value_->get_string()) : std::string_view();
}

bool SpecField::is_text() const { return value_ != nullptr && value_->is_string(); }

std::optional<std::int64_t> SpecField::number() const {
  if (value_ == nullptr) return std::nullopt;
  if (value_->is_int64()) return value_->get_int64();
  if (!value_->is_uint64()) return std::nullopt;
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min(value_->get_uint64(), kMost));
}

bool SpecField::is(bool flag) const {
  return value_ != nullptr && value_->is_bool() && value_->get_bool() == flag;
}

const json::array* SpecField::array() const {
  return value_ == nullptr ? nullptr : value_->if_array();
}

std::string SpecField::shown() const {
  if (is_text()) return Quoted(text());
  return value_ == nullptr ? "nothing" : Bounded(codec::Serialize(*value_));
}

std::string SpecField::plain() const { return Bounded(text()); }

bool IsForeignCni(const SpecField& type) {
  return type.text() == "GKE" || type.text() == "AmazonVPC" || type.text() == "AzureVNET";
}

std::string Quoted(std::string_view text) { return fmt::format("\"{}\"", Bounded(text)); }

void CheckOneOf(const SpecField& field, std::span<const std::string_view> values,
                Findings findings) {
  if (!field.set()) return;
  if (field.is_text() && std::find(values.begin(), values.end(), field.text()) != values.end()) {
    return;
  }
  if (values.size() == 1) {
    findings.Add(field.path(), fmt::format("{} is not possible here: write {}, or remove it",
                                           field.shown(), values.front()));
    return;
  }
  findings.Add(field.path(), fmt::format("{} is not known: write one of {}", field.shown(),
                                         fmt::join(values, ", ")));
}

void CheckNumber(const SpecField& field, std::int64_t least, std::int64_t most, Findings findings) {
  if (!field.set()) return;
  const std::optional<std::int64_t> number = field.number();
  if (number.has_value() && *number >= least && *number <= most) return;
  constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max();
  findings.Add(field.path(),
               most == kLargest
                   ? fmt::format("{} is not possible: write a whole number, at least {}",
                                 field.shown(), least)
                   : fmt::format("{} is not possible: write a whole number from {} to {}",
                                 field.shown(), least, most));
}

}  // namespace calico::validation
