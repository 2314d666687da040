#include "pkg/codec/located_json.h"

#include <charconv>
#include <utility>

#include <absl/status/status.h>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>
#include <fmt/format.h>

namespace calico::codec {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// Builds the tree from the parser's events. Bytes are handed to the parser one by one, so that
// `at` is the place of the byte that completes each event.
class TreeBuilder {
 public:
  static constexpr std::size_t max_object_size = 100'000;
  static constexpr std::size_t max_array_size = 100'000;
  static constexpr std::size_t max_key_size = 1 << 16;
  static constexpr std::size_t max_string_size = 1 << 20;

  Location at;
  // Where the string, number or word that is being read began.
  Location token_start;

  LocatedJson Take() { return std::move(root_); }

  bool on_document_begin(boost::system::error_code&) { return true; }
  bool on_document_end(boost::system::error_code&) { return true; }
  bool on_object_begin(boost::system::error_code&) {
    Push(LocatedJson::Kind::kObject);
    return true;
  }
  bool on_object_end(std::size_t, boost::system::error_code&) { return Pop(); }
  bool on_array_begin(boost::system::error_code&) {
    Push(LocatedJson::Kind::kArray);
    return true;
  }
  bool on_array_end(std::size_t, boost::system::error_code&) { return Pop(); }
  bool on_key_part(boost::json::string_view part, std::size_t, boost::system::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_key(boost::json::string_view part, std::size_t, boost::system::error_code&) {
    text_.append(part.data(), part.size());
    open_.back()->members.push_back({.key = std::exchange(text_, {}), .location = token_start});
    return true;
  }
  bool on_string_part(boost::json::string_view part, std::size_t, boost::system::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_string(boost::json::string_view part, std::size_t, boost::system::error_code&) {
    text_.append(part.data(), part.size());
    Add(LocatedJson::Kind::kString).text = std::exchange(text_, {});
    return true;
  }
  bool on_number_part(boost::json::string_view part, boost::system::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_int64(int64_t, boost::json::string_view part, boost::system::error_code&) {
    return Number(part);
  }
  bool on_uint64(uint64_t, boost::json::string_view part, boost::system::error_code&) {
    return Number(part);
  }
  bool on_double(double, boost::json::string_view part, boost::system::error_code&) {
    return Number(part);
  }
  bool on_bool(bool value, boost::system::error_code&) {
    Add(LocatedJson::Kind::kBoolean).boolean = value;
    return true;
  }
  bool on_null(boost::system::error_code&) {
    Add(LocatedJson::Kind::kNull);
    return true;
  }
  bool on_comment_part(boost::json::string_view, boost::system::error_code&) { return true; }
  bool on_comment(boost::json::string_view, boost::system::error_code&) { return true; }

 private:
  LocatedJson& Add(LocatedJson::Kind kind, bool begins_here = false) {
    LocatedJson* place = &root_;
    if (!open_.empty()) {
      LocatedJson& parent = *open_.back();
      place = parent.kind == LocatedJson::Kind::kArray ? &parent.items.emplace_back()
                                                       : &parent.members.back().value;
    }
    place->kind = kind;
    place->location = begins_here ? at : token_start;
    return *place;
  }
  // Pointers of `open_` stay good: a container grows only while it is the last one open.
  void Push(LocatedJson::Kind kind) { open_.push_back(&Add(kind, /*begins_here=*/true)); }
  bool Pop() {
    open_.pop_back();
    return true;
  }
  bool Number(boost::json::string_view part) {
    text_.append(part.data(), part.size());
    Add(LocatedJson::Kind::kNumber).text = std::exchange(text_, {});
    return true;
  }

  LocatedJson root_;
  std::vector<LocatedJson*> open_;
  std::string text_;  // of the string or number so far
};

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Follows strings and words while bytes go by, and tells what stood before a byte that is wrong.
class Scanner {
 public:
  // True when `c` begins a string, a number or a word.
  bool Begins(char c) {
    if (in_string_) {
      if (escape_) {
        escape_ = false;
      } else if (c == '\\') {
        escape_ = true;
      } else if (c == '"') {
        in_string_ = false;
        last_ = '"';
      }
      return false;
    }
    if (IsSpace(c)) {
      in_word_ = false;
      return false;
    }
    const bool punctuation = std::string_view("{}[]:,").find(c) != std::string_view::npos;
    const bool begins = c == '"' || (!punctuation && !in_word_);
    in_string_ = c == '"';
    in_word_ = !punctuation && !in_string_;
    last_ = c;
    return begins;
  }
  bool in_string() const { return in_string_; }
  // The last character outside of a string that is no white space; 0 at the start.
  char last() const { return last_; }

 private:
  bool in_string_ = false;
  bool escape_ = false;
  bool in_word_ = false;
  char last_ = 0;
};

std::string Shown(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte > 0x7e ? fmt::format("byte 0x{:02x}", byte) : fmt::format("'{}'", c);
}

// What is wrong with `c`, in words.
std::string Explain(char c, const Scanner& before, bool complete, boost::system::error_code error) {
  if (complete)
    return fmt::format("{} after the end of the first value: a file holds one", Shown(c));
  if (error == boost::json::error::too_deep) return "nested too deep";
  if (before.in_string()) {
    if (c == '\n') return "the text does not end on its line: a '\"' is missing";
    return fmt::format("{} may not stand in a text", Shown(c));
  }
  if ((c == ']' || c == '}') && before.last() == ',') {
    return fmt::format("{} after a comma: JSON has no comma behind the last entry", Shown(c));
  }
  if (c == '/' || c == '#') return fmt::format("{}: JSON has no comments", Shown(c));
  if (c == '\'') return "'\\'': JSON writes texts with double quotes";
  if (c == '"' && before.last() != 0 && before.last() != '{') {
    return "a comma is missing before this '\"'";
  }
  if (before.last() == 0) return fmt::format("{}: this is no JSON", Shown(c));
  return fmt::format("{} where {} was expected", Shown(c),
                     before.last() == '{' ? "a key in double quotes or '}'"
                     : before.last() == ',' || before.last() == '[' || before.last() == ':'
                         ? "a value or a key in double quotes"
                         : "a comma or the end of the list or object");
}

absl::Status Wrong(Location at, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("{}: {}", at.ToString(), what));
}

void Advance(char c, Location& at) {
  ++at.column;
  if (c == '\n') at = {.line = at.line + 1, .column = 1};
}

}  // namespace

std::string Location::ToString() const { return fmt::format("{}:{}", line, column); }

std::string_view LocatedJson::KindName() const {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBoolean:
      return "true or false";
    case Kind::kNumber:
      return "a number";
    case Kind::kString:
      return "a text";
    case Kind::kArray:
      return "a list";
    case Kind::kObject:
      return "an object";
  }
  return "unknown";
}

std::optional<int64_t> LocatedJson::Integer() const {
  int64_t value = 0;
  const char* const end = text.data() + text.size();
  if (kind != Kind::kNumber || text.empty()) return std::nullopt;
  const auto [used, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || used != end) return std::nullopt;
  return value;
}

absl::StatusOr<LocatedJson> ParseLocatedJson(std::string_view text, const LocatedLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return absl::ResourceExhaustedError(
        fmt::format("{} bytes of JSON, limit {}", text.size(), limits.max_bytes));
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return absl::InvalidArgumentError("1:1: the file is empty");
  }
  boost::json::parse_options options;
  options.max_depth = limits.max_depth;
  boost::json::basic_parser<TreeBuilder> parser(options);
  TreeBuilder& builder = parser.handler();
  Scanner scanner;
  for (const char& c : text) {
    const Scanner before = scanner;
    const bool complete = parser.done();
    if (scanner.Begins(c)) builder.token_start = builder.at;
    boost::system::error_code error;
    const std::size_t used = parser.write_some(/*more=*/true, &c, 1, error);
    if (error || (used == 0 && !IsSpace(c))) {
      return Wrong(builder.at, Explain(c, before, complete, error));
    }
    Advance(c, builder.at);
  }
  boost::system::error_code error;
  parser.write_some(/*more=*/false, nullptr, 0, error);
  if (error) return Wrong(builder.at, "the text ends in the middle: a '}', ']' or '\"' is missing");
  return builder.Take();
}

}  // namespace calico::codec
