#include "operator/calicert/cfssl/json_fields.h"

#include <algorithm>
#include <map>
#include <utility>

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace calico::calicert::cfssl {
namespace {

constexpr size_t kMaxErrors = 16;
constexpr size_t kMaxShown = 60;

bool SameKey(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase({a.data(), a.size()}, {b.data(), b.size()});
}

std::string Shortened(std::string_view text) {
  if (text.size() <= kMaxShown) return fmt::format("{:?}", text);
  return fmt::format("{:?}...", text.substr(0, kMaxShown));
}

// The fewest single characters to insert, remove, replace or swap.
size_t Edits(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  std::vector<size_t> next(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      next[j] =
          std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        next[j] = std::min(next[j], before[j - 2] + 1);
      }
    }
    before = std::exchange(row, next);
  }
  return row[b.size()];
}

}  // namespace

std::string Complaints::Line(codec::Location at, std::string_view path,
                             std::string_view what) const {
  return fmt::format("{}:{}: {}{}{}", file_, at.ToString(), path, path.empty() ? "" : ": ", what);
}

void Complaints::Error(codec::Location at, std::string_view path, std::string_view what) {
  if (errors_.size() < kMaxErrors) {
    errors_.push_back(Line(at, path, what));
  } else {
    ++more_errors_;
  }
}

void Complaints::Warn(codec::Location at, std::string_view path, std::string_view what) {
  if (warnings_.size() < kMaxErrors) {
    warnings_.push_back(Line(at, path, what));
  } else {
    ++more_warnings_;
  }
}

absl::Status Complaints::status() const {
  if (errors_.empty()) return absl::OkStatus();
  std::string message = fmt::format("{}", fmt::join(errors_, "\n"));
  if (more_errors_ > 0) message += fmt::format("\n{}: {} more errors", file_, more_errors_);
  return absl::InvalidArgumentError(message);
}

std::vector<std::string> Complaints::warnings() const {
  std::vector<std::string> all = warnings_;
  if (more_warnings_ > 0) {
    all.push_back(fmt::format("{}: {} more warnings", file_, more_warnings_));
  }
  return all;
}

absl::StatusOr<codec::LocatedJson> ParseJsonFile(std::string_view text, std::string_view file,
                                                 const codec::LocatedLimits& limits) {
  const std::string shown(file == "-" ? "standard input" : file);
  absl::StatusOr<codec::LocatedJson> root = codec::ParseLocatedJson(text, limits);
  if (root.ok()) return root;
  std::string what(root.status().message());
  constexpr std::string_view kPem = "-----BEGIN ";
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    what = "1:1: this is UTF-16 text: make UTF-8 of it with iconv -f UTF-16 -t UTF-8";
  } else if (text.starts_with(kPem)) {
    const std::string_view label = text.substr(kPem.size(), 40);
    what = fmt::format("1:1: this is PEM ({}), where JSON is expected",
                       label.substr(0, label.find('-')));
  }
  return absl::Status(root.status().code(), fmt::format("{}:{}", shown, what));
}

JsonFields::JsonFields(const codec::LocatedJson& value, std::string path, Complaints& complaints)
    : value_(value), path_(std::move(path)), complaints_(&complaints) {
  if (value.kind != codec::LocatedJson::Kind::kObject) {
    complaints.Error(value.location, path_,
                     fmt::format("must be an object {{...}}, not {}", value.KindName()));
  }
}

std::string JsonFields::PathOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

const codec::LocatedJson* JsonFields::Find(std::string_view key) {
  const bool first_time = std::find(known_.begin(), known_.end(), key) == known_.end();
  if (first_time) known_.emplace_back(key);
  const codec::LocatedMember* found = nullptr;
  for (const codec::LocatedMember& member : value_.members) {
    if (!SameKey(member.key, key)) continue;
    if (found != nullptr && first_time) {
      complaints_->Warn(member.location, PathOf(key),
                        fmt::format("given twice: this one counts, the one at {} does not",
                                    found->location.ToString()));
    }
    found = &member;
  }
  if (found == nullptr || found->value.kind == codec::LocatedJson::Kind::kNull) return nullptr;
  return &found->value;
}

void JsonFields::WrongKind(std::string_view key, const codec::LocatedJson& value,
                           std::string_view wanted) {
  std::string got(value.KindName());
  if (value.kind == codec::LocatedJson::Kind::kString) got += " (" + Shortened(value.text) + ")";
  if (value.kind == codec::LocatedJson::Kind::kNumber) got += " (" + value.text + ")";
  complaints_->Error(value.location, PathOf(key), fmt::format("must be {}, not {}", wanted, got));
}

std::string JsonFields::Text(std::string_view key) {
  const codec::LocatedJson* value = Find(key);
  if (value == nullptr) return "";
  if (value->kind != codec::LocatedJson::Kind::kString) {
    WrongKind(key, *value, "a text in double quotes");
    return "";
  }
  RefuseNul(key, *value);
  return value->text;
}

void JsonFields::RefuseNul(std::string_view key, const codec::LocatedJson& value) {
  if (value.text.find('\0') != std::string::npos) {
    ErrorAt(value, key, "holds the character \\u0000, which ends names in many programs");
  }
}

void JsonFields::ErrorAt(const codec::LocatedJson& value, std::string_view key,
                         std::string_view what) {
  complaints_->Error(value.location, PathOf(key), what);
}

