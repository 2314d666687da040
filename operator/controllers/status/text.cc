#include "operator/controllers/status/text.h"

#include <algorithm>
#include <utility>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

namespace calico::status {
namespace {

constexpr std::string_view kCut = "...";
constexpr size_t kMostNames = 3;
// A character has four bytes at most, so that three of them can be in the middle of one.
constexpr int kMostInside = 3;

// Of UTF-8: not the first byte of a character.
bool IsInsideCharacter(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// The largest cut up to `limit` that splits no character.
size_t CutBefore(std::string_view text, size_t limit) {
  size_t at = limit;
  for (int i = 0; i < kMostInside && at > 0 && IsInsideCharacter(text[at]); ++i) --at;
  return IsInsideCharacter(text[at]) ? limit : at;
}

// The smallest cut from `limit` on that splits no character.
size_t CutAfter(std::string_view text, size_t limit) {
  size_t at = limit;
  for (int i = 0; i < kMostInside && at < text.size() && IsInsideCharacter(text[at]); ++i) ++at;
  return at < text.size() && IsInsideCharacter(text[at]) ? limit : at;
}

}  // namespace

std::string OneLine(std::string_view text, size_t most_bytes) {
  std::string line;
  bool blank = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f) {
      blank = !line.empty();
      continue;
    }
    if (blank) line += ' ';
    blank = false;
    line += c;
  }
  return CutText(std::move(line), most_bytes);
}

std::string CutText(std::string text, size_t most_bytes) {
  if (text.size() <= most_bytes) return text;
  const size_t kept = most_bytes - kCut.size();
  const size_t tail = kept / 2;
  const size_t head_end = CutBefore(text, kept - tail);
  const size_t tail_begin = CutAfter(text, text.size() - tail);
  text.replace(head_end, tail_begin - head_end, kCut);
  return text;
}

std::string FirstNames(std::vector<std::string> names) {
  if (names.size() <= kMostNames) {
    std::sort(names.begin(), names.end());
    return absl::StrJoin(names, ", ");
  }
  std::partial_sort(names.begin(), names.begin() + kMostNames, names.end());
  const size_t more = names.size() - kMostNames;
  names.resize(kMostNames);
  return fmt::format("{} and {} more", absl::StrJoin(names, ", "), more);
}

}  // namespace calico::status
