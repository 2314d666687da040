#include "pkg/codec/object_reader.h"

#include <limits>
#include <utility>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "pkg/base/base64.h"
#include "pkg/codec/time.h"

namespace calico::codec {
namespace {

constexpr std::size_t kMaxProblems = 16;
constexpr std::size_t kMaxQuotedBytes = 64;

// A user's value in a message, shortened.
std::string Quote(std::string_view value) {
  if (value.size() <= kMaxQuotedBytes) return fmt::format("\"{}\"", value);
  return fmt::format("\"{}...\"", value.substr(0, kMaxQuotedBytes));
}

std::optional<std::int64_t> AsInt64(const json::value& value) {
  if (const auto* number = value.if_int64()) return *number;
  return std::nullopt;  // Above int64's range, or with a fraction or an exponent.
}

}  // namespace

const json::value* ObjectReader::Find(std::string_view key) const {
  if (object_ == nullptr) return nullptr;
  const json::value* value = object_->if_contains({key.data(), key.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

void ObjectReader::Fail(std::string_view key, std::string_view problem) const {
  decoder_->AddProblem(fmt::format("{}.{}: {}", decoder_->PathOf(node_), key, problem));
}

void ObjectReader::ExpectedType(std::string_view key, std::string_view type,
                                const json::value& got) const {
  Fail(key, fmt::format("expected {}, got {}", type, KindName(got)));
}

std::string_view ObjectReader::StringView(std::string_view key) const {
  const json::value* value = Find(key);
  if (value == nullptr) return {};
  if (const json::string* text = value->if_string()) return View(*text);
  ExpectedType(key, "string", *value);
  return {};
}

std::string ObjectReader::String(std::string_view key) const {
  return std::string(StringView(key));
}

std::string ObjectReader::RequiredString(std::string_view key) const {
  if (!exists()) return {};
  const json::value* value = Find(key);
  if (value == nullptr || (value->is_string() && value->get_string().empty())) {
    Fail(key, "required");
    return {};
  }
  return String(key);
}

std::optional<std::string> ObjectReader::OptionalString(std::string_view key) const {
  const json::value* value = Find(key);
  if (value == nullptr || !value->is_string()) {
    if (value != nullptr) ExpectedType(key, "string", *value);
    return std::nullopt;
  }
  return std::string(View(value->get_string()));
}

std::string_view ObjectReader::Enum(std::string_view key,
                                    absl::Span<const std::string_view> allowed) const {
  const std::string_view value = StringView(key);
  for (const std::string_view candidate : allowed) {
    if (candidate == value) return candidate;
  }
  if (value.empty()) return {};
  std::vector<std::string_view> names;
  for (const std::string_view candidate : allowed) {
    if (!candidate.empty()) names.push_back(candidate);
  }
  Fail(key, fmt::format("unsupported value {}, expected one of {}", Quote(value),
                        fmt::join(names, ", ")));
  return {};
}

std::optional<std::int64_t> ObjectReader::OptionalInt64(std::string_view key) const {
  const json::value* value = Find(key);
  if (value == nullptr) return std::nullopt;
  const std::optional<std::int64_t> number = AsInt64(*value);
  if (number.has_value()) return number;
  if (value->is_number()) {
    Fail(key, "expected a 64-bit integer");
  } else {
    ExpectedType(key, "integer", *value);
  }
  return std::nullopt;
}

std::int64_t ObjectReader::Int64(std::string_view key, std::int64_t absent) const {
  return OptionalInt64(key).value_or(absent);
}

std::optional<std::int32_t> ObjectReader::OptionalInt32(std::string_view key) const {
  const std::optional<std::int64_t> number = OptionalInt64(key);
  if (!number.has_value()) return std::nullopt;
  if (*number < std::numeric_limits<std::int32_t>::min() ||
      *number > std::numeric_limits<std::int32_t>::max()) {
    Fail(key, "expected a 32-bit integer");
    return std::nullopt;
  }
  return static_cast<std::int32_t>(*number);
}

std::int32_t ObjectReader::Int32(std::string_view key, std::int32_t absent) const {
  return OptionalInt32(key).value_or(absent);
}

std::string ObjectReader::IntOrString(std::string_view key) const {
  const json::value* value = Find(key);
  if (value == nullptr || value->is_string()) return String(key);
  if (const std::optional<std::int64_t> number = AsInt64(*value)) return std::to_string(*number);
  ExpectedType(key, "integer or string", *value);
  return {};
}

std::optional<bool> ObjectReader::OptionalBool(std::string_view key) const {
  const json::value* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (const bool* flag = value->if_bool()) return *flag;
  ExpectedType(key, "boolean", *value);
  return std::nullopt;
}

bool ObjectReader::Bool(std::string_view key, bool absent) const {
  return OptionalBool(key).value_or(absent);
}

std::optional<absl::Time> ObjectReader::Time(std::string_view key) const {
  const std::string_view text = StringView(key);
  if (text.empty()) return std::nullopt;
  absl::StatusOr<absl::Time> time = ParseTime(text);
  if (time.ok()) return *time;
  Fail(key, "expected an RFC 3339 time");
  return std::nullopt;
}

std::string ObjectReader::Bytes(std::string_view key) const {
  absl::StatusOr<std::string> bytes = base::Base64Decode(StringView(key));
  if (bytes.ok()) return *std::move(bytes);
  Fail(key, "expected base64");
  return {};
}

ObjectReader ObjectReader::Object(std::string_view key) const {
  const json::value* value = Find(key);
  const json::object* object = value == nullptr ? nullptr : value->if_object();
  if (object == nullptr) {
    if (value != nullptr) ExpectedType(key, "object", *value);
    return ObjectReader(decoder_, node_, nullptr);
  }
  decoder_->nodes_.push_back({node_, key, -1});
  return ObjectReader(decoder_, static_cast<int>(decoder_->nodes_.size()) - 1, object);
}

ObjectReader ObjectReader::RequiredObject(std::string_view key) const {
  if (exists() && Find(key) == nullptr) Fail(key, "required");
  return Object(key);
}

void ObjectReader::ForEachEntry(
    std::string_view key, absl::FunctionRef<void(std::string_view, std::string_view)> entry) const {
  const json::value* value = Find(key);
  if (value == nullptr) return;
  if (!value->is_object()) return ExpectedType(key, "object", *value);
  for (const auto& member : value->get_object()) {
    const std::string_view name(member.key().data(), member.key().size());
    if (const json::string* text = member.value().if_string()) {
      entry(name, View(*text));
    } else if (!member.value().is_null()) {
      ExpectedType(fmt::format("{}[{}]", key, Quote(name)), "string", member.value());
    }
  }
}

StringMap ObjectReader::Strings(std::string_view key) const {
  StringMap map;
  ForEachEntry(key, [&map](std::string_view name, std::string_view text) {
    map.insert_or_assign(std::string(name), std::string(text));
  });
  return map;
}

void ObjectReader::ForEachString(std::string_view key,
                                 absl::FunctionRef<void(std::string_view)> item) const {
  const json::value* value = Find(key);
  if (value == nullptr) return;
  if (!value->is_array()) return ExpectedType(key, "array", *value);
  int index = 0;
  for (const json::value& element : value->get_array()) {
    if (const json::string* text = element.if_string()) {
      item(View(*text));
    } else {
      ExpectedType(fmt::format("{}[{}]", key, index), "string", element);
    }
    ++index;
  }
}

std::vector<std::string> ObjectReader::StringList(std::string_view key) const {
  std::vector<std::string> list;
  ForEachString(key, [&list](std::string_view text) { list.emplace_back(text); });
  return list;
}

void ObjectReader::ForEach(std::string_view key,
                           absl::FunctionRef<void(const ObjectReader& item)> item) const {
  const json::value* value = Find(key);
  if (value == nullptr) return;
  if (!value->is_array()) return ExpectedType(key, "array", *value);
  int index = 0;
  for (const json::value& element : value->get_array()) {
    if (const json::object* object = element.if_object()) {
      const std::size_t outside = decoder_->nodes_.size();
      decoder_->nodes_.push_back({node_, key, index});
      item(ObjectReader(decoder_, static_cast<int>(outside), object));
      decoder_->nodes_.resize(outside);
    } else {
      ExpectedType(fmt::format("{}[{}]", key, index), "object", element);
    }
    ++index;
  }
}

Decoder::Decoder(std::string_view root) { nodes_.push_back({-1, root, -1}); }

ObjectReader Decoder::Read(const json::object& object) { return ObjectReader(this, 0, &object); }

std::string Decoder::PathOf(int node) const {
  const Node& here = nodes_[static_cast<std::size_t>(node)];
  std::string path =
      here.parent < 0 ? std::string(here.key) : fmt::format("{}.{}", PathOf(here.parent), here.key);
  if (here.index >= 0) path += fmt::format("[{}]", here.index);
  return path;
}

void Decoder::AddProblem(std::string problem) {
  if (problems_.size() < kMaxProblems) {
    problems_.push_back(std::move(problem));
  } else {
    ++more_problems_;
  }
}

absl::Status Decoder::status() const {
  if (problems_.empty()) return absl::OkStatus();
  std::string message = absl::StrJoin(problems_, "; ");
  if (more_problems_ > 0) message += fmt::format("; and {} more", more_problems_);
  return absl::InvalidArgumentError(message);
}

}  // namespace calico::codec