bool JsonFields::Boolean(std::string_view key) {
  const codec::LocatedJson* value = Find(key);
  if (value == nullptr) return false;
  if (value->kind != codec::LocatedJson::Kind::kBoolean) {
    WrongKind(key, *value, "true or false");
    return false;
  }
  return value->boolean;
}

std::optional<int> JsonFields::Integer(std::string_view key) {
  const codec::LocatedJson* value = Find(key);
  if (value == nullptr) return std::nullopt;
  const std::optional<int64_t> number = value->Integer();
  if (!number.has_value() || *number > INT32_MAX || *number < INT32_MIN) {
    WrongKind(key, *value,
              value->kind == codec::LocatedJson::Kind::kString ? "a number without quotes"
              : number.has_value()                             ? "a number of at most 10 digits"
                                                               : "a whole number");
    return std::nullopt;
  }
  return static_cast<int>(*number);
}

std::vector<std::string> JsonFields::Texts(std::string_view key) {
  std::vector<std::string> texts;
  const codec::LocatedJson* value = Find(key);
  if (value == nullptr) return texts;
  if (value->kind != codec::LocatedJson::Kind::kArray) {
    WrongKind(key, *value, "a list of texts [\"...\"]");
    return texts;
  }
  for (size_t i = 0; i < value->items.size(); ++i) {
    const codec::LocatedJson& item = value->items[i];
    if (item.kind == codec::LocatedJson::Kind::kString) {
      RefuseNul(fmt::format("{}[{}]", key, i), item);
      texts.push_back(item.text);
    } else if (item.kind == codec::LocatedJson::Kind::kNull) {
      texts.emplace_back();
    } else {
      WrongKind(fmt::format("{}[{}]", key, i), item, "a text in double quotes");
    }
  }
  return texts;
}

void JsonFields::Objects(std::string_view key, absl::FunctionRef<void(JsonFields)> each) {
  const codec::LocatedJson* value = Find(key);
  if (value == nullptr) return;
  if (value->kind != codec::LocatedJson::Kind::kArray) {
    WrongKind(key, *value, "a list of objects [{...}]");
    return;
  }
  for (size_t i = 0; i < value->items.size(); ++i) {
    if (value->items[i].kind == codec::LocatedJson::Kind::kNull) continue;
    if (value->items[i].kind != codec::LocatedJson::Kind::kObject) {
      WrongKind(fmt::format("{}[{}]", key, i), value->items[i], "an object {...}");
      continue;
    }
    each(JsonFields(value->items[i], PathOf(fmt::format("{}[{}]", key, i)), *complaints_));
  }
}

void JsonFields::Entries(std::string_view key,
                         absl::FunctionRef<void(const codec::LocatedMember&)> entry) {
  const codec::LocatedJson* value = Find(key);
  if (value == nullptr) return;
  if (value->kind != codec::LocatedJson::Kind::kObject) {
    WrongKind(key, *value, "an object {...}");
    return;
  }
  std::map<std::string_view, codec::Location> seen;
  for (const codec::LocatedMember& member : value->members) {
    const auto [found, is_new] = seen.emplace(member.key, member.location);
    if (!is_new) {
      complaints_->Warn(member.location, PathOf(key),
                        fmt::format("{} given twice: this one counts, the one at {} does not",
                                    Shortened(member.key), found->second.ToString()));
    }
    entry(member);
  }
}

std::optional<JsonFields> JsonFields::Object(std::string_view key) {
  const codec::LocatedJson* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (value->kind != codec::LocatedJson::Kind::kObject) {
    WrongKind(key, *value, "an object {...}");
    return std::nullopt;
  }
  return JsonFields(*value, PathOf(key), *complaints_);
}

void JsonFields::Error(std::string_view key, std::string_view what) {
  const codec::LocatedJson* value = Find(key);
  complaints_->Error(value == nullptr ? value_.location : value->location, PathOf(key), what);
}

void JsonFields::Warn(std::string_view key, std::string_view what) {
  const codec::LocatedJson* value = Find(key);
  complaints_->Warn(value == nullptr ? value_.location : value->location, PathOf(key), what);
}

std::vector<std::string> JsonFields::WarnOfOthers(const KeyHint& hint) {
  std::vector<std::string> others;
  for (const codec::LocatedMember& member : value_.members) {
    const auto is_this = [&member](const std::string& name) { return SameKey(name, member.key); };
    if (std::any_of(known_.begin(), known_.end(), is_this)) continue;
    others.push_back(member.key);
    std::string advice = hint == nullptr ? std::string() : hint(member.key);
    if (advice.empty()) {
      const std::string_view near = NearestWord(member.key, known_);
      if (!near.empty()) advice = fmt::format("did you mean {:?}?", near);
    }
    complaints_->Warn(member.location, path_,
                      fmt::format("unknown key {}, which is ignored{}{}", Shortened(member.key),
                                  advice.empty() ? "" : ": ", advice));
  }
  return others;
}

std::string_view NearestWord(std::string_view word, const std::vector<std::string>& words) {
  constexpr size_t kLongest = 64;
  if (word.size() > kLongest) return {};
  const std::string lower = absl::AsciiStrToLower({word.data(), word.size()});
  std::string_view nearest;
  size_t fewest = word.size() < 4 ? 2 : 3;  // one more than what still counts as near
  for (const std::string& candidate : words) {
    const size_t edits = Edits(lower, absl::AsciiStrToLower(candidate));
    if (edits >= fewest || edits >= candidate.size()) continue;
    fewest = edits;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace calico::calicert::cfssl
