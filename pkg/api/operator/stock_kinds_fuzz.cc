// ApiServer and ImageSet take any document, and what they decoded decodes again to the same.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pkg/api/operator/api_server.h"
#include "pkg/api/operator/image_set.h"
#include "pkg/base/check.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"

namespace {

using calico::api::ApiServer;
using calico::api::ImageSet;
namespace json = calico::json;

void TryApiServer(const json::object& object) {
  const auto server = ApiServer::Decode(object);
  if (!server.ok()) return;
  const auto again =
      ApiServer::Decode({{"metadata", {{"name", server->meta.name}}}, {"spec", server->spec}});
  CALICO_CHECK(again.ok());
  CALICO_CHECK(again->log_severity == server->log_severity);
  CALICO_CHECK(again->ignored_fields == server->ignored_fields);
}

void TryImageSet(const json::object& object) {
  const auto set = ImageSet::Decode(object);
  if (!set.ok()) return;
  std::vector<std::string> images;
  for (const auto& [image, digest] : set->digests) images.push_back(image);
  const size_t problems = calico::api::ImageSetProblems(*set, images).size();
  CALICO_CHECK(problems <= images.size());
  for (const std::string& image : images) {
    const auto digest = calico::api::FindDigest(*set, image);
    CALICO_CHECK(!digest.ok() || digest->starts_with("sha256:"));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto value = calico::codec::ParseYaml(
      std::string_view(reinterpret_cast<const char*>(data), size), {.max_bytes = 64 << 10});
  if (!value.ok() || !value->is_object()) return 0;
  TryApiServer(value->get_object());
  TryImageSet(value->get_object());
  return 0;
}
