#include "pkg/kube/schema/quantity.h"

#include <optional>
#include <string>

#include <absl/numeric/int128.h>
#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>

namespace calico::kube {
namespace {

// number * 2^twos * 5^fives with a number that neither 2 nor 5 divides: unique for each amount.
struct Amount {
  absl::int128 number = 0;
  int twos = 0;
  int fives = 0;
  friend bool operator==(const Amount&, const Amount&) = default;
};

constexpr size_t kMaxDigits = 30;

struct Suffix {
  std::string_view text;
  int tens;
  int twos;
};
constexpr Suffix kSuffixes[] = {{"", 0, 0},    {"n", -9, 0},  {"u", -6, 0},  {"m", -3, 0},
                                {"k", 3, 0},   {"M", 6, 0},   {"G", 9, 0},   {"T", 12, 0},
                                {"P", 15, 0},  {"E", 18, 0},  {"Ki", 0, 10}, {"Mi", 0, 20},
                                {"Gi", 0, 30}, {"Ti", 0, 40}, {"Pi", 0, 50}, {"Ei", 0, 60}};

std::optional<Suffix> ParseSuffix(std::string_view text) {
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.text == text) return suffix;
  }
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  int exponent = 0;
  if (!absl::SimpleAtoi(std::string(text.substr(1)), &exponent)) return std::nullopt;
  if (exponent < -100 || exponent > 100) return std::nullopt;
  return Suffix{text, exponent, 0};
}

std::optional<Amount> Parse(std::string_view text) {
  bool negative = false;
  if (text.starts_with('+') || text.starts_with('-')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  Amount amount;
  size_t digits = 0;
  int tens = 0;
  bool after_dot = false;
  while (!text.empty() && (absl::ascii_isdigit(text[0]) || (text[0] == '.' && !after_dot))) {
    if (text[0] == '.') {
      after_dot = true;
    } else {
      if (++digits > kMaxDigits) return std::nullopt;
      amount.number = amount.number * 10 + (text[0] - '0');
      if (after_dot) --tens;
    }
    text.remove_prefix(1);
  }
  const std::optional<Suffix> suffix = ParseSuffix(text);
  if (digits == 0 || !suffix.has_value()) return std::nullopt;
  if (amount.number == 0) return Amount{};
  amount.twos = tens + suffix->tens + suffix->twos;
  amount.fives = tens + suffix->tens;
  for (; amount.number % 2 == 0; amount.number /= 2) ++amount.twos;
  for (; amount.number % 5 == 0; amount.number /= 5) ++amount.fives;
  if (negative) amount.number = -amount.number;
  return amount;
}

}  // namespace

bool SameQuantity(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const std::optional<Amount> left = Parse(a);
  return left.has_value() && left == Parse(b);
}

}  // namespace calico::kube
