#include "crds/schema.h"

#include <algorithm>
#include <regex>

#include <fmt/format.h>

#include "pkg/base/base64.h"
#include "pkg/codec/time.h"

namespace calico::crds {
namespace {

const json::object* ObjectAt(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains({key.data(), key.size()});
  return value == nullptr ? nullptr : value->if_object();
}

bool Flag(const json::object& schema, std::string_view key) {
  const json::value* value = schema.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string_view Text(const json::object& schema, std::string_view key) {
  const json::value* value = schema.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_string() ? codec::View(value->get_string())
                                                : std::string_view();
}

constexpr std::size_t kMaxMatched = 4096;

// Collects the violations of one document.
class Validator {
 public:
  std::vector<std::string> Take() { return std::move(violations_); }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the document.
  void Check(const json::object& schema, const json::value& value, const std::string& path) {
    if (!HasType(schema, value)) {
      Add(path, fmt::format("expected {}, got {}", Text(schema, "type"), codec::KindName(value)));
      return;
    }
    CheckEnum(schema, value, path);
    if (value.is_object()) CheckObject(schema, value.get_object(), path);
    if (value.is_array()) CheckArray(schema, value.get_array(), path);
    if (value.is_string()) CheckString(schema, codec::View(value.get_string()), path);
    if (value.is_int64()) CheckNumber(schema, value.get_int64(), path);
  }

 private:
  void Add(const std::string& path, std::string_view problem) {
    violations_.push_back(fmt::format("{}: {}", path, problem));
  }

  static bool HasType(const json::object& schema, const json::value& value) {
    if (Flag(schema, "x-kubernetes-int-or-string")) return value.is_int64() || value.is_string();
    const std::string_view type = Text(schema, "type");
    if (type == "integer") return value.is_int64();
    if (type == "boolean") return value.is_bool();
    return type.empty() || type == codec::KindName(value);
  }

  void CheckEnum(const json::object& schema, const json::value& value, const std::string& path) {
    const json::value* allowed = schema.if_contains("enum");
    if (allowed == nullptr) return;
    const json::array& list = allowed->as_array();
    if (std::find(list.begin(), list.end(), value) == list.end()) Add(path, "unsupported value");
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the document.
  void CheckObject(const json::object& schema, const json::object& object,
                   const std::string& path) {
    if (const json::value* required = schema.if_contains("required")) {
      for (const json::value& key : required->as_array()) {
        if (!object.contains(key.as_string())) {
          Add(fmt::format("{}.{}", path, codec::View(key.as_string())), "required");
        }
      }
    }
    const json::object* properties = ObjectAt(schema, "properties");
    const json::object* additional = ObjectAt(schema, "additionalProperties");
    for (const auto& member : object) {
      const std::string_view key(member.key().data(), member.key().size());
      const std::string child = fmt::format("{}.{}", path, key);
      const json::object* known = properties == nullptr ? nullptr : ObjectAt(*properties, key);
      if (known == nullptr) known = additional;
      if (known != nullptr) {
        Check(*known, member.value(), child);
      } else if (!Flag(schema, "x-kubernetes-preserve-unknown-fields") && path != ".metadata") {
        Add(child, "unknown field");
      }
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the document.
  void CheckArray(const json::object& schema, const json::array& array, const std::string& path) {
    if (const json::value* limit = schema.if_contains("maxItems")) {
      if (array.size() > static_cast<std::size_t>(limit->as_int64())) Add(path, "too many items");
    }
    const json::object* items = ObjectAt(schema, "items");
    for (std::size_t i = 0; items != nullptr && i < array.size(); ++i) {
      Check(*items, array[i], fmt::format("{}[{}]", path, i));
    }
  }

  void CheckString(const json::object& schema, std::string_view text, const std::string& path) {
    const json::value* longest = schema.if_contains("maxLength");
    if (longest != nullptr && text.size() > static_cast<std::size_t>(longest->as_int64())) {
      Add(path, "too long");
    }
    const json::value* shortest = schema.if_contains("minLength");
    if (shortest != nullptr && text.size() < static_cast<std::size_t>(shortest->as_int64())) {
      Add(path, "too short");
    }
    const std::string_view pattern = Text(schema, "pattern");
    // A long text could take all of the stack; what has a pattern is short.
    if (!pattern.empty() &&
        (text.size() > kMaxMatched ||
         !std::regex_match(std::string(text), std::regex(std::string(pattern))))) {
      Add(path, "does not match the pattern");
    }
    const std::string_view format = Text(schema, "format");
    if (format == "byte" && !base::Base64Decode(text).ok()) Add(path, "no base64");
    if (format == "date-time" && !codec::ParseTime(text).ok()) Add(path, "no RFC 3339 time");
  }

  void CheckNumber(const json::object& schema, std::int64_t number, const std::string& path) {
    const json::value* minimum = schema.if_contains("minimum");
    if (minimum != nullptr && number < minimum->as_int64()) Add(path, "too small");
    const json::value* maximum = schema.if_contains("maximum");
    if (maximum != nullptr && number > maximum->as_int64()) Add(path, "too large");
    if (Text(schema, "format") == "int32" && number != static_cast<std::int32_t>(number)) {
      Add(path, "no 32-bit number");
    }
  }

  std::vector<std::string> violations_;
};

}  // namespace

const json::object* SchemaOf(const json::value& crd) {
  const json::value* schema = nullptr;
  boost::system::error_code error;
  schema = crd.find_pointer("/spec/versions/0/schema/openAPIV3Schema", error);
  return schema == nullptr ? nullptr : schema->if_object();
}

std::vector<std::string> Violations(const json::object& schema, const json::value& value,
                                    const std::string& path) {
  Validator validator;
  validator.Check(schema, value, path);
  return validator.Take();
}

const json::object* FindSchema(const json::object& schema, std::string_view path) {
  const json::object* here = &schema;
  while (here != nullptr && !path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    std::string_view name = path.substr(0, dot);
    path.remove_prefix(std::min(dot + 1, path.size()));
    const bool is_array = name.ends_with("[]");
    if (is_array) name.remove_suffix(2);
    const json::object* properties = ObjectAt(*here, "properties");
    here = properties == nullptr ? nullptr : ObjectAt(*properties, name);
    if (is_array && here != nullptr) here = ObjectAt(*here, "items");
  }
  return here;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the schema.
std::vector<std::string> Paths(const json::object& schema, const std::string& path) {
  std::vector<std::string> paths;
  const json::object* properties = ObjectAt(schema, "properties");
  if (properties == nullptr) return paths;
  for (const auto& member : *properties) {
    const std::string_view key(member.key().data(), member.key().size());
    const std::string child = path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
    paths.push_back(child);
    const json::object& below = member.value().as_object();
    const json::object* items = ObjectAt(below, "items");
    const std::vector<std::string> deeper =
        items == nullptr ? Paths(below, child) : Paths(*items, child + "[]");
    paths.insert(paths.end(), deeper.begin(), deeper.end());
  }
  return paths;
}

}  // namespace calico::crds
