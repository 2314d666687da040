#include "pkg/base/log.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <absl/time/clock.h>
#include <fmt/format.h>

#include "pkg/base/utf8.h"

namespace calico::base {
namespace {

void AppendEscaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (static_cast<unsigned char>(c) < 0x20) {
    out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
  } else {
    out += c;
  }
}

// One write for each line: lines of several threads, and of several processes that share a pipe,
// do not mix. A line that stderr does not take is lost; there is nobody to tell.
void WriteToStderr(LogLevel /*level*/, std::string_view line) {
  std::string text(line);
  text += '\n';
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = write(STDERR_FILENO, rest.data(), rest.size());
    if (written < 0 && errno != EINTR) return;
    if (written > 0) rest.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace

std::optional<LogLevel> ParseLogLevel(std::string_view name) {
  const auto found = std::find(kLogLevelNames.begin(), kLogLevelNames.end(), name);
  if (found == kLogLevelNames.end()) return std::nullopt;
  return static_cast<LogLevel>(found - kLogLevelNames.begin());
}

std::string JsonQuote(std::string_view value) {
  std::string out = "\"";
  out.reserve(value.size() + 2);
  while (!value.empty()) {
    const size_t length = Utf8SequenceLength(value);
    if (length == 1) {
      AppendEscaped(out, value[0]);
    } else if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else {
      out += value.substr(0, length);
    }
    value.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
  return out;
}

LogField::LogField(std::string_view key, std::string_view value)
    : key_(key), json_(JsonQuote(value)) {}
LogField::LogField(std::string_view key, bool value) : key_(key), json_(value ? "true" : "false") {}
LogField::LogField(std::string_view key, double value)
    : key_(key), json_(fmt::format("{:.6g}", value)) {}
LogField::LogField(std::string_view key, absl::Duration value)
    : key_(key), json_(JsonQuote(absl::FormatDuration(value))) {}
LogField::LogField(std::string_view key, const absl::Status& value)
    : key_(key), json_(JsonQuote(value.ToString())) {}

Logger::Logger(LogLevel threshold) : Logger(threshold, WriteToStderr) {}
Logger::Logger(LogLevel threshold, Sink sink) : threshold_(threshold), sink_(std::move(sink)) {}
Logger::~Logger() = default;

void Logger::Debug(std::string_view message, Fields fields) const {
  Write(LogLevel::kDebug, message, fields);
}
void Logger::Info(std::string_view message, Fields fields) const {
  Write(LogLevel::kInfo, message, fields);
}
void Logger::Warning(std::string_view message, Fields fields) const {
  Write(LogLevel::kWarning, message, fields);
}
void Logger::Error(std::string_view message, Fields fields) const {
  Write(LogLevel::kError, message, fields);
}

void Logger::Write(LogLevel level, std::string_view message, Fields fields) const {
  if (level < threshold_) return;
  std::string line =
      fmt::format(R"({{"time":"{}","level":"{}","message":{})",
                  absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone()),
                  kLogLevelNames[static_cast<size_t>(level)], JsonQuote(message));
  for (const LogField& field : fields) {
    line += fmt::format(",{}:{}", JsonQuote(field.key()), field.json());
  }
  line += '}';
  sink_(level, line);
}

}  // namespace calico::base
