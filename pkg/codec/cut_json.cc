#include "pkg/codec/cut_json.h"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace calico::codec {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Where the string that began before `at` ends: its closing quote. nullopt: it is cut.
std::optional<std::size_t> EndOfString(std::string_view text, std::size_t at) {
  for (; at < text.size(); ++at) {
    if (text[at] == '"') return at;
    if (text[at] == '\\') ++at;
  }
  return std::nullopt;
}

bool IsKey(std::string_view text, std::size_t at) {
  while (at < text.size() && IsSpace(text[at])) ++at;
  return at < text.size() && text[at] == ':';
}

}  // namespace

std::string_view FindStringInCutJson(std::string_view text,
                                     std::span<const std::string_view> path) {
  std::size_t depth = 0;
  // How many parts of the path the keys around us are.
  std::size_t matched = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') {
      if (depth == 0) return {};
      matched = std::min(matched, --depth);
    }
    if (c != '"') continue;
    const std::optional<std::size_t> end = EndOfString(text, at + 1);
    if (!end.has_value()) return {};
    const std::string_view string = text.substr(at + 1, *end - at - 1);
    at = *end;
    if (depth == 0 || depth > path.size()) continue;
    if (IsKey(text, at + 1)) {
      const bool follows = matched >= depth - 1 && string == path[depth - 1];
      matched = follows ? depth : std::min(matched, depth - 1);
    } else if (depth == path.size() && matched == depth) {
      return string.find('\\') == std::string_view::npos ? string : std::string_view();
    }
  }
  return {};
}

}  // namespace calico::codec
