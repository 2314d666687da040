// ParseJson takes any bytes; what it accepts survives a round trip, and reading any of its fields
// as any type is safe.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "pkg/base/check.h"
#include "pkg/codec/json.h"
#include "pkg/codec/object_reader.h"

namespace calico::codec {
namespace {

// NOLINTNEXTLINE(misc-no-recursion): bounded by ParseLimits.
void ReadEverything(const ObjectReader& object) {
  for (const auto& member : object.object()) {
    const std::string_view key(member.key().data(), member.key().size());
    object.RequiredString(key);
    object.Int32(key);
    object.Bool(key);
    object.Time(key);
    object.Bytes(key);
    object.Strings(key);
    object.StringList(key);
    object.ForEach(key, ReadEverything);
    if (const ObjectReader child = object.Object(key); child.exists()) ReadEverything(child);
  }
}

// Boost.JSON may lose the last digit of a fraction, and prints infinity (1e999) as what it refuses.
// Nothing of Kubernetes has either.
// NOLINTNEXTLINE(misc-no-recursion): bounded by ParseLimits.
bool HasDouble(const json::value& value) {
  if (value.is_double()) return true;
  if (const json::array* array = value.if_array()) {
    return std::any_of(array->begin(), array->end(), HasDouble);
  }
  const json::object* object = value.if_object();
  return object != nullptr && std::any_of(object->begin(), object->end(), [](const auto& member) {
           return HasDouble(member.value());
         });
}

}  // namespace
}  // namespace calico::codec

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<calico::json::value> value =
      calico::codec::ParseJson(text, {.max_bytes = 1 << 20});
  if (!value.ok()) return 0;
  if (!calico::codec::HasDouble(*value)) {
    const std::string once = calico::codec::Serialize(*value);
    const absl::StatusOr<calico::json::value> again = calico::codec::ParseJson(once);
    CALICO_CHECK(again.ok());
    CALICO_CHECK(calico::codec::Serialize(*again) == once);
  }
  if (const calico::json::object* object = value->if_object()) {
    calico::codec::Decoder decoder("Fuzz");
    calico::codec::ReadEverything(decoder.Read(*object));
    CALICO_CHECK(decoder.status().message().size() < (1 << 20) * 20);
  }
  return 0;
}
