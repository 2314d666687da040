#include "pkg/pki/internal/der_reader.h"

#include <cstddef>

namespace calico::pki::internal {
namespace {

constexpr uint8_t kHighTag = 0x1f;
constexpr uint8_t kLongForm = 0x80;
constexpr size_t kMaxLengthBytes = 4;
constexpr size_t kMaxArcBytes = 5;

uint8_t ByteAt(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }

// Takes one arc of an identifier.
bool TakeArc(std::string_view& rest) {
  uint32_t arc = 0;
  for (size_t i = 0; i < rest.size() && i < kMaxArcBytes; ++i) {
    const uint8_t byte = ByteAt(rest, i);
    if (arc >= 1U << 24U || (i == 0 && byte == 0x80)) return false;
    arc = arc << 7U | (byte & 0x7fU);
    if ((byte & 0x80) != 0) continue;
    rest.remove_prefix(i + 1);
    return true;
  }
  return false;
}

}  // namespace

std::optional<DerReader::Element> DerReader::Take() {
  if (rest_.size() < 2 || (ByteAt(rest_, 0) & kHighTag) == kHighTag) return std::nullopt;
  size_t header = 2;
  size_t length = ByteAt(rest_, 1);
  if ((length & kLongForm) != 0) {
    const size_t count = length & ~size_t{kLongForm};
    if (count == 0 || count > kMaxLengthBytes || rest_.size() < 2 + count) return std::nullopt;
    length = 0;
    for (size_t i = 0; i < count; ++i) length = length << 8U | ByteAt(rest_, 2 + i);
    const bool is_shortest = length >= kLongForm && length >> ((count - 1) * 8) != 0;
    if (!is_shortest) return std::nullopt;
    header += count;
  }
  if (length > rest_.size() - header) return std::nullopt;
  const Element element{.tag = ByteAt(rest_, 0),
                        .content = rest_.substr(header, length),
                        .whole = rest_.substr(0, header + length)};
  rest_.remove_prefix(header + length);
  return element;
}

std::optional<std::string_view> DerReader::Take(uint8_t tag) {
  if (!Sees(tag)) return std::nullopt;
  const std::optional<Element> element = Take();
  return element.has_value() ? std::optional(element->content) : std::nullopt;
}

bool IsShortestInteger(std::string_view content) {
  if (content.empty()) return false;
  if (content.size() == 1) return true;
  const bool next_is_high = (ByteAt(content, 1) & 0x80) != 0;
  return !(ByteAt(content, 0) == 0x00 && !next_is_high) &&
         !(ByteAt(content, 0) == 0xff && next_is_high);
}

bool IsObjectId(std::string_view content) {
  if (content.empty()) return false;
  while (!content.empty()) {
    if (!TakeArc(content)) return false;
  }
  return true;
}

}  // namespace calico::pki::internal
