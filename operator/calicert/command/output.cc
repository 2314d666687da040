#include "operator/calicert/command/output.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "pkg/base/check.h"
#include "pkg/codec/yaml_writer.h"

namespace calico::calicert {
namespace {

constexpr std::array<std::string_view, 7> kFormatNames = {"table", "wide", "json", "yaml",
                                                          "name",  "pem",  "text"};
constexpr std::string_view kIndent = "    ";

void AppendIndented(const json::value& value, size_t depth, std::string& text);

void BeginLine(size_t depth, std::string& text) {
  text += '\n';
  for (size_t i = 0; i < depth; ++i) text += kIndent;
}

void AppendObject(const json::object& object, size_t depth, std::string& text) {
  text += '{';
  bool first = true;
  for (const json::key_value_pair& member : object) {
    text += std::exchange(first, false) ? "" : ",";
    BeginLine(depth + 1, text);
    text += codec::Serialize(json::value(member.key())) + ": ";
    AppendIndented(member.value(), depth + 1, text);
  }
  if (!first) BeginLine(depth, text);
  text += '}';
}

void AppendArray(const json::array& array, size_t depth, std::string& text) {
  text += '[';
  bool first = true;
  for (const json::value& item : array) {
    text += std::exchange(first, false) ? "" : ",";
    BeginLine(depth + 1, text);
    AppendIndented(item, depth + 1, text);
  }
  if (!first) BeginLine(depth, text);
  text += ']';
}

void AppendIndented(const json::value& value, size_t depth, std::string& text) {
  if (const json::object* object = value.if_object()) {
    AppendObject(*object, depth, text);
  } else if (const json::array* array = value.if_array()) {
    AppendArray(*array, depth, text);
  } else {
    text += codec::Serialize(value);
  }
}

// Columns that a terminal needs: bytes that continue a character of UTF-8 take none.
size_t WidthOf(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

}  // namespace

std::string_view ToString(OutputFormat format) { return kFormatNames[static_cast<size_t>(format)]; }

OutputFormat ParseOutputFormat(std::string_view name) {
  const auto found = std::find(kFormatNames.begin(), kFormatNames.end(), name);
  CALICO_CHECK(found != kFormatNames.end());
  return static_cast<OutputFormat>(found - kFormatNames.begin());
}

void AddOutputFlag(config::Flags& flags, const std::vector<OutputFormat>& formats,
                   std::string* target) {
  std::vector<std::string> names;
  names.reserve(formats.size());
  for (const OutputFormat format : formats) names.emplace_back(ToString(format));
  *target = names.front();
  flags.Text({.name = "output",
              .value = "FORMAT",
              .help = "how to print",
              .choices = std::move(names),
              .letter = 'o'},
             target);
}

void Table::AddRow(std::vector<std::string> cells) {
  CALICO_CHECK(cells.size() == columns_.size());
  for (std::string& cell : cells) cell = Printable(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::Text(OutputFormat format, bool titles) const {
  std::vector<std::string> head;
  for (const Column& column : columns_) head.push_back(column.title);
  std::vector<const std::vector<std::string>*> lines;
  if (titles) lines.push_back(&head);
  for (const std::vector<std::string>& row : rows_) lines.push_back(&row);
  std::vector<size_t> widths(columns_.size());
  for (const auto* line : lines) {
    for (size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], WidthOf((*line)[i]));
  }
  std::string text;
  for (const auto* line : lines) {
    const size_t start = text.size();
    for (size_t i = 0; i < widths.size(); ++i) {
      if (columns_[i].only_wide && format != OutputFormat::kWide) continue;
      text += (*line)[i];
      text.append(widths[i] - WidthOf((*line)[i]) + 3, ' ');
    }
    while (text.size() > start && text.back() == ' ') text.pop_back();
    text += '\n';
  }
  return text;
}

std::string Document(const json::value& value, OutputFormat format) {
  if (format == OutputFormat::kYaml) return codec::ToYaml(value);
  std::string text;
  AppendIndented(value, 0, text);
  return text + "\n";
}

std::string ShortPeriod(absl::Duration period) {
  const int64_t seconds = absl::ToInt64Seconds(period);
  const int64_t minutes = seconds / 60;
  const int64_t hours = minutes / 60;
  const int64_t days = hours / 24;
  if (seconds < 0) return "0s";
  if (minutes < 2) return fmt::format("{}s", seconds);
  if (hours < 3) return fmt::format("{}m", minutes);
  if (days < 2) return fmt::format("{}h", hours);
  if (days < 8 && hours % 24 != 0) return fmt::format("{}d{}h", days, hours % 24);
  if (days < 365 * 2) return fmt::format("{}d", days);
  return fmt::format("{}y", days / 365);
}

std::string Printable(std::string_view text) {
  std::string printable;
  printable.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F in UTF-8: terminals take them for the same commands as ESC and a letter.
    const bool is_c1 = byte == 0xc2 && i + 1 < text.size() &&
                       static_cast<unsigned char>(text[i + 1]) >= 0x80 &&
                       static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (is_c1) ++i;
    printable += is_c1 || byte < 0x20 || byte == 0x7f ? ' ' : text[i];
  }
  return printable;
}

}  // namespace calico::calicert
