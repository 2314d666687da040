#include "operator/validation/quantity.h"

#include <cmath>
#include <iterator>
#include <string>

#include <absl/strings/ascii.h>

namespace calico::validation {
namespace {

constexpr size_t kMostBytes = 64;

struct Suffix {
  std::string_view text;
  long double factor;
  bool is_binary;
};
constexpr long double kKibi = 1024;
constexpr Suffix kSuffixes[] = {
    {"", 1, false},
    {"n", 1e-9L, false},
    {"u", 1e-6L, false},
    {"m", 1e-3L, false},
    {"k", 1e3L, false},
    {"M", 1e6L, false},
    {"G", 1e9L, false},
    {"T", 1e12L, false},
    {"P", 1e15L, false},
    {"E", 1e18L, false},
    {"Ki", kKibi, true},
    {"Mi", kKibi* kKibi, true},
    {"Gi", kKibi* kKibi* kKibi, true},
    {"Ti", kKibi* kKibi* kKibi* kKibi, true},
    {"Pi", kKibi* kKibi* kKibi* kKibi* kKibi, true},
    {"Ei", kKibi* kKibi* kKibi* kKibi* kKibi* kKibi, true},
};

// Takes a sign from the front; -1 or 1.
int TakeSign(std::string_view& text) {
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return 1;
  const int sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  return sign;
}

// Takes digits with at most one point from the front.
std::optional<long double> TakeDecimal(std::string_view& text) {
  long double value = 0;
  long double place = 0;  // 0 before the point, else the place of the next digit
  bool has_digit = false;
  while (!text.empty()) {
    const char c = text.front();
    if (absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      has_digit = true;
      if (place == 0) {
        value = value * 10 + (c - '0');
      } else {
        value += (c - '0') / place;
        place *= 10;
      }
    } else if (c == '.' && place == 0) {
      place = 10;
    } else {
      break;
    }
    text.remove_prefix(1);
  }
  if (!has_digit) return std::nullopt;
  return value;
}

// "e3", "E-2".
std::optional<long double> ExponentFactor(std::string_view text) {
  if (text.size() < 2 || (text.front() != 'e' && text.front() != 'E')) return std::nullopt;
  text.remove_prefix(1);
  const int sign = TakeSign(text);
  if (text.empty() || text.size() > 3) return std::nullopt;
  int exponent = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
    exponent = exponent * 10 + (c - '0');
  }
  return std::pow(10.0L, sign * exponent);
}

}  // namespace

std::optional<Quantity> ParseQuantity(std::string_view text) {
  if (text.empty() || text.size() > kMostBytes) return std::nullopt;
  const int sign = TakeSign(text);
  const std::optional<long double> number = TakeDecimal(text);
  if (!number.has_value()) return std::nullopt;
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.text != text) continue;
    return Quantity{.value = sign * *number * suffix.factor, .has_binary_suffix = suffix.is_binary};
  }
  const std::optional<long double> factor = ExponentFactor(text);
  if (!factor.has_value()) return std::nullopt;
  return Quantity{.value = sign * *number * *factor};
}

std::optional<Quantity> ParseQuantity(const SpecField& field) {
  if (field.is_text()) return ParseQuantity(field.text());
  const std::optional<std::int64_t> number = field.number();
  if (!number.has_value()) return std::nullopt;
  return Quantity{.value = static_cast<long double>(*number)};
}

bool IsLess(const Quantity& a, const Quantity& b) {
  constexpr long double kLost = 1e-12L;
  return b.value - a.value > kLost * std::max(std::fabs(a.value), std::fabs(b.value));
}

}  // namespace calico::validation
