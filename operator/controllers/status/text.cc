#include "operator/controllers/status/text.h"

namespace calico::status {
namespace {

// Of UTF-8: not the first byte of a character.
bool IsInsideCharacter(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

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
    if (line.size() >= most_bytes && !IsInsideCharacter(c)) return line + "...";
    if (blank) line += ' ';
    blank = false;
    line += c;
  }
  return line;
}

std::string CutText(std::string text, size_t most_bytes) {
  constexpr std::string_view kCut = "...";
  if (text.size() <= most_bytes) return text;
  const size_t limit = most_bytes - kCut.size();
  size_t end = limit;
  // A character has four bytes at most, so that three of them can be in the middle of one.
  for (int i = 0; i < 3 && end > 0 && IsInsideCharacter(text[end]); ++i) --end;
  if (IsInsideCharacter(text[end])) end = limit;
  text.resize(end);
  text += kCut;
  return text;
}

}  // namespace calico::status
