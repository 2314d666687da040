#include "pkg/base/base64.h"

#include <array>
#include <cstdint>

#include <absl/status/status.h>
#include <fmt/format.h>

namespace calico::base {
namespace {

constexpr std::string_view kStandardAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> DecodeTable(std::string_view alphabet) {
  std::array<std::int8_t, 256> table{};
  for (std::int8_t& entry : table) entry = -1;
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}

constexpr std::array<std::int8_t, 256> kStandardTable = DecodeTable(kStandardAlphabet);
constexpr std::array<std::int8_t, 256> kUrlTable = DecodeTable(kUrlAlphabet);

bool IsUrl(Base64 variant) { return variant == Base64::kUrl || variant == Base64::kUrlRaw; }
bool IsPadded(Base64 variant) {
  return variant != Base64::kStandardRaw && variant != Base64::kUrlRaw;
}
bool IsSkipped(char c, Base64 variant) {
  return c == '\n' || c == '\r' || (variant == Base64::kPem && (c == ' ' || c == '\t'));
}

absl::Status Illegal(std::size_t offset) {
  return absl::InvalidArgumentError(fmt::format("decode base64: illegal data at byte {}", offset));
}

}  // namespace

std::string Base64Encode(std::string_view bytes, Base64 variant) {
  const std::string_view alphabet = IsUrl(variant) ? kUrlAlphabet : kStandardAlphabet;
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (bit_count += 8; bit_count >= 6;) {
      bit_count -= 6;
      text += alphabet[(bits >> bit_count) & 0x3f];
    }
  }
  if (bit_count > 0) text += alphabet[(bits << (6 - bit_count)) & 0x3f];
  if (IsPadded(variant)) text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

absl::StatusOr<std::size_t> Base64DecodeTo(std::string_view text, char* out, Base64 variant) {
  const std::array<std::int8_t, 256>& table = IsUrl(variant) ? kUrlTable : kStandardTable;
  std::size_t written = 0;
  std::uint32_t bits = 0;
  std::size_t digits = 0;
  std::size_t padding = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (IsSkipped(c, variant)) continue;
    if (c == '=' && IsPadded(variant)) {
      ++padding;
      continue;
    }
    const std::int8_t digit = table[static_cast<unsigned char>(c)];
    if (digit < 0 || padding > 0) return Illegal(i);
    bits = (bits << 6) | static_cast<std::uint32_t>(digit);
    // Of four digits the first completes no byte, each further one does.
    const std::size_t position = digits++ % 4;
    if (position > 0) out[written++] = static_cast<char>(bits >> (6 - 2 * position));
  }
  const std::size_t last_group = digits % 4;
  const std::size_t want_padding = IsPadded(variant) ? (4 - last_group) % 4 : 0;
  const std::uint32_t unused_bits = last_group == 2 ? bits & 0xf : last_group == 3 ? bits & 0x3 : 0;
  if (last_group == 1 || padding != want_padding || unused_bits != 0) return Illegal(text.size());
  return written;
}

absl::StatusOr<std::string> Base64Decode(std::string_view text, Base64 variant) {
  std::string bytes(Base64Bound(text.size()), '\0');
  const absl::StatusOr<std::size_t> size = Base64DecodeTo(text, bytes.data(), variant);
  if (!size.ok()) return size.status();
  bytes.resize(*size);
  return bytes;
}

}  // namespace calico::base
