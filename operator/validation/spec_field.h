// One field of a spec with its path, for rules over parts that have no type of their own.
//
//   const SpecField network = SpecField::Root(spec)["calicoNetwork"];
//   if (network["mtu"].number() < 68) findings.Add(network["mtu"].path(), ...);
//
// A field that is absent, or inside of one that is, can be asked like any other: it is not set. A
// value of another type than is asked for counts as not set too; the decoder tells it.
#ifndef CALICO_OPERATOR_VALIDATION_SPEC_FIELD_H_
#define CALICO_OPERATOR_VALIDATION_SPEC_FIELD_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "operator/validation/findings.h"
#include "pkg/codec/json.h"

namespace calico::validation {

// Lifetime: the JSON document must outlive it.
class SpecField {
 public:
  static SpecField Root(const json::object& spec) { return {nullptr, &spec, "spec"}; }

  const std::string& path() const { return path_; }
  // There, not null, and no empty string: it says something.
  bool set() const;

  SpecField operator[](std::string_view key) const;
  // Elements of an array.
  std::vector<SpecField> items() const;
  // Members of an object.
  std::vector<SpecField> members() const;
  // The key of a member that members() gave.
  std::string_view key() const { return key_; }

  std::string_view text() const;
  bool is_text() const;
  std::optional<std::int64_t> number() const;
  bool is(bool flag) const;
  const json::object* object() const { return object_; }
  const json::array* array() const;
  // As it may be shown: JSON, of bounded length.
  std::string shown() const;
  // Its text without quotes, of bounded length and in one line.
  std::string plain() const;

 private:
  SpecField(const json::value* value, const json::object* object, std::string path)
      : value_(value), object_(object), path_(std::move(path)) {}
  SpecField(const json::value* value, std::string path);

  const json::value* value_;    // null for the root, and for what is absent
  const json::object* object_;  // null for what is no object
  std::string path_;
  std::string_view key_;
};

// Text of bounded length without control characters, in quotes.
std::string Quoted(std::string_view text);

// The plug-in is one of others: neither Calico's nor one that nobody knows.
bool IsForeignCni(const SpecField& type);

// A field that is set must have one of `values`.
void CheckOneOf(const SpecField& field, std::span<const std::string_view> values,
                Findings findings);

// A field that is set must be a whole number from `least` to `most`.
void CheckNumber(const SpecField& field, std::int64_t least, std::int64_t most, Findings findings);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_SPEC_FIELD_H_
