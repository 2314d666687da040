#include "pkg/api/core/config_map.h"

#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"

namespace calico::api {

std::string_view ConfigMap::Get(std::string_view key) const {
  const auto entry = data.find(key);
  return entry == data.end() ? std::string_view() : std::string_view(entry->second);
}

absl::StatusOr<ConfigMap> ConfigMap::Decode(const json::object& object) {
  codec::Decoder decoder("ConfigMap");
  const codec::ObjectReader root = decoder.Read(object);
  ConfigMap config_map{.meta = ReadObjectMeta(root, {}), .data = root.Strings("data")};
  CALICO_RETURN_IF_ERROR(decoder.status());
  return config_map;
}

}  // namespace calico::api
