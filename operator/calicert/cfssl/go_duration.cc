#include "operator/calicert/cfssl/go_duration.h"

#include <charconv>
#include <string>

#include <absl/strings/string_view.h>
#include <fmt/format.h>

namespace calico::calicert::cfssl {
namespace {

// 2^63 nanoseconds.
constexpr absl::Duration kLongest = absl::Nanoseconds(INT64_MAX);

// The days in what people write for days, weeks, months and years; 0 for another word.
int DaysOf(std::string_view unit) {
  if (unit == "d" || unit == "day" || unit == "days" || unit == "D") return 1;
  if (unit == "w" || unit == "week" || unit == "weeks") return 7;
  if (unit == "mo" || unit == "month" || unit == "months") return 30;
  if (unit == "y" || unit == "Y" || unit == "year" || unit == "years") return 365;
  return 0;
}

// The unit that is meant by `word`; empty for another word.
std::string_view UnitOf(std::string_view word) {
  for (const std::string_view hours : {"H", "h", "hour", "hours", "hr", "hrs"}) {
    if (word == hours) return "h";
  }
  for (const std::string_view minutes : {"m", "min", "mins", "minute", "minutes"}) {
    if (word == minutes) return "m";
  }
  for (const std::string_view seconds : {"S", "s", "sec", "secs", "second", "seconds"}) {
    if (word == seconds) return "s";
  }
  return "";
}

absl::Status Complain(std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("{:?}: {}", text, what));
}

// Why absl::ParseDuration did not take `text`.
absl::Status Explain(std::string_view text) {
  if (text.empty()) return Complain(text, "write a duration such as 8760h");
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc()) {
    std::string_view unit(rest, static_cast<size_t>(end - rest));
    if (unit.empty()) return Complain(text, fmt::format("a unit is missing: write {}h", number));
    if (unit.front() == ' ') unit.remove_prefix(1);
    constexpr int64_t kMost = 1'000'000;
    if (const int days = DaysOf(unit); days > 0 && number > -kMost && number < kMost) {
      return Complain(
          text, fmt::format("there is no unit {}: write hours, {}h", unit, number * days * 24));
    }
    if (const std::string_view meant = UnitOf(unit); !meant.empty()) {
      return Complain(text, fmt::format("write {}{}", number, meant));
    }
  }
  return Complain(text, "not a duration such as 8760h or 1h30m (units h, m, s)");
}

}  // namespace

absl::StatusOr<absl::Duration> ParseGoDuration(std::string_view text) {
  absl::Duration duration;
  // Abseil knows the word inf, too, and white space around it.
  if (text.empty() || text.size() > 64 ||
      text.find_first_of("i \t\n\r") != std::string_view::npos ||
      !absl::ParseDuration({text.data(), text.size()}, &duration)) {
    return Explain(text);
  }
  if (duration > kLongest || duration < -kLongest) {
    return Complain(text, "longer than 2562047h, the longest there is");
  }
  return duration;
}

std::string FormatGoDuration(absl::Duration duration) { return absl::FormatDuration(duration); }

}  // namespace calico::calicert::cfssl
