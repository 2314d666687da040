// What commands print: aligned tables as kubectl's, JSON and YAML from one value.
#ifndef CALICO_OPERATOR_CALICERT_COMMAND_OUTPUT_H_
#define CALICO_OPERATOR_CALICERT_COMMAND_OUTPUT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "operator/config/flags.h"
#include "pkg/codec/json.h"

namespace calico::calicert {

enum class OutputFormat { kTable, kWide, kJson, kYaml, kName, kPem, kText };

// "table", "wide", ... Requires for Parse: one of them (the flag has seen to it).
std::string_view ToString(OutputFormat format);
OutputFormat ParseOutputFormat(std::string_view name);

// -o, --output with these formats; the first is the default. Lifetime: as Flags says of targets.
void AddOutputFlag(config::Flags& flags, const std::vector<OutputFormat>& formats,
                   std::string* target);

// Columns as wide as their longest cell, three spaces between them, titles in capitals.
class Table {
 public:
  struct Column {
    std::string title;
    bool only_wide = false;  // left out unless -o wide
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // Requires: as many cells as columns. What would break a line, or move a terminal's cursor,
  // becomes a space.
  void AddRow(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  std::string Text(OutputFormat format = OutputFormat::kTable, bool titles = true) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// JSON with an indent of four spaces as kubectl prints it, or YAML (kYaml). Ends with a newline.
std::string Document(const json::value& value, OutputFormat format = OutputFormat::kJson);

// How long something lasts, as kubectl's tables have it: "45s", "12m", "5h", "3d4h", "364d", "9y".
std::string ShortPeriod(absl::Duration period);

// `text` without control characters, so that what a stranger's certificate holds stays on its line.
std::string Printable(std::string_view text);

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_COMMAND_OUTPUT_H_
