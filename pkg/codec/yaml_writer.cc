#include "pkg/codec/yaml_writer.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "pkg/codec/yaml_scalar.h"

namespace calico::codec {
namespace {

constexpr std::string_view kIndicators = "-?:,[]{}#&*!|>'\"%@`=";

enum class Style { kPlain, kSingleQuoted, kDoubleQuoted, kLiteral };

// Code points that YAML readers may take for line breaks or drop: C1 controls, U+2028, U+2029,
// U+FEFF. Returns the length of such a sequence at the front, else 0.
std::size_t SpecialSequence(std::string_view text) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.size() >= 2 && byte(0) == 0xc2 && byte(1) >= 0x80 && byte(1) < 0xa0) return 2;
  if (text.size() < 3) return 0;
  if (byte(0) == 0xe2 && byte(1) == 0x80 && (byte(2) == 0xa8 || byte(2) == 0xa9)) return 3;
  if (byte(0) == 0xef && byte(1) == 0xbb && byte(2) == 0xbf) return 3;
  return 0;
}

// Printable without escapes, newlines apart.
bool IsPrintable(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && byte != '\n') || byte == 0x7f) return false;
    if (SpecialSequence(text.substr(i, 3)) != 0) return false;
  }
  return true;
}

bool FitsLiteral(std::string_view text) {
  return text.front() != ' ' && text.front() != '\n' &&
         text.find(" \n") == std::string_view::npos && text.back() != ' ';
}

bool FitsPlain(std::string_view text) {
  if (text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
  if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) {
    return false;
  }
  if (text.starts_with("---") || text.starts_with("...")) return false;
  if (kIndicators.find(text.front()) == std::string_view::npos) return true;
  // A dash, question mark or colon before something else is no indicator.
  return std::string_view("-?:").find(text.front()) != std::string_view::npos && text.size() > 1 &&
         text[1] != ' ';
}

constexpr std::string_view kDigits = "0123456789";

// 1:30, 12:30:45
bool IsSexagesimal(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  const std::size_t digits = text.find_first_not_of(kDigits);
  return digits != std::string_view::npos && digits > 0 && text[digits] == ':' &&
         text.find_first_not_of("0123456789:._") == std::string_view::npos;
}

// 2026-11-22, 2026-11-22T19:42:02Z
bool IsTimestamp(std::string_view text) {
  return text.find_first_not_of(kDigits) == 4 && text[4] == '-' &&
         text.find_first_not_of("0123456789-+:.TtZ ") == std::string_view::npos;
}

Style StyleOf(std::string_view text) {
  if (text.empty() || !IsPrintable(text)) return Style::kDoubleQuoted;
  if (text.find('\n') != std::string_view::npos) {
    return FitsLiteral(text) ? Style::kLiteral : Style::kDoubleQuoted;
  }
  const std::optional<json::value> plain = ResolvePlainScalar(text);
  if (!plain.has_value() || !plain->is_string() || IsTimestamp(text) || IsSexagesimal(text) ||
      text == "<<") {
    return Style::kDoubleQuoted;
  }
  return FitsPlain(text) ? Style::kPlain : Style::kSingleQuoted;
}

std::string SingleQuoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

std::string DoubleQuoted(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (const std::size_t length = SpecialSequence(text.substr(i, 3)); length > 0) {
      const unsigned low = static_cast<unsigned char>(text[i + length - 1]) & 0x3fU;
      const unsigned point = length == 2 ? 0x80U | low : byte == 0xe2 ? 0x2000U | low : 0xfeffU;
      out += fmt::format("\\u{:04x}", point);
      i += length - 1;
    } else if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// The text on one line, quoted when it must be.
std::string OneLine(std::string_view text) {
  switch (StyleOf(text)) {
    case Style::kPlain:
      return std::string(text);
    case Style::kSingleQuoted:
      return SingleQuoted(text);
    case Style::kDoubleQuoted:
    case Style::kLiteral:
      return DoubleQuoted(text);
  }
  return DoubleQuoted(text);
}

std::string Float(double number) {
  std::string text = fmt::format("{}", number);
  return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

bool IsNonEmptyObject(const json::value& value) {
  return value.is_object() && !value.get_object().empty();
}
bool IsNonEmptyArray(const json::value& value) {
  return value.is_array() && !value.get_array().empty();
}

class Writer {
 public:
  std::string Take() { return std::move(out_); }

  void Document(const json::value& value) {
    if (IsNonEmptyObject(value)) return Members(value.get_object(), 0, false);
    if (IsNonEmptyArray(value)) return Elements(value.get_array(), 0, false);
    Scalar(value, 0);
  }

 private:
  void Indent(std::size_t indent) { out_.append(indent, ' '); }

  // `inline_first`: the first line's indentation is there already ("- ").
  void Members(const json::object& object, std::size_t indent, bool inline_first) {
    std::vector<const json::key_value_pair*> members;
    for (const json::key_value_pair& member : object) members.push_back(&member);
    std::sort(members.begin(), members.end(),
              [](const auto* a, const auto* b) { return a->key() < b->key(); });
    for (const json::key_value_pair* member : members) {
      if (!inline_first) Indent(indent);
      inline_first = false;
      out_ += OneLine({member->key().data(), member->key().size()});
      out_ += ':';
      const json::value& value = member->value();
      if (IsNonEmptyObject(value)) {
        out_ += '\n';
        Members(value.get_object(), indent + 2, false);
      } else if (IsNonEmptyArray(value)) {
        out_ += '\n';
        Elements(value.get_array(), indent, false);
      } else {
        out_ += ' ';
        Scalar(value, indent + 2);
      }
    }
  }

  void Elements(const json::array& array, std::size_t indent, bool inline_first) {
    for (const json::value& value : array) {
      if (!inline_first) Indent(indent);
      inline_first = false;
      out_ += "- ";
      if (IsNonEmptyObject(value)) {
        Members(value.get_object(), indent + 2, true);
      } else if (IsNonEmptyArray(value)) {
        Elements(value.get_array(), indent + 2, true);
      } else {
        Scalar(value, indent + 2);
      }
    }
  }

  // A value without children, and the end of its line. `indent` is that of a literal block.
  void Scalar(const json::value& value, std::size_t indent) {
    if (const json::string* text = value.if_string(); text != nullptr) {
      if (StyleOf(View(*text)) == Style::kLiteral) return Literal(View(*text), indent);
      out_ += OneLine(View(*text));
    } else if (const double* number = value.if_double()) {
      out_ += Float(*number);
    } else if (value.is_object()) {
      out_ += "{}";
    } else if (value.is_array()) {
      out_ += "[]";
    } else {
      out_ += Serialize(value);
    }
    out_ += '\n';
  }

  void Literal(std::string_view text, std::size_t indent) {
    const bool ends_line = text.back() == '\n';
    if (ends_line) text.remove_suffix(1);
    const bool keeps_more = ends_line && text.back() == '\n';
    out_ += ends_line ? (keeps_more ? "|+\n" : "|\n") : "|-\n";
    indent = std::max<std::size_t>(indent, 2);
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      if (end > begin) {
        Indent(indent);
        out_ += text.substr(begin, end - begin);
      }
      out_ += '\n';
      begin = end + 1;
    }
  }

  std::string out_;
};

}  // namespace

std::string ToYaml(const json::value& value) {
  Writer writer;
  writer.Document(value);
  return writer.Take();
}

std::string ToYaml(absl::Span<const json::value> documents) {
  std::string out;
  for (const json::value& document : documents) {
    if (!out.empty()) out += "---\n";
    out += ToYaml(document);
  }
  return out;
}

}  // namespace calico::codec
