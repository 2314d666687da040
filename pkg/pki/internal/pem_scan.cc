#include "pkg/pki/internal/pem_scan.h"

#include <optional>
#include <utility>

#include <absl/status/status.h>
#include <fmt/format.h>

namespace calico::pki::internal {
namespace {

constexpr std::string_view kDashes = "-----";
constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kSpace = " \t\r";
constexpr size_t kMaxLabelBytes = 64;

// Takes the next line without its line feed and trailing white space.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  const size_t last = line.find_last_not_of(kSpace);
  return last == std::string_view::npos ? std::string_view() : line.substr(0, last + 1);
}

// The label of a line that starts with `prefix`, or nothing if the rest is not `label-----`.
std::optional<std::string_view> LabelOf(std::string_view line, std::string_view prefix) {
  line.remove_prefix(prefix.size());
  if (!line.ends_with(kDashes)) return std::nullopt;
  line.remove_suffix(kDashes.size());
  if (line.empty() || line.size() > kMaxLabelBytes) return std::nullopt;
  if (line.find(kDashes) != std::string_view::npos) return std::nullopt;
  for (const char c : line) {
    if (c < ' ' || c > '~') return std::nullopt;
  }
  return line;
}

// Other lines of dashes are decoration in the text around blocks.
bool IsBoundary(std::string_view line) {
  return line.starts_with(kBegin) || line.starts_with(kEnd);
}

class Scanner {
 public:
  Scanner(std::string_view text, size_t max_blocks) : rest_(text), max_blocks_(max_blocks) {}

  absl::StatusOr<RawPem> Run() {
    while (!rest_.empty()) {
      const std::string_view line = TakeLine(rest_);
      const size_t start = line.find_first_not_of(kSpace);
      if (start == std::string_view::npos) continue;
      if (!IsBoundary(line.substr(start))) {
        pem_.text_after = true;
        continue;
      }
      if (start != 0) return Error("its BEGIN line is indented");
      if (absl::Status status = TakeBlock(line); !status.ok()) return status;
    }
    return std::move(pem_);
  }

 private:
  absl::Status Error(std::string_view cause) const {
    return absl::InvalidArgumentError(
        fmt::format("parse PEM block {}: {}", pem_.blocks.size() + 1, cause));
  }

  absl::Status TakeBlock(std::string_view begin_line) {
    if (!begin_line.starts_with(kBegin)) return Error("an END line without a BEGIN line");
    if (pem_.blocks.size() == max_blocks_) {
      return absl::ResourceExhaustedError(
          fmt::format("parse PEM: more than {} blocks", max_blocks_));
    }
    const std::optional<std::string_view> label = LabelOf(begin_line, kBegin);
    if (!label.has_value()) return Error("malformed BEGIN line (line breaks lost?)");
    RawPemBlock block;
    block.label = *label;
    block.text_before = pem_.text_after;
    block.headers = TakeHeaders();
    const char* body = rest_.data();
    for (;;) {
      if (rest_.empty()) return Error("no END line");
      const char* line_start = rest_.data();
      const std::string_view line = TakeLine(rest_);
      if (!line.starts_with(kDashes)) continue;
      if (line.starts_with(kBegin)) return Error("another BEGIN line before its END line");
      if (!line.starts_with(kEnd)) return Error("a line of dashes that is not an END line");
      const std::optional<std::string_view> end_label = LabelOf(line, kEnd);
      if (!end_label.has_value()) return Error("text after its END line (line break lost?)");
      if (*end_label != *label) return Error("its END line has another label");
      block.body = {body, static_cast<size_t>(line_start - body)};
      break;
    }
    pem_.blocks.push_back(block);
    pem_.text_after = false;
    return absl::OkStatus();
  }

  // RFC 1421 headers: lines with a colon, continued by indented ones, and an empty line after them.
  std::string_view TakeHeaders() {
    const char* start = rest_.data();
    const char* end = start;
    while (!rest_.empty()) {
      std::string_view after = rest_;
      const std::string_view line = TakeLine(after);
      const bool continues = end != start && line.find_first_not_of(kSpace) > 0;
      if (line.find(':') == std::string_view::npos && !(continues && !line.empty())) break;
      end = line.data() + line.size();
      rest_ = after;
    }
    return {start, static_cast<size_t>(end - start)};
  }

  std::string_view rest_;
  const size_t max_blocks_;
  RawPem pem_;
};

}  // namespace

absl::StatusOr<RawPem> ScanPem(std::string_view text, size_t max_text_bytes, size_t max_blocks) {
  if (text.size() > max_text_bytes) {
    return absl::ResourceExhaustedError(
        fmt::format("parse PEM: {} bytes, limit {}", text.size(), max_text_bytes));
  }
  return Scanner(text, max_blocks).Run();
}

}  // namespace calico::pki::internal
