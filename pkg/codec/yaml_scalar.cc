#include "pkg/codec/yaml_scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

namespace calico::codec {
namespace {

constexpr std::string_view kNull[] = {"", "~", "null", "Null", "NULL"};
constexpr std::string_view kTrue[] = {"y",    "Y",    "yes", "Yes", "YES", "true",
                                      "True", "TRUE", "on",  "On",  "ON"};
constexpr std::string_view kFalse[] = {"n",     "N",     "no",  "No",  "NO", "false",
                                       "False", "FALSE", "off", "Off", "OFF"};
constexpr std::string_view kNotFinite[] = {".inf",  ".Inf",  ".INF",  "+.inf", "+.Inf", "+.INF",
                                           "-.inf", "-.Inf", "-.INF", ".nan",  ".NaN",  ".NAN"};
// Integral floats up to here are exact.
constexpr double kMaxExactInteger = 9007199254740992.0;

template <std::size_t N>
bool Contains(const std::string_view (&list)[N], std::string_view text) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Digits from the front; returns how many.
std::size_t SkipDigits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && IsDigit(text[count])) ++count;
  text.remove_prefix(count);
  return count;
}

bool SkipSign(std::string_view& text) {
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return false;
  text.remove_prefix(1);
  return true;
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool IsFloat(std::string_view text) {
  SkipSign(text);
  const std::size_t whole = SkipDigits(text);
  std::size_t fraction = 0;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    fraction = SkipDigits(text);
  }
  if (whole == 0 && fraction == 0) return false;
  if (!text.empty() && (text.front() == 'e' || text.front() == 'E')) {
    text.remove_prefix(1);
    SkipSign(text);
    if (SkipDigits(text) == 0) return false;
  }
  return text.empty();
}

int BaseOf(std::string_view& digits) {
  if (digits.size() < 2 || digits[0] != '0') return 10;
  int base = 8;
  std::size_t prefix = 1;
  if (const char c = digits[1];
      c == 'x' || c == 'X' || c == 'b' || c == 'B' || c == 'o' || c == 'O') {
    base = c == 'x' || c == 'X' ? 16 : c == 'b' || c == 'B' ? 2 : 8;
    prefix = 2;
  }
  digits.remove_prefix(prefix);
  return base;
}

std::optional<json::value> AsInteger(std::string_view text) {
  const bool negative = text.front() == '-';
  SkipSign(text);
  const int base = BaseOf(text);
  std::uint64_t magnitude = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, magnitude, base);
  if (error != std::errc() || stop != end || text.empty()) return std::nullopt;
  constexpr std::uint64_t kMaxInt64 = INT64_MAX;
  if (!negative && magnitude > kMaxInt64) return json::value(magnitude);
  if (magnitude > kMaxInt64 + (negative ? 1 : 0)) return std::nullopt;
  return json::value(static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude));
}

std::optional<json::value> AsFloat(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  double number = 0;
  const char* const begin = text.data();
  const auto [stop, error] = std::from_chars(begin, begin + text.size(), number);
  if (error != std::errc() || !std::isfinite(number)) return std::nullopt;
  if (std::trunc(number) == number && std::abs(number) <= kMaxExactInteger) {
    return json::value(static_cast<std::int64_t>(number));
  }
  return json::value(number);
}

}  // namespace

std::optional<json::value> ResolvePlainScalar(std::string_view text) {
  if (Contains(kNull, text)) return json::value(nullptr);
  if (Contains(kTrue, text)) return json::value(true);
  if (Contains(kFalse, text)) return json::value(false);
  if (Contains(kNotFinite, text)) return std::nullopt;
  json::value as_text(json::string_view(text.data(), text.size()));
  const char first = text.front();
  if (!IsDigit(first) && first != '+' && first != '-' && first != '.') return as_text;
  std::string digits(text);
  std::erase(digits, '_');
  if (digits.empty()) return as_text;
  if (std::optional<json::value> integer = AsInteger(digits)) return integer;
  return IsFloat(digits) ? AsFloat(digits).value_or(as_text) : as_text;
}

}  // namespace calico::codec
