#include "operator/controllers/status/text.h"

namespace calico::status {

std::string OneLine(std::string_view text, size_t most_bytes) {
  std::string line;
  bool blank = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f) {
      blank = !line.empty();
      continue;
    }
    const bool starts_character = (byte & 0xc0) != 0x80;
    if (line.size() >= most_bytes && starts_character) return line + "...";
    if (blank) line += ' ';
    blank = false;
    line += c;
  }
  return line;
}

}  // namespace calico::status
