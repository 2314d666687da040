#include "operator/calicert/cfssl/commands/go_json.h"

#include <string_view>

namespace calico::calicert::cfssl {
namespace {

constexpr size_t kIndent = 2;

// NOLINTNEXTLINE(misc-no-recursion): as deep as what we build ourselves.
void Append(const json::value& value, size_t depth, std::string& out) {
  const auto line = [&out](size_t level) {
    out += '\n';
    out.append(level * kIndent, ' ');
  };
  bool first = true;
  const auto next = [&] {
    if (!first) out += ',';
    first = false;
    line(depth + 1);
  };
  if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
    out += '{';
    for (const json::key_value_pair& member : *object) {
      next();
      out += codec::Serialize(json::value(member.key())) + ": ";
      Append(member.value(), depth + 1, out);
    }
    line(depth);
    out += '}';
    return;
  }
  if (const json::array* array = value.if_array(); array != nullptr && !array->empty()) {
    out += '[';
    for (const json::value& item : *array) {
      next();
      Append(item, depth + 1, out);
    }
    line(depth);
    out += ']';
    return;
  }
  out += codec::Serialize(value);
}

}  // namespace

std::string GoJson(const json::value& value) {
  std::string out;
  Append(value, 0, out);
  return out;
}

}  // namespace calico::calicert::cfssl
