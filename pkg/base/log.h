// Structured logging: one JSON object per line on stderr, a constant message plus key/value fields.
//
//   logger.Info("reconciled", {{"controller", "installation"}, {"name", name}});
//
// Never pass a key, a token or a PEM body. Log an error once, where it stops travelling.
#ifndef CALICO_PKG_BASE_LOG_H_
#define CALICO_PKG_BASE_LOG_H_

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <absl/status/status.h>
#include <absl/time/time.h>

namespace calico::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
// Their names, in this order.
inline constexpr std::array<std::string_view, 4> kLogLevelNames = {"debug", "info", "warning",
                                                                   "error"};
std::optional<LogLevel> ParseLogLevel(std::string_view name);

// One key with its value, rendered as JSON. Lifetime: `key` must outlive the call.
class LogField {
 public:
  LogField(std::string_view key, std::string_view value);
  LogField(std::string_view key, const char* value) : LogField(key, std::string_view(value)) {}
  LogField(std::string_view key, const std::string& value)
      : LogField(key, std::string_view(value)) {}
  LogField(std::string_view key, bool value);
  LogField(std::string_view key, double value);
  LogField(std::string_view key, absl::Duration value);
  LogField(std::string_view key, const absl::Status& value);
  template <class Integer, std::enable_if_t<std::is_integral_v<Integer>, int> = 0>
  LogField(std::string_view key, Integer value) : key_(key), json_(std::to_string(value)) {}

  std::string_view key() const { return key_; }
  std::string_view json() const { return json_; }

 private:
  std::string_view key_;
  std::string json_;
};

// Threading: safe to use from several threads. Passed by reference; must outlive its users.
class Logger {
 public:
  // Receives whole lines without the newline.
  using Sink = std::function<void(LogLevel, std::string_view line)>;

  // Logs to stderr.
  explicit Logger(LogLevel threshold = LogLevel::kInfo);
  // Logs to `sink` (tests).
  Logger(LogLevel threshold, Sink sink);
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  using Fields = std::initializer_list<LogField>;
  void Debug(std::string_view message, Fields fields = {}) const;
  void Info(std::string_view message, Fields fields = {}) const;
  void Warning(std::string_view message, Fields fields = {}) const;
  void Error(std::string_view message, Fields fields = {}) const;

 private:
  void Write(LogLevel level, std::string_view message, Fields fields) const;

  LogLevel threshold_;
  Sink sink_;
};

// `value` as a JSON string with quotes; bytes that are not UTF-8 become U+FFFD.
std::string JsonQuote(std::string_view value);

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_LOG_H_
