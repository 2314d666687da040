// Fields of a JSON file in Go's manner, with complaints that name file, line, column and path.
//
//   Complaints complaints("req.json");
//   JsonFields request(root, "", complaints);
//   result.common_name = request.Text("CN");
//   request.WarnOfOthers(hint);
//   CALICO_RETURN_IF_ERROR(complaints.status());
//
// Go takes keys whatever the case of their letters, the last of several, and null as absent; so do
// we, and warn where it is likely a mistake. What has the wrong type is an error there and here.
#ifndef CALICO_OPERATOR_CALICERT_CFSSL_JSON_FIELDS_H_
#define CALICO_OPERATOR_CALICERT_CFSSL_JSON_FIELDS_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "pkg/codec/located_json.h"

namespace calico::calicert::cfssl {

// What is wrong with one file. Errors and warnings beyond the first 16 are counted only.
class Complaints {
 public:
  explicit Complaints(std::string file) : file_(std::move(file)) {}

  void Error(codec::Location at, std::string_view path, std::string_view what);
  void Warn(codec::Location at, std::string_view path, std::string_view what);

  // OK, or InvalidArgument with every error on a line of its own.
  absl::Status status() const;
  bool ok() const { return errors_.empty(); }
  std::vector<std::string> warnings() const;
  const std::string& file() const { return file_; }

 private:
  std::string Line(codec::Location at, std::string_view path, std::string_view what) const;

  std::string file_;
  std::vector<std::string> errors_;
  std::vector<std::string> warnings_;
  size_t more_errors_ = 0;
  size_t more_warnings_ = 0;
};

// The value of a file. Errors: InvalidArgument "FILE:3:14: ..."; what is no JSON but PEM or UTF-16
// is called so.
absl::StatusOr<codec::LocatedJson> ParseJsonFile(std::string_view text, std::string_view file,
                                                 const codec::LocatedLimits& limits = {});

// Where a key belongs that was found in the wrong place, or what else to say about it; empty for
// nothing.
using KeyHint = std::function<std::string(std::string_view key)>;

// One object. Lifetime: the value and the complaints outlive it.
class JsonFields {
 public:
  // A value that is no object is an error, and read as an empty one.
  JsonFields(const codec::LocatedJson& value, std::string path, Complaints& complaints);

  const std::string& path() const { return path_; }
  codec::Location location() const { return value_.location; }
  // Members, known or not.
  size_t size() const { return value_.members.size(); }
  std::string PathOf(std::string_view key) const;

  // The last value of that name, or nullptr when it is absent or null.
  const codec::LocatedJson* Find(std::string_view key);
  bool Has(std::string_view key) { return Find(key) != nullptr; }

  std::string Text(std::string_view key);
  bool Boolean(std::string_view key);
  std::optional<int> Integer(std::string_view key);
  std::vector<std::string> Texts(std::string_view key);
  // Calls `each` for every entry of a list of objects; an entry of another kind is an error.
  void Objects(std::string_view key, absl::FunctionRef<void(JsonFields)> each);
  // Calls `entry` for every member of an object; warns of one given twice.
  void Entries(std::string_view key,
               absl::FunctionRef<void(const codec::LocatedMember& member)> entry);
  std::optional<JsonFields> Object(std::string_view key);

  void Error(std::string_view key, std::string_view what);
  void Warn(std::string_view key, std::string_view what);
  // Of one value, for instance an item of a list.
  void ErrorAt(const codec::LocatedJson& value, std::string_view key, std::string_view what);

  // Warns of every key that nobody has asked for. Returns their names.
  std::vector<std::string> WarnOfOthers(const KeyHint& hint = nullptr);

 private:
  void RefuseNul(std::string_view key, const codec::LocatedJson& value);
  void WrongKind(std::string_view key, const codec::LocatedJson& value, std::string_view wanted);

  const codec::LocatedJson& value_;
  std::string path_;
  Complaints* complaints_;
  std::vector<std::string> known_;
};

// The nearest of `words` when it is near enough to be what was meant; empty otherwise.
std::string_view NearestWord(std::string_view word, const std::vector<std::string>& words);

}  // namespace calico::calicert::cfssl

#endif  // CALICO_OPERATOR_CALICERT_CFSSL_JSON_FIELDS_H_
