#include "pkg/base/log.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
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

// Whether stderr takes more within a while. Only where it does not block.
bool WaitForStderr() {
  constexpr int kMilliseconds = 100;
  pollfd entry{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  return poll(&entry, 1, kMilliseconds) > 0;
}

// How much of `text` stderr took. A line that has begun is worth a wait; one that has not is lost,
// so that a reader who is gone does not hold up the program.
size_t WriteAll(std::string_view text) {
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t written = write(STDERR_FILENO, text.data() + size, text.size() - size);
    if (written > 0) size += static_cast<size_t>(written);
    if (written >= 0 || errno == EINTR) continue;
    if (errno != EAGAIN || size == 0 || !WaitForStderr()) break;
  }
  return size;
}

// Lines of several threads do not mix, however long they are; those of several processes that share
// a pipe do not up to PIPE_BUF (4 KiB), which one write puts there as a whole. What stderr does not
// take is lost; there is nobody to tell.
void WriteToStderr(LogLevel /*level*/, std::string_view line) {
  static std::mutex mutex;
  static bool is_torn = false;  // the last line has no end
  const std::lock_guard lock(mutex);
  std::string text = is_torn ? "\n" : "";
  text += line;
  text += '\n';
  const size_t size = WriteAll(text);
  if (size > 0) is_torn = size < text.size();
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
