// ParseYamlDocuments takes any bytes; what it accepts can be printed, and reads back equal.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "pkg/base/check.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"
#include "pkg/codec/yaml_writer.h"

namespace {

// YAML limits a key on one line to 1,024 characters.
// NOLINTNEXTLINE(misc-no-recursion): bounded by YamlLimits.
bool HasLongKey(const calico::json::value& value) {
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) {
      if (member.key().size() > 128 || HasLongKey(member.value())) return true;
    }
  } else if (const auto* array = value.if_array()) {
    for (const auto& element : *array) {
      if (HasLongKey(element)) return true;
    }
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<std::vector<calico::json::value>> documents =
      calico::codec::ParseYamlDocuments(text, {.max_bytes = 64 << 10});
  if (!documents.ok()) return 0;
  for (const calico::json::value& document : *documents) {
    CALICO_CHECK(calico::codec::ParseJson(calico::codec::Serialize(document)).ok());
    if (HasLongKey(document)) continue;
    const absl::StatusOr<calico::json::value> again =
        calico::codec::ParseYaml(calico::codec::ToYaml(document));
    CALICO_CHECK(again.ok());
    CALICO_CHECK(*again == document);
  }
  return 0;
}
