#include "pkg/pki/ca/go_text.h"

#include <algorithm>

#include <absl/strings/ascii.h>
#include <fmt/format.h>

#include "pkg/pki/internal/der_reader.h"

namespace calico::pki::internal {
namespace {

constexpr std::string_view kPrintableSigns = " '()+,-./:=?*&";
constexpr size_t kShortTime = 10;  // YYMMDDhhmm, which Go takes beside the full form
constexpr size_t kUtcTime = 12;
constexpr size_t kGeneralizedTime = 14;
constexpr size_t kOffset = 5;  // +hhmm

std::string Quoted(char c) {
  return absl::ascii_isprint(static_cast<unsigned char>(c))
             ? fmt::format("'{}'", c)
             : fmt::format("the byte 0x{:02x}", static_cast<uint8_t>(c));
}

bool IsUtf8(std::string_view text) {
  size_t at = 0;
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  while (at < text.size()) {
    const uint8_t first = byte(at);
    size_t more = 0;
    uint32_t point = first;
    uint32_t least = 0;
    if (first >= 0xf0 && first < 0xf8)
      more = 3, point = first & 0x07U, least = 0x10000;
    else if (first >= 0xe0 && first < 0xf0)
      more = 2, point = first & 0x0fU, least = 0x800;
    else if (first >= 0xc0 && first < 0xe0)
      more = 1, point = first & 0x1fU, least = 0x80;
    else if (first >= 0x80)
      return false;
    if (text.size() - at <= more) return false;
    for (size_t i = 1; i <= more; ++i) {
      if ((byte(at + i) & 0xc0) != 0x80) return false;
      point = point << 6U | (byte(at + i) & 0x3fU);
    }
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
    at += more + 1;
  }
  return true;
}

bool IsBmp(std::string_view text) {
  if (text.size() % 2 != 0) return false;
  for (size_t at = 0; at < text.size(); at += 2) {
    const unsigned point =
        static_cast<uint8_t>(text[at]) << 8U | static_cast<uint8_t>(text[at + 1]);
    if (point >= 0xfffe || (point >= 0xfdd0 && point <= 0xfdef) ||
        (point >= 0xd800 && point <= 0xdfff)) {
      return false;
    }
  }
  return true;
}

bool AllDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isdigit(c); });
}

}  // namespace

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<uint8_t>(c) < 0x80; });
}

std::optional<std::string> GoTextFault(uint8_t tag, std::string_view content) {
  const auto first_bad = [content](auto is_good,
                                   std::string_view type) -> std::optional<std::string> {
    const auto bad = std::find_if_not(content.begin(), content.end(), is_good);
    if (bad == content.end()) return std::nullopt;
    return fmt::format("{} with {}", type, Quoted(*bad));
  };
  switch (tag) {
    case kDerT61String:
      return std::nullopt;
    case kDerPrintableString:
      return first_bad(
          [](char c) {
            return absl::ascii_isalnum(c) || kPrintableSigns.find(c) != std::string_view::npos;
          },
          "a PrintableString");
    case kDerNumericString:
      return first_bad([](char c) { return absl::ascii_isdigit(c) || c == ' '; },
                       "a NumericString");
    case kDerIa5String:
      return first_bad([](char c) { return static_cast<uint8_t>(c) < 0x80; }, "an IA5String");
    case kDerUtf8String:
      if (IsUtf8(content)) return std::nullopt;
      return "a UTF8String that is not UTF-8";
    case kDerBmpString:
      if (IsBmp(content)) return std::nullopt;
      return "a BMPString with a code that is no character";
    default:
      return fmt::format("of a type that is no text there (tag {})", tag);
  }
}

bool IsGoTime(uint8_t tag, std::string_view content) {
  std::string_view digits = content;
  if (content.ends_with('Z')) {
    digits.remove_suffix(1);
  } else {
    if (content.size() <= kOffset) return false;
    const std::string_view offset = content.substr(content.size() - kOffset);
    // Go writes what it has read again, and an offset of nothing as Z.
    if ((offset[0] != '+' && offset[0] != '-') || !AllDigits(offset.substr(1)) ||
        offset.substr(1) == "0000") {
      return false;
    }
    digits.remove_suffix(kOffset);
  }
  if (!AllDigits(digits)) return false;
  if (tag == kDerUtcTime) return digits.size() == kUtcTime || digits.size() == kShortTime;
  return tag == kDerGeneralizedTime && digits.size() == kGeneralizedTime;
}

bool IsGoDomain(std::string_view name) {
  if (name.empty()) return true;
  if (name.front() == '.') name.remove_prefix(1);
  if (name.empty() || name.back() == '.') return false;
  size_t label = 0;
  for (const char c : name) {
    if (c <= ' ' || c > '~') return false;
    if (c == '.' && label == 0) return false;
    label = c == '.' ? 0 : label + 1;
  }
  return true;
}

}  // namespace calico::pki::internal
