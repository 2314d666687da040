// Typed reads from a parsed JSON object, with the path of each wrong field in the error.
//
//   codec::Decoder decoder("Pod");
//   const codec::ObjectReader pod = decoder.Read(object);
//   const codec::ObjectReader spec = pod.Object("spec");
//   result.node_name = spec.String("nodeName");
//   CALICO_RETURN_IF_ERROR(decoder.status());
//
// Reads do not fail one by one: a wrong field is noted in the Decoder and read as empty, so that
// one look at status() tells every problem. A field that is absent or null is read as empty as
// well; the Required forms note a problem for it (unless the object itself is absent, which
// RequiredObject notes). Nothing is allocated while there is no problem.
#ifndef CALICO_PKG_CODEC_OBJECT_READER_H_
#define CALICO_PKG_CODEC_OBJECT_READER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/inlined_vector.h>
#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/time/time.h>
#include <absl/types/span.h>

#include "pkg/codec/json.h"

namespace calico::codec {

using StringMap = std::map<std::string, std::string, std::less<>>;

class Decoder;

// One object inside the decoded document. Cheap to copy.
// Lifetime: the Decoder and the JSON document must outlive it.
class ObjectReader {
 public:
  // False when the field that this reader was made from is absent (or was not an object).
  bool exists() const { return object_ != nullptr; }
  // The object itself. Requires: exists().
  const json::object& object() const { return *object_; }
  // The value, or nullptr when the field is absent or null.
  const json::value* Find(std::string_view key) const;
  bool Has(std::string_view key) const { return Find(key) != nullptr; }

  std::string String(std::string_view key) const;
  // Absent and empty are problems.
  std::string RequiredString(std::string_view key) const;
  // As String, but empty for absent; views the JSON document.
  std::string_view StringView(std::string_view key) const;
  std::optional<std::string> OptionalString(std::string_view key) const;
  // A string that must be one of `allowed` or absent. Views an element of `allowed`.
  std::string_view Enum(std::string_view key, absl::Span<const std::string_view> allowed) const;

  std::int64_t Int64(std::string_view key, std::int64_t absent = 0) const;
  std::optional<std::int64_t> OptionalInt64(std::string_view key) const;
  // Numbers outside of 32 bits are problems.
  std::int32_t Int32(std::string_view key, std::int32_t absent = 0) const;
  std::optional<std::int32_t> OptionalInt32(std::string_view key) const;

  // intstr.IntOrString and quantities: a string, or an integer in decimal.
  std::string IntOrString(std::string_view key) const;

  bool Bool(std::string_view key, bool absent = false) const;
  std::optional<bool> OptionalBool(std::string_view key) const;

  // RFC 3339, with or without fractions (metav1.Time and MicroTime).
  std::optional<absl::Time> Time(std::string_view key) const;
  // Base64 text, decoded ([]byte in Go). The content never shows in a message.
  std::string Bytes(std::string_view key) const;

  // An absent object gives a reader with exists() == false, from which every read is empty.
  ObjectReader Object(std::string_view key) const;
  ObjectReader RequiredObject(std::string_view key) const;

  StringMap Strings(std::string_view key) const;
  std::vector<std::string> StringList(std::string_view key) const;
  // Calls `item` for each element of an array of objects. The reader is valid during the call only.
  void ForEach(std::string_view key, absl::FunctionRef<void(const ObjectReader& item)> item) const;
  // Calls `value` for each element of an array of strings.
  void ForEachString(std::string_view key, absl::FunctionRef<void(std::string_view)> value) const;
  // Calls `entry` for each member of an object whose values are strings.
  void ForEachEntry(std::string_view key,
                    absl::FunctionRef<void(std::string_view, std::string_view)> entry) const;

  // Notes a problem with the field: `<path>.<key>: <problem>`.
  void Fail(std::string_view key, std::string_view problem) const;

 private:
  friend class Decoder;
  ObjectReader(Decoder* decoder, int node, const json::object* object)
      : decoder_(decoder), node_(node), object_(object) {}
  void ExpectedType(std::string_view key, std::string_view type, const json::value& got) const;

  Decoder* decoder_;
  int node_;
  const json::object* object_;
};

// The state of one decode: the path tree and the problems. Not copyable, lives on the stack.
class Decoder {
 public:
  // `root` begins each path, such as "Installation". Lifetime: must outlive the decoder.
  explicit Decoder(std::string_view root);
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  ObjectReader Read(const json::object& object);

  // OK, or InvalidArgument with every problem (at most 16), joined by "; ".
  absl::Status status() const;

 private:
  friend class ObjectReader;
  struct Node {
    int parent;
    std::string_view key;
    int index;  // In the array `key`; -1 when `key` is no array.
  };
  std::string PathOf(int node) const;
  void AddProblem(std::string problem);

  absl::InlinedVector<Node, 16> nodes_;
  std::vector<std::string> problems_;
  int more_problems_ = 0;
};

}  // namespace calico::codec

#endif  // CALICO_PKG_CODEC_OBJECT_READER_H_
