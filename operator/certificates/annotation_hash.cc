#include "operator/certificates/annotation_hash.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include <absl/strings/ascii.h>
#include <fmt/format.h>

#include "pkg/base/utf8.h"
#include "pkg/openssl/digest.h"

namespace calico::certificates {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

// Assigned characters that are neither controls, formats nor spaces.
constexpr Range kPrintable[] = {
    {0xa1, 0xac},     {0xae, 0x377},    {0x37a, 0x37f},     {0x384, 0x38a},     {0x38c, 0x38c},
    {0x38e, 0x3a1},   {0x3a3, 0x52f},   {0x531, 0x556},     {0x559, 0x58a},     {0x58d, 0x58f},
    {0x591, 0x5c7},   {0x5d0, 0x5ea},   {0x5ef, 0x5f4},     {0x606, 0x61b},     {0x61d, 0x6dc},
    {0x6de, 0x70d},   {0x900, 0x983},   {0xe01, 0xe3a},     {0xe3f, 0xe5b},     {0x10a0, 0x10c5},
    {0x10d0, 0x1248}, {0x1e00, 0x1f15}, {0x2010, 0x2027},   {0x2030, 0x205e},   {0x2070, 0x2071},
    {0x2074, 0x208e}, {0x20a0, 0x20c0}, {0x2100, 0x218b},   {0x2190, 0x2426},   {0x2500, 0x2b73},
    {0x3001, 0x303f}, {0x3041, 0x3096}, {0x3099, 0x30ff},   {0x3105, 0x312f},   {0x3131, 0x318e},
    {0x3400, 0xa48c}, {0xac00, 0xd7a3}, {0xf900, 0xfa6d},   {0xfb00, 0xfb06},   {0xfe30, 0xfe52},
    {0xff01, 0xffbe}, {0xfffd, 0xfffd}, {0x1f300, 0x1f64f}, {0x20000, 0x2a6df},
};

bool IsPrintable(uint32_t point) {
  const auto* range = std::upper_bound(
      std::begin(kPrintable), std::end(kPrintable), point,
      [](uint32_t value, const Range& candidate) { return value < candidate.first; });
  return range != std::begin(kPrintable) && point <= std::prev(range)->last;
}

// The character that a valid sequence of 2 to 4 bytes encodes.
uint32_t PointOf(std::string_view sequence) {
  uint32_t point = static_cast<uint8_t>(sequence.front()) & (0x7fU >> sequence.size());
  for (const char c : sequence.substr(1)) point = point << 6U | (static_cast<uint8_t>(c) & 0x3fU);
  return point;
}

void AppendAscii(std::string& out, char c) {
  static constexpr std::string_view kEscaped = "\a\b\f\n\r\t\v\"\\";
  static constexpr std::string_view kLetters = "abfnrtv\"\\";
  if (const size_t at = kEscaped.find(c); at != std::string_view::npos) {
    out += '\\';
    out += kLetters[at];
  } else if (absl::ascii_isprint(static_cast<unsigned char>(c))) {
    out += c;
  } else {
    out += fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
  }
}

void AppendWide(std::string& out, std::string_view sequence) {
  const uint32_t point = PointOf(sequence);
  if (IsPrintable(point)) {
    out += sequence;
  } else {
    out += point < 0x10000 ? fmt::format("\\u{:04x}", point) : fmt::format("\\U{:08x}", point);
  }
}

}  // namespace

std::string GoQuote(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 16 + 2);
  out += '"';
  while (!text.empty()) {
    const size_t size = base::Utf8SequenceLength(text);
    if (size == 0) {
      out += fmt::format("\\x{:02x}", static_cast<uint8_t>(text.front()));
    } else if (size == 1) {
      AppendAscii(out, text.front());
    } else {
      AppendWide(out, text.substr(0, size));
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  out += '"';
  return out;
}

std::string AnnotationHash(std::string_view text) { return openssl::Sha1Hex(GoQuote(text)); }

std::string AnnotationHash(const api::StringMap& map) {
  std::string text = "map[";
  for (const auto& [key, value] : map) {
    if (text.back() != '[') text += ' ';
    text += GoQuote(key) + ":" + GoQuote(value);
  }
  return openssl::Sha1Hex(text + "]");
}

std::string HashAnnotation(std::string_view ns, std::string_view name) {
  return fmt::format("{}{}hash.operator.tigera.io/{}", ns, ns.empty() ? "" : ".", name);
}

}  // namespace calico::certificates
