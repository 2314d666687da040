// JSON text that people write by hand, read so that every complaint can say where: each value and
// key knows its line and column, keys keep their order, and a key given twice is there twice.
//
//   CALICO_ASSIGN_OR_RETURN(codec::LocatedJson root, codec::ParseLocatedJson(text));
//
// For what programs write, use ParseJson (json.h): it is faster and its values are smaller.
#ifndef CALICO_PKG_CODEC_LOCATED_JSON_H_
#define CALICO_PKG_CODEC_LOCATED_JSON_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

namespace calico::codec {

// Both from 1; a column counts bytes, as compilers do. "3:14" as text.
struct Location {
  int line = 1;
  int column = 1;

  std::string ToString() const;
  friend bool operator==(const Location&, const Location&) = default;
};

struct LocatedMember;

struct LocatedJson {
  enum class Kind { kNull, kBoolean, kNumber, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  Location location;  // of its first character
  bool boolean = false;
  // kString: the text. kNumber: as it is written.
  std::string text;
  std::vector<LocatedJson> items;      // kArray
  std::vector<LocatedMember> members;  // kObject

  // "an object", "a list", "a text", "a number", "true or false", "null".
  std::string_view KindName() const;
  // The number if it is a whole one without exponent or fraction.
  std::optional<int64_t> Integer() const;
};

struct LocatedMember {
  std::string key;
  Location location;  // of the key
  LocatedJson value;
};

struct LocatedLimits {
  std::size_t max_bytes = 1 << 20;
  std::size_t max_depth = 32;
};

// Exactly one value; a byte order mark in front of it is skipped. Comments, trailing commas and
// invalid UTF-8 are refused.
// Errors: InvalidArgument "3:14: what is wrong there, and what to write"; ResourceExhausted beyond
// `limits`. The text is quoted by single characters only.
absl::StatusOr<LocatedJson> ParseLocatedJson(std::string_view text,
                                             const LocatedLimits& limits = {});

}  // namespace calico::codec

#endif  // CALICO_PKG_CODEC_LOCATED_JSON_H_
