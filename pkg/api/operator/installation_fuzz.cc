// Installation::Decode takes any document; it keeps the spec, and what it decoded decodes again.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pkg/api/operator/installation.h"
#include "pkg/api/operator/installation_fields.h"
#include "pkg/base/check.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using calico::api::Installation;
  const auto value = calico::codec::ParseYaml(
      std::string_view(reinterpret_cast<const char*>(data), size), {.max_bytes = 64 << 10});
  if (!value.ok() || !value->is_object()) return 0;
  const auto installation = Installation::Decode(value->get_object());
  if (!installation.ok()) return 0;
  if (const auto* spec = value->get_object().if_contains("spec"); spec && spec->is_object()) {
    CALICO_CHECK(installation->spec == spec->get_object());
  }
  const auto again = Installation::Decode(
      {{"metadata", {{"name", installation->meta.name}}}, {"spec", installation->spec}});
  CALICO_CHECK(again.ok());
  CALICO_CHECK(again->certificate_management == installation->certificate_management);
  CALICO_CHECK(again->calico_network == installation->calico_network);
  calico::api::IgnoredFields(installation->spec, "v3.27");
  return 0;
}
